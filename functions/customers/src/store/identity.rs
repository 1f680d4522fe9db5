//! Identities, what was seen together, and whose they are.

use crate::partition::{Decision, Fact, Known, Pair, ordered};
use domain::{CustomerId, Identity, IdentityKind};
use kit::db::Row;
use kit::{DbError, Tx, params};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// How many sets of others an identity may be seen with. One that is seen with more (a store's own phone number, typed at the till for
/// everybody) stays with the first and joins nobody else.
const MOST_FACTS: usize = 32;

/// An identity's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRow {
    /// Its key.
    pub id: i64,
    /// The identity.
    pub identity: Identity,
    /// Whose it is; nobody's before it was placed.
    pub customer: Option<CustomerId>,
    /// When it was seen first, Unix milliseconds.
    pub first_seen: i64,
}

impl IdentityRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let scope: String = row.get("scope")?;
        let customer: String = row.get("customer")?;
        Ok(Self {
            id: row.get("id")?,
            identity: Identity {
                kind: kind(&row.get::<String>("kind")?)?,
                scope: (!scope.is_empty()).then_some(scope),
                value: row.get("value")?,
            },
            customer: if customer.is_empty() { None } else { Some(row.parse("customer")?) },
            first_seen: row.get("first_seen")?,
        })
    }
}

fn kind(name: &str) -> Result<IdentityKind, DbError> {
    serde_json::from_value(json!(name)).map_err(|error| DbError::Shape(error.to_string()))
}

const COLUMNS: &str =
    "identity.id, identity.kind, identity.scope, identity.value, identity.customer, identity.first_seen";

/// The rows of identities that are known, in the order of the identities.
///
/// # Errors
/// [`DbError`] of the query.
pub fn find<'a>(tx: &Tx<'_>, identities: impl IntoIterator<Item = &'a Identity>) -> Result<Vec<IdentityRow>, DbError> {
    let asked: Vec<_> = identities
        .into_iter()
        .map(|who| json!([who.kind.as_str(), who.scope.as_deref().unwrap_or_default(), who.value]))
        .collect();
    let rows = tx.query(
        &format!(
            "select {COLUMNS} from json_each(?1) asked
               join identity on identity.kind = asked.value ->> 0 and identity.scope = asked.value ->> 1
                and identity.value = asked.value ->> 2
              order by asked.key"
        ),
        &params![json!(asked).to_string()],
    )?;
    rows.iter().map(IdentityRow::from_row).collect()
}

/// Adds an identity that belongs to nobody yet; its key.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add(tx: &Tx<'_>, who: &Identity, at: i64) -> Result<IdentityRow, DbError> {
    let id = tx.scalar(
        "insert into identity (kind, scope, value, customer, first_seen) values (?1, ?2, ?3, '', ?4) returning id",
        &params![who.kind.as_str(), who.scope.as_deref().unwrap_or_default(), who.value.as_str(), at],
    )?;
    let id = id.ok_or_else(|| DbError::Shape("an insert returned no row".to_owned()))?;
    Ok(IdentityRow { id, identity: who.clone(), customer: None, first_seen: at })
}

/// What a fact that was seen changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// Nothing: it was known.
    Known,
    /// It is new, or older than was known.
    Changed,
}

/// Notes that these were seen together at `at`.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn note_fact(tx: &Tx<'_>, members: &[IdentityRow], at: i64) -> Result<Noted, DbError> {
    let mut hasher = Sha256::new();
    for IdentityRow { identity: Identity { kind, scope, value }, .. } in members {
        for part in [kind.as_str(), scope.as_deref().unwrap_or_default(), value] {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let known: Option<i64> = tx.scalar("select at from identity_fact where digest = ?1", &params![&digest[..]])?;
    if known.is_some_and(|known| known <= at) {
        return Ok(Noted::Known);
    }
    let fact: Option<i64> = tx.scalar(
        "insert into identity_fact (digest, at) values (?1, ?2)
         on conflict (digest) do update set at = min(at, excluded.at)
         returning id",
        &params![&digest[..], at],
    )?;
    let ids: Vec<_> = members.iter().map(|row| row.id).collect();
    tx.run(
        "insert into identity_fact_member (identity, fact) select value, ?2 from json_each(?1) where true
         on conflict do nothing",
        &params![json!(ids).to_string(), fact],
    )?;
    Ok(Noted::Changed)
}

/// All that decides who is who among these identities and whom they reach.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn reach(tx: &Tx<'_>, from: &[IdentityRow]) -> Result<(BTreeMap<Identity, IdentityRow>, Known), DbError> {
    let mut rows: BTreeMap<i64, IdentityRow> = from.iter().map(|row| (row.id, row.clone())).collect();
    let mut waiting: Vec<i64> = rows.keys().copied().collect();
    let mut facts: BTreeMap<i64, (i64, BTreeSet<i64>)> = BTreeMap::new();
    let mut decisions = BTreeSet::new();
    while let Some(identity) = waiting.pop() {
        let mut seen_here = BTreeSet::new();
        for fact in facts_of(tx, identity)? {
            if fact.counts {
                facts.entry(fact.id).or_insert_with(|| (fact.at, BTreeSet::new())).1.insert(identity);
            }
            seen_here.insert(fact.id);
        }
        for row in tx.query(
            "select low, high, same, at from identity_decision where low = ?1
             union all select low, high, same, at from identity_decision where high = ?1",
            &params![identity],
        )? {
            let pair: (i64, i64) = (row.get("low")?, row.get("high")?);
            decisions.insert((row.get::<i64>("at")?, pair, row.get::<bool>("same")?));
            seen_here.insert(0);
        }
        let neighbours = tx.query(
            &format!(
                "select {COLUMNS} from identity_fact_member
                   join identity on identity.id = identity_fact_member.identity
                  where fact in (select value from json_each(?2))
                 union
                 select {COLUMNS} from identity_decision
                   join identity on identity.id in (low, high)
                  where low = ?1 or high = ?1"
            ),
            &params![identity, json!(seen_here).to_string()],
        )?;
        for row in &neighbours {
            let row = IdentityRow::from_row(row)?;
            rows.entry(row.id).or_insert_with(|| {
                waiting.push(row.id);
                row
            });
        }
    }
    let of = |id: &i64| rows.get(id).map(|row| row.identity.clone());
    let pair = |(one, other): &(i64, i64)| -> Option<Pair> { Some(ordered(of(one)?, of(other)?)) };
    let known = Known {
        nodes: rows.values().map(|row| row.identity.clone()).collect(),
        facts: facts
            .values()
            .map(|(at, members)| Fact { at: *at, members: members.iter().filter_map(of).collect() })
            .collect(),
        decisions: decisions
            .iter()
            .filter_map(|(at, ids, same)| Some(Decision { at: *at, pair: pair(ids)?, same: *same }))
            .collect(),
    };
    Ok((rows.into_values().map(|row| (row.identity.clone(), row)).collect(), known))
}

/// A fact as one of its identities has it.
struct Membership {
    id: i64,
    at: i64,
    /// Whether the identity joins the others of the fact.
    counts: bool,
}

/// The facts of an identity. Of one that everybody shows only the first counts; the next few are there to be told so.
fn facts_of(tx: &Tx<'_>, identity: i64) -> Result<Vec<Membership>, DbError> {
    let rows = tx.query(
        "select identity_fact.id, identity_fact.at from identity_fact_member
           join identity_fact on identity_fact.id = identity_fact_member.fact
          where identity_fact_member.identity = ?1
          order by identity_fact.at, identity_fact.digest
          limit ?2",
        &params![identity, i64::try_from(MOST_FACTS + 2).unwrap_or(i64::MAX)],
    )?;
    let shared = rows.len() > MOST_FACTS;
    // Once it is known to be everybody's, those whom it does not join need no second look.
    let look_at = if rows.len() > MOST_FACTS + 1 { 2 } else { rows.len() };
    rows.iter()
        .take(look_at)
        .enumerate()
        .map(|(place, row)| Ok(Membership { id: row.get("id")?, at: row.get("at")?, counts: !shared || place == 0 }))
        .collect()
}

/// The identities of customers, by customer.
///
/// # Errors
/// [`DbError`] of the query.
pub fn of_customer(tx: &Tx<'_>, customer: CustomerId) -> Result<Vec<IdentityRow>, DbError> {
    let rows = tx.query(
        &format!("select {COLUMNS} from identity where customer = ?1 order by first_seen, id"),
        &params![customer.to_string()],
    )?;
    rows.iter().map(IdentityRow::from_row).collect()
}

/// Makes identities a customer's.
///
/// # Errors
/// [`DbError`] of the update.
pub fn assign(tx: &Tx<'_>, identities: &[i64], customer: CustomerId) -> Result<(), DbError> {
    tx.run(
        "update identity set customer = ?2 where id in (select value from json_each(?1))",
        &params![json!(identities).to_string(), customer.to_string()],
    )
}

/// Writes what a person has decided of pairs of identities.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn decide(tx: &Tx<'_>, pairs: &[(i64, i64)], same: bool, by: &str, reason: &str) -> Result<(), DbError> {
    let pairs: Vec<_> = pairs.iter().map(|(one, other)| ordered(*one, *other)).collect();
    tx.run(
        "insert into identity_decision (low, high, same, by, reason, at)
         select value ->> 0, value ->> 1, ?2, ?3, ?4, ?5 from json_each(?1) where true
         on conflict (low, high) do update
             set same = excluded.same, by = excluded.by, reason = excluded.reason, at = excluded.at",
        &params![json!(pairs).to_string(), same, by, reason, tx.cx().now.millis()],
    )
}

/// Takes back what people have decided between two sets of identities.
///
/// # Errors
/// [`DbError`] of the statement.
pub fn forget_decisions(tx: &Tx<'_>, ones: &[i64], others: &[i64], same: bool) -> Result<(), DbError> {
    tx.run(
        "delete from identity_decision
          where same = ?3
            and ((low in (select value from json_each(?1)) and high in (select value from json_each(?2)))
              or (low in (select value from json_each(?2)) and high in (select value from json_each(?1))))",
        &params![json!(ones).to_string(), json!(others).to_string(), same],
    )
}
