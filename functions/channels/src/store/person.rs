//! Whose an identity is, as customers tell by events.

use super::who;
use domain::{ChannelCodeId, CustomerId, Identity, IdentityKind, UnixMs};
use kit::{DbError, Tx, params};

/// Identities are a customer's from now on.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn identified(tx: &Tx<'_>, customer: CustomerId, identities: &[Identity]) -> Result<(), DbError> {
    tx.run(
        "insert into channel_person (kind, scope, value, customer)
         select value ->> 0, value ->> 1, value ->> 2, ?2 from json_each(?1) where true
         on conflict (kind, scope, value) do update set customer = excluded.customer",
        &params![who::keys(identities), customer.to_string()],
    )
}

/// The customer whose an identity is now.
///
/// # Errors
/// [`DbError`] of the query.
pub fn customer_of(tx: &Tx<'_>, who: &Identity) -> Result<Option<CustomerId>, DbError> {
    let row = tx.query_one(
        "select customer from channel_person where kind = ?1 and scope = ?2 and value = ?3",
        &params![who.kind.as_str(), who.scope.as_deref().unwrap_or_default(), who.value.as_str()],
    )?;
    row.map(|row| row.parse("customer")).transpose()
}

/// A customer's values of one kind of identity.
///
/// # Errors
/// [`DbError`] of the query.
pub fn values_of(tx: &Tx<'_>, customer: CustomerId, kind: IdentityKind) -> Result<Vec<String>, DbError> {
    let rows = tx.query(
        "select value from channel_person where customer = ?1 and kind = ?2 order by value",
        &params![customer.to_string(), kind.as_str()],
    )?;
    rows.iter().map(|row| row.get("value")).collect()
}

/// All of a customer's identities.
///
/// # Errors
/// [`DbError`] of the query.
pub fn identities_of(tx: &Tx<'_>, customer: CustomerId) -> Result<Vec<Identity>, DbError> {
    let rows = tx.query(
        "select kind, scope, value from channel_person where customer = ?1 order by kind, scope, value",
        &params![customer.to_string()],
    )?;
    rows.iter().map(who::of).collect()
}

/// Forgets whose identities these were; what people wrote goes with them.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn forget(tx: &Tx<'_>, customer: CustomerId) -> Result<(), DbError> {
    let id = customer.to_string();
    tx.run(
        "delete from inbound_message
          where (kind, account, value) in (select kind, scope, value from channel_person where customer = ?1)",
        &params![id.as_str()],
    )?;
    tx.run("delete from channel_person where customer = ?1", &params![id])
}

/// The tags of a code wait until it is known whose an identity is.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn wait_for(tx: &Tx<'_>, who: &Identity, code: ChannelCodeId, at: UnixMs) -> Result<(), DbError> {
    tx.run(
        "insert into code_tagging (kind, scope, value, code, at) values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
        &params![
            who.kind.as_str(),
            who.scope.as_deref().unwrap_or_default(),
            who.value.as_str(),
            code.to_string(),
            at.millis(),
        ],
    )
}

/// The codes by which these identities came before anybody knew whose they are; they wait no longer.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn waited(tx: &Tx<'_>, identities: &[Identity]) -> Result<Vec<(ChannelCodeId, UnixMs)>, DbError> {
    let rows = tx.query(
        "delete from code_tagging
          where (kind, scope, value) in (select value ->> 0, value ->> 1, value ->> 2 from json_each(?1))
         returning code, at",
        &params![who::keys(identities)],
    )?;
    rows.iter().map(|row| Ok((row.parse("code")?, row.instant("at")?))).collect()
}
