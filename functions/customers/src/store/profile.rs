//! Profiles: fields and their values, names, what came with events, consent.

use crate::profile::{Field, Given};
use domain::{AttributeValue, CustomerId, Identity, IdentityKind, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The fields that the merchant has defined and not retired.
///
/// # Errors
/// [`DbError`] of the query.
pub fn fields(tx: &Tx<'_>) -> Result<BTreeMap<String, Field>, DbError> {
    let rows = tx.query(
        "select name, label, type, choices, minimum, maximum from profile_field where retired_at is null order by name",
        &[],
    )?;
    rows.iter().map(|row| Ok((row.get("name")?, field(row)?))).collect()
}

fn field(row: &Row) -> Result<Field, DbError> {
    let form: String = row.get("type")?;
    Ok(Field {
        label: row.get("label")?,
        form: serde_json::from_value(json!(form)).map_err(|error| DbError::Shape(error.to_string()))?,
        choices: row.json("choices")?,
        minimum: row.get("minimum")?,
        maximum: row.get("maximum")?,
    })
}

/// Defines a field, or defines it anew. The type of one that exists stays. Tells whether it was written.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn define(tx: &Tx<'_>, name: &str, field: &Field) -> Result<bool, DbError> {
    let written = tx.query_one(
        "insert into profile_field (name, label, type, choices, minimum, maximum, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         on conflict (name) do update
             set label = excluded.label, choices = excluded.choices, minimum = excluded.minimum,
                 maximum = excluded.maximum, retired_at = null
           where profile_field.type = excluded.type
         returning 1 as written",
        &params![
            name,
            field.label.as_str(),
            field.form.as_str(),
            json!(field.choices).to_string(),
            field.minimum,
            field.maximum,
            tx.cx().now.millis()
        ],
    )?;
    Ok(written.is_some())
}

/// Retires a field: its values stay, new ones are refused. Tells whether there was one.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn retire(tx: &Tx<'_>, name: &str) -> Result<bool, DbError> {
    let sql = "update profile_field set retired_at = ?2 where name = ?1 and retired_at is null";
    Ok(tx.execute(sql, &params![name, tx.cx().now.millis()])? > 0)
}

/// The words that the merchant listens for.
///
/// # Errors
/// [`DbError`] of the query.
pub fn keywords(tx: &Tx<'_>) -> Result<Vec<String>, DbError> {
    tx.query("select word from keyword order by word", &[])?.iter().map(|row| row.get("word")).collect()
}

/// Replaces the words that the merchant listens for.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn replace_keywords(tx: &Tx<'_>, words: &[String]) -> Result<(), DbError> {
    let words = json!(words).to_string();
    tx.run("delete from keyword where word not in (select value from json_each(?1))", &params![words.as_str()])?;
    tx.run(
        "insert into keyword (word, created_at) select value, ?2 from json_each(?1) where true on conflict do nothing",
        &params![words, tx.cx().now.millis()],
    )
}

/// Keeps what came with an event, sealed.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add_intake(tx: &Tx<'_>, event_id: &str, sealed: Vec<u8>) -> Result<(), DbError> {
    tx.run("insert into intake (event_id, sealed) values (?1, ?2)", &params![event_id, sealed])
}

/// What came with an event; from now on it belongs to an identity.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn claim_intake(tx: &Tx<'_>, event_id: &str, identity: i64) -> Result<Option<Vec<u8>>, DbError> {
    tx.scalar("update intake set identity = ?2 where event_id = ?1 returning sealed", &params![event_id, identity])
}

/// Keeps the clear value of an identity that is a hash, sealed.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn keep_clear(tx: &Tx<'_>, who: &Identity, sealed: Vec<u8>) -> Result<(), DbError> {
    tx.run(
        "insert into identity_clear (kind, value, sealed) values (?1, ?2, ?3) on conflict do nothing",
        &params![who.kind.as_str(), who.value.as_str(), sealed],
    )
}

/// Notes what hints at who an identity is.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn hint(tx: &Tx<'_>, identity: i64, hint: &Identity, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "insert into identity_hint (kind, value, identity, at) values (?1, ?2, ?3, ?4) on conflict do nothing",
        &params![hint.kind.as_str(), hint.value.as_str(), identity, at.millis()],
    )
}

/// A customer's name as of `at`, sealed, and the keyed hashes of its beginnings, by which it is found. An older name changes nothing.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn set_name(tx: &Tx<'_>, id: CustomerId, sealed: Vec<u8>, at: UnixMs, prefixes: &[String]) -> Result<(), DbError> {
    let id = id.to_string();
    let newest = "update customer set name = ?2, name_at = ?3 where id = ?1 and (name_at is null or name_at <= ?3)";
    if tx.execute(newest, &params![id.as_str(), sealed, at.millis()])? == 0 {
        return Ok(());
    }
    tx.run("delete from customer_name_prefix where customer = ?1", &params![id.as_str()])?;
    tx.run(
        "insert into customer_name_prefix (hash, customer) select value, ?2 from json_each(?1) where true
         on conflict do nothing",
        &params![json!(prefixes).to_string(), id],
    )
}

/// The name that WeCom has told of one of these contacts, sealed by channels, and when.
///
/// # Errors
/// [`DbError`] of the query.
pub fn contact_name(tx: &Tx<'_>, identities: &BTreeSet<Identity>) -> Result<Option<(Vec<u8>, UnixMs)>, DbError> {
    for who in identities.iter().filter(|who| who.kind == IdentityKind::WecomExternalUserId) {
        let row = tx.query_one(
            "select name, asked_at from contact_detail where contact = ?1 and name is not null",
            &params![who.value.as_str()],
        )?;
        if let Some(row) = row {
            return Ok(Some((row.get("name")?, row.instant("asked_at")?)));
        }
    }
    Ok(None)
}

/// A value of a field, and where it comes from.
#[derive(Clone, Debug)]
pub struct NewAttribute<'a> {
    /// The field.
    pub field: &'a str,
    /// The value, free text sealed; nothing takes it away.
    pub value: Option<Kept>,
    /// When it was true.
    pub at: UnixMs,
    /// Who told: the type of an event, `staff`, `import`.
    pub source: &'a str,
    /// The person who entered it.
    pub by: Option<&'a str>,
}

/// A value as it is kept.
#[derive(Clone, Debug)]
pub enum Kept {
    /// In clear.
    Clear(AttributeValue),
    /// Free text, sealed.
    Sealed(Vec<u8>),
}

/// Writes a value of a customer's profile. Tells whether it is the newest of its field over the customer's group.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn set_attribute(tx: &Tx<'_>, id: CustomerId, new: &NewAttribute<'_>) -> Result<bool, DbError> {
    let (value, sealed) = match &new.value {
        None => (None, None),
        Some(Kept::Clear(value)) => (Some(json!(value).to_string()), None),
        Some(Kept::Sealed(sealed)) => (None, Some(sealed.clone())),
    };
    let id = id.to_string();
    tx.run(
        "insert into customer_attribute (customer, field, at, source, value, sealed, by)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         on conflict (customer, field, at, source) do update
             set value = excluded.value, sealed = excluded.sealed, by = excluded.by",
        &params![id.as_str(), new.field, new.at.millis(), new.source, value, sealed, new.by],
    )?;
    let newer: Option<i64> = tx.scalar(
        "select 1 from customer_attribute
          where customer in (select id from customer where survivor = ?1) and field = ?2 and (at, source) > (?3, ?4)
          limit 1",
        &params![id, new.field, new.at.millis(), new.source],
    )?;
    Ok(newer.is_none())
}

/// How a given value is kept: free text goes through `seal`.
///
/// # Errors
/// What `seal` returns.
pub fn kept<E>(given: Given, seal: impl FnOnce(&str) -> Result<Vec<u8>, E>) -> Result<Kept, E> {
    match given {
        Given::Value(value) => Ok(Kept::Clear(value)),
        Given::Text(text) => seal(&text).map(Kept::Sealed),
    }
}

/// Writes a consent, or its withdrawal.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn consent(
    tx: &Tx<'_>,
    id: CustomerId,
    purpose: &str,
    granted: bool,
    source: &str,
    by: &str,
) -> Result<(), DbError> {
    write_consent(tx, id, purpose, granted, source, Some(by), tx.cx().now)
}

/// Writes a consent of that time, or its withdrawal, that no person has entered.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn consent_at(
    tx: &Tx<'_>,
    id: CustomerId,
    purpose: &str,
    granted: bool,
    source: &str,
    at: UnixMs,
) -> Result<(), DbError> {
    write_consent(tx, id, purpose, granted, source, None, at)
}

fn write_consent(
    tx: &Tx<'_>,
    id: CustomerId,
    purpose: &str,
    granted: bool,
    source: &str,
    by: Option<&str>,
    at: UnixMs,
) -> Result<(), DbError> {
    tx.run(
        "insert into customer_consent (customer, purpose, at, granted, source, by) values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (customer, purpose, at) do update
             set granted = excluded.granted, source = excluded.source, by = excluded.by",
        &params![id.to_string(), purpose, at.millis(), granted, source, by],
    )
}
