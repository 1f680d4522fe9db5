//! Identities in rows: three columns, `kind`, `scope` and `value`.

use domain::{CustomerId, Identity, IdentityKind};
use kit::db::{Row, Value};
use kit::{DbError, Tx, params};
use serde_json::json;

/// An identity as three parameters.
pub fn columns(who: &Identity) -> [Value; 3] {
    params![who.kind.as_str(), who.scope.as_deref().unwrap_or_default(), who.value.as_str()]
}

/// Identities as one parameter: a JSON list of lists of three.
pub fn keys(identities: &[Identity]) -> String {
    let list: Vec<_> = identities
        .iter()
        .map(|who| json!([who.kind.as_str(), who.scope.as_deref().unwrap_or_default(), who.value]))
        .collect();
    json!(list).to_string()
}

/// The identity of a row.
///
/// # Errors
/// [`DbError::Shape`] when the columns are missing or hold another kind.
pub fn of(row: &Row) -> Result<Identity, DbError> {
    some(row)?.ok_or_else(|| DbError::Shape("column kind holds nothing".to_owned()))
}

/// The identity of a row, where it has one.
///
/// # Errors
/// [`DbError::Shape`] when the columns are missing or hold another kind.
pub fn some(row: &Row) -> Result<Option<Identity>, DbError> {
    let Some(kind) = row.get::<Option<String>>("kind")? else { return Ok(None) };
    let kind: IdentityKind = serde_json::from_value(json!(kind))
        .map_err(|error| DbError::Shape(format!("column kind does not parse: {error}")))?;
    let scope: String = row.get("scope")?;
    Ok(Some(Identity { kind, scope: Some(scope).filter(|scope| !scope.is_empty()), value: row.get("value")? }))
}

/// The customer of a row, where it is known.
///
/// # Errors
/// [`DbError::Shape`] when the column is missing or no id.
pub fn customer(row: &Row) -> Result<Option<CustomerId>, DbError> {
    match row.get::<Option<String>>("customer")? {
        None => Ok(None),
        Some(_) => row.parse("customer").map(Some),
    }
}

/// All identities of the person whose identity this is, as far as is known: itself among them.
///
/// # Errors
/// [`DbError`] of the query.
pub fn person(tx: &Tx<'_>, who: &Identity) -> Result<Vec<Identity>, DbError> {
    let rows = tx.query(
        "select other.kind, other.scope, other.value
           from channel_person own
           join channel_person other on other.customer = own.customer
          where own.kind = ?1 and own.scope = ?2 and own.value = ?3
          order by other.kind, other.scope, other.value",
        &columns(who),
    )?;
    let mut person: Vec<Identity> = rows.iter().map(of).collect::<Result<_, _>>()?;
    if person.is_empty() {
        person.push(who.clone());
    }
    Ok(person)
}
