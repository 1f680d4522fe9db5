//! Couriers who fetch returns: one row a pickup.

use super::json;
use domain::{Fen, OrderId, PickupId, PickupStatus, RefundId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use platforms::kuaidi100::pickup::Ordered;

/// A pickup as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPickup {
    /// Its id in our books.
    pub id: PickupId,
    /// The refund whose goods are fetched.
    pub refund_id: RefundId,
    /// The carrier by Kuaidi100's code.
    pub carrier: String,
    /// Who hands the parcel over, sealed.
    pub sender: Vec<u8>,
    /// What is in the parcel.
    pub cargo: Option<String>,
    /// What it weighs.
    pub grams: Option<u32>,
    /// How far it has come.
    pub status: PickupStatus,
    /// The carrier's own newest word for that.
    pub raw_status: Option<String>,
    /// The carrier's numbers of the order.
    pub ordered: Option<Ordered>,
    /// The parcel's number.
    pub tracking_number: Option<String>,
    /// What the merchant pays.
    pub fee: Option<Fen>,
    /// When it was entered.
    pub created_at: UnixMs,
}

impl KnownPickup {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let grams: Option<i64> = row.get("grams")?;
        let ordered: Option<String> = row.get("ordered")?;
        let ordered = ordered.map(|text| serde_json::from_str(&text)).transpose();
        Ok(Self {
            id: row.parse("id")?,
            refund_id: row.parse("refund_id")?,
            carrier: row.get("carrier")?,
            sender: row.get("sender")?,
            cargo: row.get("cargo")?,
            grams: grams.and_then(|grams| grams.try_into().ok()),
            status: row.parse("status")?,
            raw_status: row.get("raw_status")?,
            ordered: ordered.map_err(|error| DbError::Shape(error.to_string()))?,
            tracking_number: row.get("tracking_number")?,
            fee: row.get::<Option<i64>>("fee")?.map(Fen::new),
            created_at: row.instant("created_at")?,
        })
    }
}

const COLUMNS: &str =
    "id, refund_id, carrier, sender, cargo, grams, status, raw_status, ordered, tracking_number, fee, created_at";

/// A pickup by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn pickup(tx: &Tx<'_>, id: PickupId) -> Result<Option<KnownPickup>, DbError> {
    let query = format!("select {COLUMNS} from pickup where id = ?1");
    tx.query_one(&query, &params![id.to_string()])?.as_ref().map(KnownPickup::from_row).transpose()
}

/// The pickup for a refund: the one that stands, else the newest.
///
/// # Errors
/// [`DbError`] of the query.
pub fn pickup_of(tx: &Tx<'_>, refund_id: RefundId) -> Result<Option<KnownPickup>, DbError> {
    let query = format!(
        "select {COLUMNS} from pickup where refund_id = ?1
                         order by status in ('failed', 'cancelled'), id desc limit 1"
    );
    tx.query_one(&query, &params![refund_id.to_string()])?.as_ref().map(KnownPickup::from_row).transpose()
}

/// Writes a pickup down.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save_pickup(tx: &Tx<'_>, known: &KnownPickup) -> Result<(), DbError> {
    tx.run(
        "insert into pickup (id, refund_id, carrier, sender, cargo, grams, status, raw_status, ordered, tracking_number, fee, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         on conflict (id) do update
             set carrier = excluded.carrier, sender = excluded.sender, cargo = excluded.cargo, grams = excluded.grams,
                 status = excluded.status, raw_status = excluded.raw_status, ordered = excluded.ordered,
                 tracking_number = excluded.tracking_number, fee = excluded.fee",
        &params![
            known.id.to_string(),
            known.refund_id.to_string(),
            known.carrier.as_str(),
            known.sender.clone(),
            known.cargo.clone(),
            known.grams.map(i64::from),
            known.status.as_str(),
            known.raw_status.clone(),
            known.ordered.as_ref().map(json).transpose()?,
            known.tracking_number.clone(),
            known.fee.map(Fen::get),
            known.created_at.millis(),
        ],
    )
}

/// Forgets who handed over the parcels of these orders: `nobody` takes their place.
///
/// # Errors
/// [`DbError`] of the update.
pub fn forget_senders(tx: &Tx<'_>, orders: &[OrderId], nobody: &[u8]) -> Result<(), DbError> {
    tx.run(
        "update pickup set sender = ?2
          where refund_id in (select id from refund where order_id in (select value from json_each(?1)))",
        &params![json(&orders)?, nobody],
    )
}
