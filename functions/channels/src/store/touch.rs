//! Touches, and what became of who came.

use crate::touch::{Bond, Told, Way};
use domain::day::{self, Day};
use domain::{CustomerId, Identity, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde::{Deserialize, Serialize};

/// The text under which an identity is a person of its own, until it is known whose it is.
pub fn person_of(who: &Identity, customer: Option<CustomerId>) -> String {
    let alone = || format!("{}:{}:{}", who.kind.as_str(), who.scope.as_deref().unwrap_or_default(), who.value);
    customer.map_or_else(alone, |customer| customer.to_string())
}

fn scope(who: &Identity) -> &str {
    who.scope.as_deref().unwrap_or_default()
}

/// Counts a scan.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn count_scan(tx: &Tx<'_>, way: &Way, day: Day) -> Result<(), DbError> {
    let (code, store) = (way.code.as_deref().unwrap_or_default(), way.store.as_deref().unwrap_or_default());
    tx.run(
        "insert into channel_scan (day, channel, code, store, scans) values (?1, ?2, ?3, ?4, 1)
         on conflict (day, channel, code, store) do update set scans = scans + 1",
        &params![day, way.channel.as_str(), code, store],
    )
}

/// Notes that somebody came by a way, however often it came by that before. Tells whether that is news.
///
/// The platform tells of who follows by a code in two events of one instant, of which the first does not name the code: they are one touch.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn came(tx: &Tx<'_>, told: &Told, way: &Way, person: &str) -> Result<bool, DbError> {
    let mut way = way.clone();
    let mut joins = told.joins;
    if way.code.is_none() {
        way.code = twin(tx, told, &way)?.map(|twin| twin.code);
    } else if let Some(nameless) = twin(tx, told, &way)? {
        tx.run("delete from touch_time where touch = ?1 and at = ?2", &params![nameless.touch, told.at.millis()])?;
        refresh(tx, nameless.touch)?;
        joins |= nameless.joins;
    }
    let touch = touch(tx, &told.who, &way, person, told.at)?;
    let news = tx.execute(
        "insert into touch_time (touch, at, store, joins) values (?1, ?2, ?3, ?4)
         on conflict (touch, at, store) do update set joins = 1 where joins < excluded.joins",
        &params![touch, told.at.millis(), way.store.as_deref().unwrap_or_default(), joins],
    )?;
    if news > 0 {
        refresh(tx, touch)?;
    }
    Ok(news > 0)
}

/// What was told of the same instant with a code, for a way without one; without a code, for a way with one.
struct Twin {
    touch: i64,
    code: String,
    joins: bool,
}

fn twin(tx: &Tx<'_>, told: &Told, way: &Way) -> Result<Option<Twin>, DbError> {
    let Told { who, at, .. } = told;
    let row = tx.query_one(
        "select touch.id, touch.code, max(touch_time.joins) as joins
           from touch join touch_time on touch_time.touch = touch.id
          where kind = ?1 and scope = ?2 and value = ?3 and channel = ?4 and staff = ?5 and touch_time.at = ?6 and (code = '') = ?7
          group by touch.id
          order by code limit 1",
        &params![
            who.kind.as_str(),
            scope(who),
            who.value.as_str(),
            way.channel.as_str(),
            way.staff.as_deref().unwrap_or_default(),
            at.millis(),
            way.code.is_some(),
        ],
    )?;
    row.map(|row| Ok(Twin { touch: row.get("id")?, code: row.get("code")?, joins: row.get("joins")? })).transpose()
}

/// The row of an identity and a way.
fn touch(tx: &Tx<'_>, who: &Identity, way: &Way, person: &str, at: UnixMs) -> Result<i64, DbError> {
    let id = tx.scalar(
        "insert into touch (kind, scope, value, person, channel, code, staff, at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         on conflict (kind, scope, value, channel, code, staff) do update set at = touch.at
         returning id",
        &params![
            who.kind.as_str(),
            scope(who),
            who.value.as_str(),
            person,
            way.channel.as_str(),
            way.code.as_deref().unwrap_or_default(),
            way.staff.as_deref().unwrap_or_default(),
            at.millis(),
        ],
    )?;
    id.ok_or_else(|| DbError::Shape("an insert returned no row".to_owned()))
}

/// Brings a touch up to date with its times: where and when the first was, and the first by which somebody joined. Without any it goes.
fn refresh(tx: &Tx<'_>, touch: i64) -> Result<(), DbError> {
    let times = tx.query_one(
        "select min(at) as at, min(iif(joins, at, null)) as added_at from touch_time where touch = ?1",
        &params![touch],
    )?;
    let times = times.map(|row| Ok::<_, DbError>((row.get("at")?, row.get("added_at")?))).transpose()?;
    let Some((Some(at), added_at)): Option<(Option<i64>, Option<i64>)> = times else {
        return tx.run("delete from touch where id = ?1", &params![touch]);
    };
    let added_day = added_at.and_then(|at| UnixMs::from_millis(at).ok()).map(day::of);
    tx.run(
        "update touch
            set at = ?2, added_at = ?3, added_day = ?4,
                store = (select nullif(min(store), '') from touch_time where touch = ?1 and at = ?2),
                replied_day = iif(?3 is null, null, replied_day), lost_day = iif(?3 is null, null, lost_day)
          where id = ?1",
        &params![touch, at, added_at, added_day],
    )
}

/// Notes that a bond began or ended, and whether who came by a touch is gone.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn bond(tx: &Tx<'_>, who: &Identity, at: UnixMs, bond: &Bond) -> Result<(), DbError> {
    let staff = bond.staff.as_deref().unwrap_or_default();
    let identity = params![who.kind.as_str(), scope(who), who.value.as_str(), staff, at.millis(), day::of(at)];
    if bond.began {
        tx.run(
            "insert into touch_bond (kind, scope, value, staff, added_at) values (?1, ?2, ?3, ?4, ?5)
             on conflict (kind, scope, value, staff) do update
                 set added_at = max(coalesce(touch_bond.added_at, excluded.added_at), excluded.added_at)",
            identity.split_at(5).0,
        )
    } else {
        tx.run(
            "insert into touch_bond (kind, scope, value, staff, removed_at, removed_day) values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (kind, scope, value, staff) do update
                 set removed_at = excluded.removed_at, removed_day = excluded.removed_day
               where touch_bond.removed_at is null or touch_bond.removed_at < excluded.removed_at",
            &identity,
        )
    }
}

/// Brings up to date which touches of an identity were lost: those whose bond has ended and not begun again.
///
/// # Errors
/// [`DbError`] of the update.
pub fn refresh_losses(tx: &Tx<'_>, who: &Identity) -> Result<(), DbError> {
    tx.run(
        "update touch
            set lost_day = (select bond.removed_day from touch_bond bond
                             where (bond.kind, bond.scope, bond.value, bond.staff)
                                   = (touch.kind, touch.scope, touch.value, touch.staff)
                               and bond.removed_at >= coalesce(bond.added_at, 0) and bond.removed_at >= touch.added_at)
          where kind = ?1 and scope = ?2 and value = ?3 and added_at is not null",
        &params![who.kind.as_str(), scope(who), who.value.as_str()],
    )
}

/// Notes that somebody wrote.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn wrote(tx: &Tx<'_>, who: &Identity, at: UnixMs, person: &str) -> Result<(), DbError> {
    tx.run(
        "insert into touch_message (kind, scope, value, day, person, last_at) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (kind, scope, value, day) do update set last_at = max(touch_message.last_at, excluded.last_at)",
        &params![who.kind.as_str(), scope(who), who.value.as_str(), day::of(at), person, at.millis()],
    )
}

/// Brings up to date when a person first wrote after each time that it came.
///
/// # Errors
/// [`DbError`] of the update.
pub fn refresh_replies(tx: &Tx<'_>, person: &str) -> Result<(), DbError> {
    tx.run(
        "update touch
            set replied_day = (select min(message.day) from touch_message message
                                where message.person = touch.person and message.last_at >= touch.added_at)
          where person = ?1 and added_at is not null",
        &params![person],
    )
}

/// A person's touches of a stretch of time, both ends included.
///
/// # Errors
/// [`DbError`] of the query.
pub fn between(tx: &Tx<'_>, person: &str, from: i64, to: i64) -> Result<Vec<(UnixMs, Way)>, DbError> {
    let rows = tx.query(
        "select touch_time.at, channel, code, touch_time.store, staff
           from touch join touch_time on touch_time.touch = touch.id
          where person = ?1 and touch_time.at between ?2 and ?3
          order by touch_time.at, touch.id, touch_time.store",
        &params![person, from, to],
    )?;
    rows.iter().map(|row| Ok((row.instant("at")?, way(row)?))).collect()
}

/// The way of a row.
///
/// # Errors
/// [`DbError::Shape`] for a row of something else.
pub fn way(row: &Row) -> Result<Way, DbError> {
    let named = |column: &str| Ok::<_, DbError>(row.get::<Option<String>>(column)?.filter(|text| !text.is_empty()));
    Ok(Way { channel: row.get("channel")?, code: named("code")?, store: named("store")?, staff: named("staff")? })
}

/// A place in the list of touches.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// When the touch was, Unix milliseconds.
    pub at: i64,
    /// Its key.
    pub id: i64,
}

/// A person's touches, newest first, as a store's subtree and a member of staff may see them.
///
/// # Errors
/// [`DbError`] of the query.
pub fn list(
    tx: &Tx<'_>,
    person: &str,
    store: &str,
    staff: Option<&str>,
    after: Option<Mark>,
    most: u32,
) -> Result<Vec<Row>, DbError> {
    let Mark { at, id } = after.unwrap_or(Mark { at: i64::MAX, id: i64::MAX });
    tx.query(
        "select id, channel, code, store, staff, at, added_at, replied_day, lost_day from touch
          where person = ?1
            and (?2 = '/' or store = ?2 or substr(store, 1, length(?2) + 1) = ?2 || '/')
            and (?3 is null or staff = ?3)
            and (at, id) < (?4, ?5)
          order by at desc, id desc
          limit ?6",
        &params![person, store, staff, at, id, most],
    )
}

/// The customer who stands for this one: itself, or whom it was merged into.
///
/// # Errors
/// [`DbError`] of the query.
pub fn survivor(tx: &Tx<'_>, customer: CustomerId) -> Result<CustomerId, DbError> {
    let row = tx.query_one("select survivor from customer where id = ?1", &params![customer.to_string()])?;
    row.map_or(Ok(customer), |row| row.parse("survivor"))
}

/// A person was erased: what it did stays as a figure, who it was goes. Before its identities are forgotten.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn forget(tx: &Tx<'_>, customer: CustomerId) -> Result<(), DbError> {
    let id = customer.to_string();
    for sql in [
        "delete from touch_bond
          where (kind, scope, value) in (select kind, scope, value from channel_person where customer = ?1)",
        "delete from touch_message where person = ?1",
        "update touch set kind = 'erased', scope = '', value = person || '/' || id where person = ?1",
        "update attributed_order set kind = 'erased', scope = '', value = person where person = ?1",
    ] {
        tx.run(sql, &params![id.as_str()])?;
    }
    Ok(())
}
