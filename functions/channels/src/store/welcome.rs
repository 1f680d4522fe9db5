//! Welcomes: one for each welcome code, and how it ended.

use domain::{ChannelCodeId, Identity, OutboxId, UnixMs, WelcomeOutcome};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde_json::json;
use sha2::{Digest, Sha256};

/// A welcome that is to be sent, or that ended at once.
#[derive(Clone, Copy, Debug)]
pub struct NewWelcome<'a> {
    /// What makes it one of its own: the welcome code, or the callback's digest where none came.
    pub token: &'a str,
    /// The channel code.
    pub code: Option<ChannelCodeId>,
    /// The member of staff, of contacts.
    pub staff: Option<&'a str>,
    /// Who is welcomed.
    pub who: &'a Identity,
    /// When the contact was added.
    pub added_at: UnixMs,
}

/// Begins a welcome. Its key, or none where there is one for this token already.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn begin(tx: &Tx<'_>, new: &NewWelcome<'_>) -> Result<Option<i64>, DbError> {
    let digest: [u8; 32] = Sha256::digest(new.token.as_bytes()).into();
    tx.scalar(
        "insert into welcome (digest, code, staff, kind, scope, value, added_at, came_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         on conflict (digest) do nothing
         returning id",
        &params![
            &digest[..],
            new.code.map(|id| id.to_string()),
            new.staff,
            new.who.kind.as_str(),
            new.who.scope.as_deref().unwrap_or_default(),
            new.who.value.as_str(),
            new.added_at.millis(),
            tx.cx().now.millis(),
        ],
    )
}

/// Whether a code's welcome of a contact by a member of staff came in at `since` or later, whatever became of it.
///
/// # Errors
/// [`DbError`] of the query.
pub fn is_begun(
    tx: &Tx<'_>,
    code: Option<ChannelCodeId>,
    staff: &str,
    contact: &str,
    since: UnixMs,
) -> Result<bool, DbError> {
    let row = tx.query_one(
        "select 1 as found from welcome
          where code is ?1 and came_at >= ?2 and staff = ?3 and value = ?4 limit 1",
        &params![code.map(|id| id.to_string()), since.millis(), staff, contact],
    )?;
    Ok(row.is_some())
}

/// Notes by which call a welcome goes out.
///
/// # Errors
/// [`DbError`] of the update.
pub fn goes_by(tx: &Tx<'_>, id: i64, outbox: OutboxId) -> Result<(), DbError> {
    tx.run("update welcome set outbox_id = ?2 where id = ?1", &params![id, outbox.to_string()])
}

/// A message in a welcome's place that a member of staff is yet to send.
#[derive(Clone, Debug)]
pub struct Untold {
    /// WeCom's id of it.
    pub message_id: String,
    /// Whom it is for: WeCom's external_userid.
    pub contact: String,
    /// When the callback came in.
    pub came_at: UnixMs,
}

/// Notes WeCom's id of the message by which a welcome goes.
///
/// # Errors
/// [`DbError`] of the update.
pub fn is_message(tx: &Tx<'_>, call: OutboxId, message_id: &str) -> Result<(), DbError> {
    tx.run("update welcome set message_id = ?2 where outbox_id = ?1", &params![call.to_string(), message_id])
}

/// The message of a welcome that has not ended.
///
/// # Errors
/// [`DbError`] of the query.
pub fn message(tx: &Tx<'_>, call: OutboxId) -> Result<Option<Untold>, DbError> {
    let row = tx.query_one(
        "select message_id, value, came_at from welcome
          where outbox_id = ?1 and message_id is not null and ended_at is null",
        &params![call.to_string()],
    )?;
    let untold = |row: Row| {
        Ok(Untold { message_id: row.get("message_id")?, contact: row.get("value")?, came_at: row.instant("came_at")? })
    };
    row.map(untold).transpose()
}

/// A welcome that ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The channel code.
    pub code: Option<ChannelCodeId>,
    /// The member of staff, of contacts.
    pub staff: Option<String>,
    /// Who was welcomed.
    pub who: Identity,
    /// When the callback came in.
    pub came_at: UnixMs,
}

/// Ends a welcome, by its key or by its call. None where it had ended, or is none of ours.
///
/// # Errors
/// [`DbError`] of the update.
pub fn end(tx: &Tx<'_>, which: Which, outcome: WelcomeOutcome, at: UnixMs) -> Result<Option<Ended>, DbError> {
    let (column, value) = match which {
        Which::Key(id) => ("id", id.into()),
        Which::Call(outbox) => ("outbox_id", outbox.to_string().into()),
    };
    let sql = format!(
        "update welcome set ended_at = ?3, outcome = ?2 where {column} = ?1 and ended_at is null
         returning code, staff, kind, scope, value, came_at"
    );
    let row = tx.query_one(&sql, &[value, outcome.as_str().into(), at.millis().into()])?;
    row.map(|row| {
        let code: Option<String> = row.get("code")?;
        Ok(Ended {
            code: code.map(|_| row.parse("code")).transpose()?,
            staff: row.get("staff")?,
            who: who(&row)?,
            came_at: row.instant("came_at")?,
        })
    })
    .transpose()
}

/// Which welcome.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// By its key.
    Key(i64),
    /// By the call that it goes out with.
    Call(OutboxId),
}

fn who(row: &Row) -> Result<Identity, DbError> {
    let (kind, scope): (String, String) = (row.get("kind")?, row.get("scope")?);
    Ok(Identity {
        kind: serde_json::from_value(json!(kind)).map_err(|error| DbError::Shape(error.to_string()))?,
        scope: (!scope.is_empty()).then_some(scope),
        value: row.get("value")?,
    })
}
