//! Links to contents.

use crate::store::who;
use domain::{ContentId, Identity, UnixMs};
use kit::db::{Row, Value};
use kit::{DbError, Tx, params};

/// A link to a content.
#[derive(Clone, Debug)]
pub struct Share {
    /// What its address ends with.
    pub token: String,
    /// The content.
    pub content: ContentId,
    /// The member of staff who shared it.
    pub staff: Option<String>,
    /// The customer whom it was made for.
    pub who: Option<Identity>,
    /// The link that it was forwarded from.
    pub parent: Option<String>,
    /// The browser that forwarded it.
    pub visitor: Option<String>,
    /// How often it was passed on: 0 where staff made it.
    pub depth: i64,
    /// When it was made.
    pub created_at: UnixMs,
}

impl Share {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            token: row.get("token")?,
            content: row.parse("content")?,
            staff: row.get("staff")?,
            who: who::some(row)?,
            parent: row.get("parent")?,
            visitor: row.get("visitor")?,
            depth: row.get("depth")?,
            created_at: row.instant("created_at")?,
        })
    }
}

/// Writes a link. Where the same browser has forwarded the same link before, that one stands. The token of the one that stands, and whether it is new.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn add(tx: &Tx<'_>, share: &Share) -> Result<(String, bool), DbError> {
    let [kind, scope, value] = share.who.as_ref().map_or([Value::Null, Value::from(""), Value::Null], who::columns);
    let added = tx.execute(
        "insert into content_share (token, content, staff, kind, scope, value, parent, visitor, depth, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         on conflict (parent, visitor) where visitor is not null do nothing",
        &params![
            share.token.as_str(),
            share.content.to_string(),
            share.staff.as_deref(),
            kind,
            scope,
            value,
            share.parent.as_deref(),
            share.visitor.as_deref(),
            share.depth,
            share.created_at.millis(),
        ],
    )?;
    if added > 0 {
        return Ok((share.token.clone(), true));
    }
    let sql = "select token from content_share where parent = ?1 and visitor = ?2";
    let stands = tx.scalar(sql, &params![share.parent.as_deref(), share.visitor.as_deref()])?;
    let stands = stands.ok_or_else(|| DbError::Shape("a link that stands is not there".to_owned()))?;
    Ok((stands, false))
}

/// A link by its token.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_token(tx: &Tx<'_>, token: &str) -> Result<Option<Share>, DbError> {
    let row = tx.query_one("select * from content_share where token = ?1", &params![token])?;
    row.as_ref().map(Share::from_row).transpose()
}
