//! One customer while its rules are asked: edges, and what follows them.

use super::carried::{Carried, Given};
use super::settle::{Figures, Touched, attributes};
use super::{Run, SOURCE};
use crate::feature::Value;
use crate::rule::{Effect, Kind, Rule, View};
use crate::store::customer::{self, Matched, Person};
use crate::store::engine;
use crate::store::tag::Origin;
use domain::day::Day;
use domain::{CustomerId, Event, RuleMatched, TagId, Version};
use kit::{DbError, Tx, events};
use std::collections::{BTreeMap, BTreeSet};

/// One customer while its rules are asked.
pub struct Settling<'a> {
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
    /// A customer with its figures and all who are part of it.
    pub fn new(tx: &'a Tx<'a>, run: &'a Run, survivor: &'a str, group: Vec<Person>, figures: Figures) -> Self {
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
            limits: self.run.rules.limits(),
            today: self.run.today,
            at: self.run.at,
        }
    }

    /// Loads the tags, without those whose time is over. Tells the rules that mention what went.
    pub fn load(&mut self) -> Result<BTreeSet<String>, DbError> {
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
    pub fn retire(&mut self, touched: &Touched<'_>, pending: &mut BTreeSet<String>) -> Result<(), DbError> {
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
    pub fn round(&mut self, ids: &BTreeSet<String>, round: usize) -> Result<BTreeSet<String>, DbError> {
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
    pub fn save(mut self, all: bool) -> Result<(), DbError> {
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
