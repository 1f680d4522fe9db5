//! Contacts that WeCom was asked to hand over to another member of staff.

use domain::{CustomerId, HandoverAnswer, HandoverId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde_json::json;

/// A contact whose handover WeCom has not settled.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// The handover.
    pub handover: HandoverId,
    /// The customer, by the id that the handover has.
    pub customer: CustomerId,
    /// WeCom's external_userid.
    pub contact: String,
    /// Who gives.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// Whether the one who gives has left.
    pub resigned: bool,
    /// When WeCom was asked.
    pub asked_at: UnixMs,
}

impl Transfer {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            handover: row.parse("handover")?,
            customer: row.parse("customer")?,
            contact: row.get("contact")?,
            from: row.get("from_")?,
            to: row.get("to_")?,
            resigned: row.get("resigned")?,
            asked_at: row.instant("asked_at")?,
        })
    }
}

/// Writes that WeCom is asked.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn insert(tx: &Tx<'_>, transfer: &Transfer) -> Result<(), DbError> {
    tx.run(
        "insert into transfer (handover, customer, contact, from_, to_, resigned, asked_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         on conflict do nothing",
        &params![
            transfer.handover.to_string(),
            transfer.customer.to_string(),
            transfer.contact.as_str(),
            transfer.from.as_str(),
            transfer.to.as_str(),
            i64::from(transfer.resigned),
            transfer.asked_at.millis(),
        ],
    )
}

/// The contacts of a handover of which WeCom has not said what becomes of them.
///
/// # Errors
/// [`DbError`] of the query.
pub fn open(tx: &Tx<'_>, handover: HandoverId) -> Result<Vec<Transfer>, DbError> {
    let sql = "select * from transfer where handover = ?1 and state = 'asked' order by contact";
    tx.query(sql, &params![handover.to_string()])?.iter().map(Transfer::from_row).collect()
}

/// The open handovers of a contact.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_contact(tx: &Tx<'_>, contact: &str) -> Result<Vec<Transfer>, DbError> {
    let sql = "select * from transfer where contact = ?1 and state = 'asked' order by asked_at, handover";
    tx.query(sql, &params![contact])?.iter().map(Transfer::from_row).collect()
}

/// Writes WeCom's word on a contact, which is its first. Tells whether it was.
///
/// # Errors
/// [`DbError`] of the update.
pub fn settle(
    tx: &Tx<'_>,
    transfer: &Transfer,
    refused: Option<HandoverAnswer>,
    error: Option<&str>,
) -> Result<bool, DbError> {
    let settled = tx.execute(
        "update transfer set state = ?3, reason = ?4, error = ?5
          where handover = ?1 and contact = ?2 and state = 'asked'",
        &params![
            transfer.handover.to_string(),
            transfer.contact.as_str(),
            if refused.is_some() { "refused" } else { "done" },
            refused.map(HandoverAnswer::as_str),
            error,
        ],
    )?;
    Ok(settled > 0)
}

/// WeCom's word on a customer of a handover, and its error: one contact that is handed over is enough. Nothing while it is awaited for any contact.
///
/// # Errors
/// [`DbError`] of the query.
pub fn word(
    tx: &Tx<'_>,
    handover: HandoverId,
    customer: CustomerId,
) -> Result<Option<(HandoverAnswer, Option<String>)>, DbError> {
    let rows = tx.query(
        "select state, reason, error from transfer where handover = ?1 and customer = ?2 order by state, contact",
        &params![handover.to_string(), customer.to_string()],
    )?;
    let Some(first) = rows.first() else { return Ok(None) };
    Ok(match first.get::<String>("state")?.as_str() {
        "asked" => None,
        "done" => Some((HandoverAnswer::Accepted, None)),
        _ => {
            let reason = serde_json::from_value(json!(first.get::<String>("reason")?));
            Some((reason.map_err(|error| DbError::Shape(error.to_string()))?, first.get("error")?))
        }
    })
}
