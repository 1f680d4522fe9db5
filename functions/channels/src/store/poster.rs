//! Uploaded pictures and fonts, and the templates of posters.

use super::json;
use crate::picture::Poster;
use kit::{DbError, Tx, params};

/// What an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture.
    Image,
    /// A font.
    Font,
}

impl Kind {
    /// Its name in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Font => "font",
        }
    }
}

/// Keeps an upload under a name, instead of what had that name.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn keep(tx: &Tx<'_>, name: &str, kind: Kind, bytes: Vec<u8>) -> Result<(), DbError> {
    tx.run(
        "insert into material (name, bytes, type, created_at) values (?1, ?2, ?3, ?4)
         on conflict (name) do update
             set bytes = excluded.bytes, type = excluded.type, created_at = excluded.created_at",
        &params![name, bytes, kind.as_str(), tx.cx().now.millis()],
    )
}

/// An upload of this kind.
///
/// # Errors
/// [`DbError`] of the query.
pub fn material(tx: &Tx<'_>, name: &str, kind: Kind) -> Result<Option<Vec<u8>>, DbError> {
    tx.scalar("select bytes from material where name = ?1 and type = ?2", &params![name, kind.as_str()])
}

/// A template, and the names of the uploads that it needs.
#[derive(Clone, Debug)]
pub struct Template {
    /// What it looks like.
    pub poster: Poster,
    /// The picture behind everything.
    pub background: Option<String>,
    /// The picture in the middle of the code.
    pub logo: Option<String>,
    /// The letters of the name.
    pub font: Option<String>,
}

/// Keeps a template under a name.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn set(tx: &Tx<'_>, name: &str, template: &Template) -> Result<(), DbError> {
    tx.run(
        "insert into poster (name, template, background, logo, font, changed_at) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (name) do update
             set template = excluded.template, background = excluded.background, logo = excluded.logo,
                 font = excluded.font, changed_at = excluded.changed_at",
        &params![
            name,
            json(&template.poster)?,
            template.background.as_deref(),
            template.logo.as_deref(),
            template.font.as_deref(),
            tx.cx().now.millis(),
        ],
    )
}

/// A template by its name.
///
/// # Errors
/// [`DbError`] of the query.
pub fn template(tx: &Tx<'_>, name: &str) -> Result<Option<Template>, DbError> {
    let row = tx.query_one("select template, background, logo, font from poster where name = ?1", &params![name])?;
    row.map(|row| {
        Ok(Template {
            poster: row.json("template")?,
            background: row.get("background")?,
            logo: row.get("logo")?,
            font: row.get("font")?,
        })
    })
    .transpose()
}
