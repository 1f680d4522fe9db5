//! What a content's visits come to.

use crate::store::who;
use domain::{ContentId, CustomerId, Identity, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};

/// Figures of visits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// How often links were opened.
    pub opens: i64,
    /// By how many: people where they are known, browsers else.
    pub readers: i64,
    /// For how long together, in milliseconds.
    pub dwell_ms: i64,
    /// How much was seen on average, in percent, of visits that tell.
    pub depth_percent: Option<i64>,
    /// How many links were forwarded.
    pub forwards: i64,
}

/// What is counted of visits `visit`. A person known by several identities is one reader.
const FIGURES: &str = "count(visit.id) as opens,
    count(distinct coalesce(person.customer, visit.kind || ' ' || visit.scope || ' ' || visit.value, visit.visitor)) as readers,
    coalesce(sum(visit.dwell_ms), 0) as dwell_ms,
    cast(round(avg(visit.depth_percent)) as integer) as depth_percent";

/// Visits with the links that they came by, and whose they are.
const VISITS: &str = "content_share share
    left join content_visit visit on visit.share = share.token
    left join channel_person person
           on (person.kind, person.scope, person.value) = (visit.kind, visit.scope, visit.value)";

impl Figures {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            opens: row.get("opens")?,
            readers: row.get("readers")?,
            dwell_ms: row.get("dwell_ms")?,
            depth_percent: row.get("depth_percent")?,
            forwards: row.get("forwards")?,
        })
    }
}

/// All visits to a content.
///
/// # Errors
/// [`DbError`] of the query.
pub fn total(tx: &Tx<'_>, content: ContentId) -> Result<Figures, DbError> {
    let row = tx.query_one(
        &format!(
            "select {FIGURES}, count(distinct iif(share.visitor is not null, share.token, null)) as forwards
               from {VISITS} where share.content = ?1"
        ),
        &params![content.to_string()],
    )?;
    row.as_ref().map_or(Ok(Figures::default()), Figures::from_row)
}

/// By member of staff, the most opened first; at most `most`.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_staff(tx: &Tx<'_>, content: ContentId, most: u32) -> Result<Vec<(Option<String>, Figures)>, DbError> {
    let rows = tx.query(
        &format!(
            "select share.staff, {FIGURES}, count(distinct iif(share.visitor is not null, share.token, null)) as forwards
               from {VISITS} where share.content = ?1
              group by share.staff order by opens desc, share.staff limit ?2"
        ),
        &params![content.to_string(), most],
    )?;
    rows.iter().map(|row| Ok((row.get("staff")?, Figures::from_row(row)?))).collect()
}

/// A link with its figures.
#[derive(Clone, Debug)]
pub struct OfShare {
    /// The link's token.
    pub token: String,
    /// The member of staff who shared it.
    pub staff: Option<String>,
    /// The customer whom it was made for.
    pub who: Option<Identity>,
    /// The link that it was forwarded from.
    pub parent: Option<String>,
    /// How often it was passed on.
    pub depth: i64,
    /// Its figures; `forwards` counts those from this one.
    pub figures: Figures,
}

/// By link, the most opened first; at most `most`.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_share(tx: &Tx<'_>, content: ContentId, most: u32) -> Result<Vec<OfShare>, DbError> {
    let rows = tx.query(
        &format!(
            "select share.token, share.staff, share.kind, share.scope, share.value, share.parent, share.depth, {FIGURES},
                    (select count(*) from content_share child
                      where child.parent = share.token and child.visitor is not null) as forwards
               from {VISITS} where share.content = ?1
              group by share.token order by opens desc, share.created_at, share.token limit ?2"
        ),
        &params![content.to_string(), most],
    )?;
    let read = |row: &Row| {
        Ok(OfShare {
            token: row.get("token")?,
            staff: row.get("staff")?,
            who: who::some(row)?,
            parent: row.get("parent")?,
            depth: row.get("depth")?,
            figures: Figures::from_row(row)?,
        })
    };
    rows.iter().map(read).collect()
}

/// By how often links were passed on: how many links of that depth there are, and their figures.
///
/// # Errors
/// [`DbError`] of the query.
pub fn by_depth(tx: &Tx<'_>, content: ContentId) -> Result<Vec<(i64, i64, Figures)>, DbError> {
    let rows = tx.query(
        &format!(
            "select share.depth, count(distinct share.token) as shares, {FIGURES},
                    count(distinct iif(share.visitor is not null, share.token, null)) as forwards
               from {VISITS} where share.content = ?1
              group by share.depth order by share.depth limit 100"
        ),
        &params![content.to_string()],
    )?;
    rows.iter().map(|row| Ok((row.get("depth")?, row.get("shares")?, Figures::from_row(row)?))).collect()
}

/// A known reader of a content.
#[derive(Clone, Debug)]
pub struct Reader {
    /// By which identity; one of several where the customer is known.
    pub who: Identity,
    /// The customer, where it is known.
    pub customer: Option<CustomerId>,
    /// How often.
    pub opens: i64,
    /// For how long together, in milliseconds.
    pub dwell_ms: i64,
    /// How much was seen at the most, in percent.
    pub depth_percent: Option<i64>,
    /// When last.
    pub last_at: UnixMs,
}

/// Known readers, the latest first; at most `most`.
///
/// # Errors
/// [`DbError`] of the query.
pub fn readers(tx: &Tx<'_>, content: ContentId, most: u32) -> Result<Vec<Reader>, DbError> {
    let rows = tx.query(
        "select visit.kind, visit.scope, visit.value, person.customer, count(*) as opens,
                sum(visit.dwell_ms) as dwell_ms, max(visit.depth_percent) as depth_percent, max(visit.opened_at) as last_at
           from content_visit visit
           left join channel_person person
                  on (person.kind, person.scope, person.value) = (visit.kind, visit.scope, visit.value)
          where visit.content = ?1 and visit.kind is not null
          group by coalesce(person.customer, visit.kind || ' ' || visit.scope || ' ' || visit.value)
          order by last_at desc, opens desc limit ?2",
        &params![content.to_string(), most],
    )?;
    let read = |row: &Row| {
        Ok(Reader {
            who: who::of(row)?,
            customer: who::customer(row)?,
            opens: row.get("opens")?,
            dwell_ms: row.get("dwell_ms")?,
            depth_percent: row.get("depth_percent")?,
            last_at: row.instant("last_at")?,
        })
    };
    rows.iter().map(read).collect()
}
