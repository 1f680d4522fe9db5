//! Identities and their figures.

use super::json;
use crate::feature::State;
use domain::Identity;
use kit::db::Row;
use kit::{DbError, Tx, params};
use std::collections::BTreeSet;

/// An identity with its figures.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its row.
    pub id: i64,
    /// The customer whose it is, as far as was told; after a merge the one who stayed.
    pub customer: Option<String>,
    /// Its figures.
    pub state: State,
}

impl Subject {
    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self { id: row.get("id")?, customer: row.get("customer")?, state: row.json("state")? })
    }
}

/// An identity and all others of its customer.
#[derive(Clone, Debug)]
pub struct Own {
    /// The identity.
    pub subject: Subject,
    /// The others.
    pub others: Vec<Subject>,
}

const COLUMNS: &str = "subject.id, member.survivor as customer, subject.state";

/// An identity and all others of its customer. Makes its row if there is none.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn with_others(tx: &Tx<'_>, identity: &Identity) -> Result<Own, DbError> {
    let key = params![identity.kind.as_str(), identity.scope.as_deref().unwrap_or_default(), identity.value.as_str()];
    if let Some(own) = find(tx, "kind = ?1 and scope = ?2 and value = ?3", &key)? {
        return Ok(own);
    }
    let id = tx.scalar("insert into subject (kind, scope, value) values (?1, ?2, ?3) returning id", &key)?;
    let id = id.ok_or_else(|| DbError::Shape("an insert returned no row".to_owned()))?;
    Ok(Own { subject: Subject { id, customer: None, state: State::default() }, others: Vec::new() })
}

/// The same by the row of the identity.
///
/// # Errors
/// [`DbError`] of the statements; [`DbError::Shape`] when there is no such row.
pub fn with_others_of(tx: &Tx<'_>, id: i64) -> Result<Own, DbError> {
    find(tx, "subject.id = ?1", &params![id])?.ok_or_else(|| DbError::Shape(format!("no subject {id}")))
}

fn find(tx: &Tx<'_>, which: &str, key: &[kit::db::Value]) -> Result<Option<Own>, DbError> {
    let rows = tx.query(
        &format!(
            "with own as materialized (
                 select {COLUMNS} from subject left join tagging_customer as member on member.id = subject.customer where {which})
             select id, customer, state, 0 as further from own
             union all
             select {COLUMNS}, 1
               from own
              cross join tagging_customer as member on member.survivor = own.customer
              cross join subject on subject.customer = member.id and subject.id <> own.id
              order by further"
        ),
        key,
    )?;
    let Some((own, others)) = rows.split_first() else { return Ok(None) };
    let others = others.iter().map(Subject::read).collect::<Result<_, _>>()?;
    Ok(Some(Own { subject: Subject::read(own)?, others }))
}

/// Keeps an identity's figures.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn save(tx: &Tx<'_>, id: i64, state: &State) -> Result<(), DbError> {
    tx.run("update subject set state = ?2 where id = ?1", &params![id, json(state)?])
}

/// The figures of a customer and all who are part of it: the sum over their identities.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_customer(tx: &Tx<'_>, customer: &str) -> Result<State, DbError> {
    let mut sum = State::default();
    let rows = tx.query(
        "select state from tagging_customer as member join subject on subject.customer = member.id where member.survivor = ?1",
        &params![customer],
    )?;
    for row in rows {
        sum.merge(&row.json("state")?);
    }
    Ok(sum)
}

/// Whose these identities are; without repetition.
///
/// # Errors
/// [`DbError`] of the query.
pub fn owners(tx: &Tx<'_>, identities: &[Identity]) -> Result<BTreeSet<String>, DbError> {
    tx.query(
        "select distinct customer as v
           from json_each(?1) as told
           join subject on kind = told.value ->> 0 and scope = told.value ->> 1 and subject.value = told.value ->> 2
          where customer is not null",
        &params![list(identities)],
    )?
    .iter()
    .map(|row| row.get("v"))
    .collect()
}

/// These identities are this customer's from now on.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn give(tx: &Tx<'_>, customer: &str, identities: &[Identity]) -> Result<(), DbError> {
    tx.run(
        "insert into subject (kind, scope, value, customer)
         select told.value ->> 0, told.value ->> 1, told.value ->> 2, ?1 from json_each(?2) as told where true
         on conflict (kind, scope, value) do update set customer = excluded.customer",
        &params![customer, list(identities)],
    )
}

fn list(identities: &[Identity]) -> String {
    let rows: Vec<_> = identities
        .iter()
        .map(|own| (own.kind.as_str(), own.scope.as_deref().unwrap_or_default(), own.value.as_str()))
        .collect();
    serde_json::json!(rows).to_string()
}
