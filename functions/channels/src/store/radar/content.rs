//! Contents that can be tracked.

use crate::radar::ContentKind;
use domain::{ContentId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// A content as it is kept.
#[derive(Clone, Debug)]
pub struct Content {
    /// Its id.
    pub id: ContentId,
    /// What it is.
    pub kind: ContentKind,
    /// What it is called.
    pub title: String,
    /// Where it lies.
    pub url: String,
    /// The merchant's product code.
    pub product: Option<String>,
    /// Whether it is shown inside the page that counts.
    pub embed: bool,
    /// The store that it belongs to.
    pub store: String,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was retired.
    pub retired_at: Option<UnixMs>,
}

impl Content {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            kind: row.parse("kind")?,
            title: row.get("title")?,
            url: row.get("url")?,
            product: row.get("product")?,
            embed: row.get("embed")?,
            store: row.get("store")?,
            created_at: row.instant("created_at")?,
            retired_at: row.optional_instant("retired_at")?,
        })
    }
}

/// Writes a content, new or changed; what it is and when it was made stay.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn put(tx: &Tx<'_>, content: &Content) -> Result<(), DbError> {
    tx.run(
        "insert into content (id, kind, title, url, product, embed, store, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         on conflict (id) do update
             set kind = excluded.kind, title = excluded.title, url = excluded.url, product = excluded.product,
                 embed = excluded.embed, store = excluded.store",
        &params![
            content.id.to_string(),
            content.kind.as_str(),
            content.title.as_str(),
            content.url.as_str(),
            content.product.as_deref(),
            content.embed,
            content.store.as_str(),
            content.created_at.millis(),
        ],
    )
}

/// Retires a content. Tells whether it was in use.
///
/// # Errors
/// [`DbError`] of the update.
pub fn retire(tx: &Tx<'_>, id: ContentId) -> Result<bool, DbError> {
    let sql = "update content set retired_at = ?2 where id = ?1 and retired_at is null";
    Ok(tx.execute(sql, &params![id.to_string(), tx.cx().now.millis()])? > 0)
}

/// A content by its id.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_id(tx: &Tx<'_>, id: ContentId) -> Result<Option<Content>, DbError> {
    let row = tx.query_one("select * from content where id = ?1", &params![id.to_string()])?;
    row.as_ref().map(Content::from_row).transpose()
}

/// A place in the list of contents.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When the content was made.
    pub created_at: i64,
    /// Its id.
    pub id: ContentId,
}

/// Contents of a subtree of stores, newest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(tx: &Tx<'_>, store: &str, after: Option<Mark>, most: u32) -> Result<Vec<Content>, DbError> {
    let (at, id) = after.map_or((i64::MAX, String::new()), |mark| (mark.created_at, mark.id.to_string()));
    let rows = tx.query(
        "select * from content
          where (?1 = '/' or store = ?1 or substr(store, 1, length(?1) + 1) = ?1 || '/')
            and (created_at, id) < (?2, ?3)
          order by created_at desc, id desc
          limit ?4",
        &params![store, at, id, most],
    )?;
    rows.iter().map(Content::from_row).collect()
}
