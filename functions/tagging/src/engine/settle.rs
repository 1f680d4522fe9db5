//! Asks rules again of one customer, and does what follows.

use super::carried::{Carried, Given};
use super::{Run, SOURCE};
use crate::day::Day;
use crate::feature::{State, Value};
use crate::rule::{Effect, Kind, Rule, View};
use crate::store::customer::{self, Matched, Person};
use crate::store::tag::Origin;
use crate::store::{engine, subject};
use domain::{CustomerId, Event, RuleMatched, TagId, Version};
use kit::{DbError, Tx, events};
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

struct Settling<'a> {
    tx: &'a Tx<'a>,
    run: &'a Run,
    survivor: &'a str,
    group: Vec<Person>,
    attributes: BTreeMap<String, Value>,
    figures: Figures,
    carried: Option<Carried>,
    tags: BTreeSet<TagId>,
    due: Option<Day>,
    changed: BTreeSet<String>,
}

/// What has become of a rule.
enum Edge {
    Rose,
    Renewed,
    Fell,
}

impl<'a> Settling<'a> {
    fn new(tx: &'a Tx<'a>, run: &'a Run, survivor: &'a str, group: Vec<Person>, figures: Figures) -> Self {
        let attributes = attributes(&group);
        let (carried, tags, due, changed) = (None, BTreeSet::new(), None, BTreeSet::new());
        Self { tx, run, survivor, group, attributes, figures, carried, tags, due, changed }
    }

    fn view(&self) -> View<'_> {
        View {
            state: &self.figures.now,
            before: &self.figures.before,
            stage: self.group.first().and_then(|person| person.stage),
            attributes: &self.attributes,
            tags: &self.tags,
            today: self.run.today,
            at: self.run.at,
        }
    }

    /// Loads the tags, without those whose time is over. Tells the rules that mention what went.
    fn load(&mut self) -> Result<BTreeSet<String>, DbError> {
        if self.carried.is_some() {
            return Ok(BTreeSet::new());
        }
        let group: Vec<&str> = self.group.iter().map(|person| person.id.as_str()).collect();
        let mut carried = Carried::load(self.tx, &group)?;
        let gone = carried.change(self.tx, self.run, None, None, |carried| carried.expire(self.tx, self.run))?;
        self.tags = carried.tags();
        self.carried = Some(carried);
        Ok(self.run.rules.asking(&gone))
    }

    /// The version under which a rule holds, for the customer or one who is part of it.
    fn matched(&self, id: &str) -> Option<i64> {
        self.group.iter().find_map(|person| person.matched.get(id)).map(|matched| matched.version)
    }

    /// What rules that are no longer at work have left goes as if they held no longer.
    fn retire(&mut self, touched: &Touched<'_>, pending: &mut BTreeSet<String>) -> Result<(), DbError> {
        let held = self.group.iter().flat_map(|person| person.matched.keys());
        let gone: BTreeSet<String> = match touched {
            Touched::Keys(_) => return Ok(()),
            Touched::All => held.filter(|id| self.run.rules.get(id).is_none()).cloned().collect(),
            Touched::Rule(id) => held.filter(|held| held == id && self.run.rules.get(id).is_none()).cloned().collect(),
        };
        for id in gone {
            self.fall(&id);
            engine::leave(self.tx, &id, self.survivor)?;
            let changed = self.retag(&id, |carried, tx, id| {
                carried.take(tx, |reason| reason.lasting && reason.rule.as_deref() == Some(id))
            })?;
            pending.extend(changed);
        }
        Ok(())
    }

    /// Asks these rules, then does what follows, by their ids. Tells the rules that mention tags that came or went.
    fn round(&mut self, ids: &BTreeSet<String>, round: usize) -> Result<BTreeSet<String>, DbError> {
        let run = self.run;
        let mut edges = Vec::new();
        let mut due = self.due;
        for rule in ids.iter().filter_map(|id| run.rules.get(id)) {
            let view = self.view();
            let edge = if rule.momentary {
                let rises = round == 0 && !run.quiet && rule.condition.is_touched(&view) && rule.condition.holds(&view);
                rises.then_some(Edge::Rose)
            } else {
                due = rule.condition.next_change(&view).into_iter().chain(due).min();
                match (self.matched(&rule.id), rule.condition.holds(&view)) {
                    (None, true) => Some(Edge::Rose),
                    (Some(version), true) if version != rule.version => Some(Edge::Renewed),
                    (Some(_), false) => Some(Edge::Fell),
                    _ => None,
                }
            };
            edges.extend(edge.map(|edge| (rule, edge)));
        }
        self.due = due;
        let mut next = BTreeSet::new();
        for (rule, edge) in edges {
            next.extend(self.follow(rule, &edge)?);
        }
        Ok(next)
    }

    fn follow(&mut self, rule: &Rule, edge: &Edge) -> Result<BTreeSet<String>, DbError> {
        match edge {
            Edge::Fell => {
                self.fall(&rule.id);
                if rule.kind == Kind::Segment {
                    engine::leave(self.tx, &rule.id, self.survivor)?;
                    return Ok(BTreeSet::new());
                }
                if !rule.effects.iter().any(|effect| effect.while_true) {
                    return Ok(BTreeSet::new());
                }
                self.retag(&rule.id, |carried, tx, id| {
                    carried.take(tx, |reason| reason.lasting && reason.rule.as_deref() == Some(id))
                })
            }
            Edge::Rose | Edge::Renewed => {
                if !rule.momentary {
                    self.rise(rule);
                }
                if rule.kind == Kind::Segment {
                    engine::enter(self.tx, &rule.id, self.survivor, self.run.at.millis())?;
                    return Ok(BTreeSet::new());
                }
                if matches!(edge, Edge::Rose) && !self.run.quiet {
                    self.raise(rule)?;
                }
                let mut next = BTreeSet::new();
                if matches!(edge, Edge::Renewed) {
                    // What the earlier version gave for as long as it held, and this one does not.
                    let kept: Vec<_> =
                        rule.effects.iter().filter(|own| own.while_true).filter_map(|own| own.add_tag).collect();
                    next.extend(self.retag(&rule.id, |carried, tx, id| {
                        let gone = |tag| !kept.contains(&tag);
                        carried.take(tx, |own| own.lasting && own.rule.as_deref() == Some(id) && gone(own.tag))
                    })?);
                }
                for effect in &rule.effects {
                    next.extend(self.effect(rule, effect)?);
                }
                Ok(next)
            }
        }
    }

    fn effect(&mut self, rule: &Rule, effect: &Effect) -> Result<BTreeSet<String>, DbError> {
        let run = self.run;
        if let Some(tag) = effect.remove_tag {
            return self.retag(&rule.id, |carried, tx, _| {
                carried.take(tx, |reason| reason.tag == tag && reason.rule.is_some())
            });
        }
        let Some(tag) = effect.add_tag else { return Ok(BTreeSet::new()) };
        let seen = rule.condition.explain(&self.view());
        self.retag(&rule.id, |carried, tx, id| {
            let given = Given {
                tag,
                rule: id,
                since: run.at.millis(),
                until: effect.for_days.map(|days| run.today.saturating_add(days)),
                lasting: effect.while_true,
            };
            carried.give(tx, given, &Origin { version: Some(rule.version), event: run.event, by: None, seen: &seen })
        })
    }

    /// Changes tags on behalf of a rule. Tells the rules that mention what came or went.
    fn retag(
        &mut self,
        rule: &str,
        changing: impl FnOnce(&mut Carried, &Tx<'_>, &str) -> Result<(), DbError>,
    ) -> Result<BTreeSet<String>, DbError> {
        let mut next = self.load()?;
        let Some(mut carried) = self.carried.take() else { return Ok(next) };
        let changed =
            carried.change(self.tx, self.run, Some(rule), None, |carried| changing(carried, self.tx, rule))?;
        self.tags = carried.tags();
        self.due = self.due.into_iter().chain(carried.next_end()).min();
        self.carried = Some(carried);
        next.extend(self.run.rules.asking(&changed));
        Ok(next)
    }

    fn rise(&mut self, rule: &Rule) {
        let since = self.run.at.millis();
        for person in &mut self.group {
            let first = person.id == self.survivor;
            match person.matched.get_mut(&rule.id) {
                Some(known) => known.version = rule.version,
                None if first => {
                    person.matched.insert(rule.id.clone(), Matched { version: rule.version, since });
                }
                None => continue,
            }
            self.changed.insert(person.id.clone());
        }
    }

    fn fall(&mut self, id: &str) {
        for person in &mut self.group {
            if person.matched.remove(id).is_some() {
                self.changed.insert(person.id.clone());
            }
        }
    }

    fn raise(&self, rule: &Rule) -> Result<(), DbError> {
        let shape = |what: &str| DbError::Shape(format!("{what:?} is not an id"));
        for name in rule.effects.iter().filter_map(|effect| effect.raise.clone()) {
            let customer_id: CustomerId = self.survivor.parse().map_err(|_| shape(self.survivor))?;
            let rule_id = rule.id.parse().map_err(|_| shape(&rule.id))?;
            let (v, version, at) = (Version, rule.version, self.run.at);
            let event = Event::RuleMatched(RuleMatched { v, customer_id, rule_id, version, name, at });
            events::append(self.tx, SOURCE, self.survivor, &event)?;
        }
        Ok(())
    }

    /// Keeps what holds now. After all rules were asked the day is exact; otherwise it only comes nearer.
    fn save(mut self, all: bool) -> Result<(), DbError> {
        let ends = self.carried.as_ref().and_then(Carried::next_end);
        let known = self.group.first().and_then(|person| person.due);
        let due = self.due.into_iter().chain(ends).chain(known.filter(|_| !all)).min();
        if due != known {
            self.changed.insert(self.survivor.to_owned());
        }
        for person in self.group.iter().filter(|person| self.changed.contains(&person.id)) {
            let due = due.filter(|_| person.id == self.survivor);
            customer::save(self.tx, &person.id, &person.matched, due)?;
        }
        Ok(())
    }
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
