//! Asks rules again of one customer, and does what follows.

use super::Run;
use super::asking::Settling;
use crate::feature::{State, Value};
use crate::store::customer::{self, Person};
use crate::store::subject;
use kit::{DbError, Tx};
use std::collections::{BTreeMap, BTreeSet};

/// How many times tags may make rules be asked again. Rules that feed each other are refused when they are activated, so that no
/// chain is longer.
const MOST_ROUNDS: usize = 16;

/// Which rules are asked.
pub enum Touched<'a> {
    /// All.
    All,
    /// Those that mention one of these keys.
    Keys(BTreeSet<String>),
    /// This one, which may have been taken out of work.
    Rule(&'a str),
}

/// A customer's figures before the event at hand and after it.
pub struct Figures {
    /// Before.
    pub before: State,
    /// After.
    pub now: State,
}

/// Asks rules again of one customer. `figures` are read where they are not given; then the event has not changed them.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn settle(
    tx: &Tx<'_>,
    run: &Run,
    survivor: &str,
    figures: Option<Figures>,
    touched: &Touched<'_>,
) -> Result<(), DbError> {
    let ids = match touched {
        Touched::All => run.rules.ids().map(str::to_owned).collect(),
        Touched::Keys(keys) => run.rules.touched(keys.iter().map(String::as_str)),
        Touched::Rule(id) => BTreeSet::from([(*id).to_owned()]),
    };
    if ids.is_empty() && matches!(touched, Touched::Keys(_)) {
        return Ok(());
    }
    let group = customer::group(tx, survivor)?;
    if group.is_empty() {
        return Ok(());
    }
    let figures = match figures {
        Some(figures) => figures,
        None => {
            let now = subject::of_customer(tx, survivor)?;
            Figures { before: now.clone(), now }
        }
    };
    let mut settling = Settling::new(tx, run, survivor, group, figures);
    let needs_tags = ids.iter().any(|id| run.rules.get(id).is_some_and(|rule| rule.asks_tags));
    let mut pending = ids;
    if needs_tags || !matches!(touched, Touched::Keys(_)) {
        pending.extend(settling.load()?);
    }
    settling.retire(touched, &mut pending)?;
    for round in 0..MOST_ROUNDS {
        if pending.is_empty() {
            break;
        }
        pending = settling.round(&std::mem::take(&mut pending), round)?;
    }
    settling.save(matches!(touched, Touched::All))
}

/// The profile over a customer and all who are part of it: what was told last, by field.
pub fn attributes(group: &[Person]) -> BTreeMap<String, Value> {
    let mut newest: BTreeMap<&String, &(i64, Option<Value>)> = BTreeMap::new();
    for (field, told) in group.iter().flat_map(|person| &person.attributes) {
        let known = newest.entry(field).or_insert(told);
        if told.0 > known.0 {
            *known = told;
        }
    }
    newest.into_iter().filter_map(|(field, (_, value))| Some((field.clone(), value.clone()?))).collect()
}
