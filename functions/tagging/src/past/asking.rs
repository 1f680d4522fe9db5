//! The condition asked at a place in the log: when it came to hold and when no longer, as `crate::engine` finds it.

use super::world::World;
use crate::engine::attributes;
use crate::feature::State;
use crate::feature::rfm::{Limits, RFM};
use crate::rule::{Condition, Seen, View};
use crate::store::customer::Person;
use crate::store::rfm::InForce;
use domain::UnixMs;
use domain::day::{self, Day};
use kit::events::Logged;
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// How a rule came to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It held already when the span began.
    Held,
    /// By an event about the customer.
    Event,
    /// By the coming of a day.
    Day,
    /// By other limits between RFM scores.
    Limits,
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Place {
    /// Its place in the log.
    pub seq: i64,
    /// Its type, such as `order.paid`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// When it was told.
    pub time: UnixMs,
}

/// A rule that came to hold for a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Match {
    /// The customer, by the id that it had then.
    pub customer_id: String,
    /// How it came to hold.
    pub how: How,
    /// The event at which it did. Where it held already when the span began, the first one of the span.
    #[serde(flatten)]
    pub place: Place,
    /// Every question of the condition, with the value seen.
    pub seen: Vec<Seen>,
    /// The event at which it held no longer; absent while it holds. A condition of the moment (`changed`, `hours`) ends at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Place>,
}

/// Why the condition is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// Something may have changed that it mentions, or not.
    All,
    /// Something has changed that it mentions.
    Some,
}

/// The condition, and the place in the log.
pub struct Asking<'a> {
    condition: &'a Condition,
    momentary: bool,
    keys: BTreeSet<String>,
    limits: Vec<InForce>,
    place: Place,
    how: How,
    today: Day,
    asking: bool,
    matches: Vec<Match>,
}

impl<'a> Asking<'a> {
    /// Before the first event.
    pub fn new(condition: &'a Condition, limits: Vec<InForce>) -> Self {
        let place = Place { seq: 0, type_name: String::new(), time: UnixMs::EPOCH };
        Self {
            momentary: condition.is_momentary(),
            keys: condition.keys().into_iter().collect(),
            condition,
            limits,
            place,
            how: How::Event,
            today: Day::MIN,
            asking: false,
            matches: Vec::new(),
        }
    }

    /// The next event of the log has come.
    pub fn arrive(&mut self, logged: &Logged) {
        self.place = Place { seq: logged.seq, type_name: logged.type_name.clone(), time: logged.time };
        self.today = self.today.max(day::of(logged.time));
        self.how = How::Event;
    }

    /// Whether the span has begun.
    pub fn is_asking(&self) -> bool {
        self.asking
    }

    /// Whether the condition mentions one of these keys.
    pub fn mentions<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> bool {
        keys.into_iter().any(|key| self.keys.contains(key))
    }

    /// The merchant's day.
    pub fn today(&self) -> Day {
        self.today
    }

    /// When the event at hand was told.
    pub fn at(&self) -> UnixMs {
        self.place.time
    }

    /// The place in the log.
    pub fn seq(&self) -> i64 {
        self.place.seq
    }
}

impl World<'_> {
    /// Whether the span has begun.
    pub fn is_asking(&self) -> bool {
        self.asking.is_asking()
    }

    /// The span begins: the condition is asked of everybody. `seq` is the place of the first event in it.
    pub fn begin_to_ask(&mut self, from: UnixMs, seq: i64) {
        self.asking.asking = true;
        self.asking.today = self.asking.today.max(day::of(from));
        self.asking.place = Place { seq, type_name: "preview.began".to_owned(), time: from };
        self.asking.how = How::Held;
        self.ask_everybody(|_| true);
    }

    fn ask_everybody(&mut self, which: impl Fn(&Person) -> bool) {
        let own = self.people.values().filter(|known| known.part_of.is_none() && which(&known.person));
        let ids: Vec<String> = own.map(|known| known.person.id.clone()).collect();
        for id in ids {
            self.settle(&id, None, Touched::All);
        }
    }

    /// A day began: those are asked about whose answer may be another.
    pub fn day(&mut self) {
        let today = self.asking.today;
        self.asking.how = How::Day;
        if self.asking.asking {
            self.ask_everybody(|person| person.due.is_some_and(|due| due <= today));
        }
    }

    /// Limits between RFM scores may have changed.
    pub fn limits_changed(&mut self) {
        let seq = self.asking.place.seq;
        self.asking.how = How::Limits;
        if self.asking.asking
            && self.asking.mentions([RFM])
            && self.asking.limits.iter().any(|limits| limits.seq == seq)
        {
            self.ask_everybody(|_| true);
        }
    }

    /// Asks the condition about a customer. `before` are its figures before the event, where that has changed them.
    pub(super) fn settle(&mut self, survivor: &str, before: Option<State>, touched: Touched) {
        if !self.asking.asking {
            return;
        }
        let own = |id: &String| self.people.get(id);
        // As everywhere, the one who stayed comes first.
        let mut group: Vec<_> = self.groups.get(survivor).into_iter().flatten().filter_map(own).collect();
        group.sort_by_key(|known| (known.person.id != survivor, known.person.id.clone()));
        if group.is_empty() {
            return;
        }
        let state = self.figures(survivor);
        let persons: Vec<Person> = group.iter().map(|known| known.person.clone()).collect();
        let tags = group.iter().flat_map(|known| known.tags.iter().copied()).collect();
        let held: Vec<usize> = group.iter().filter_map(|known| known.holds).collect();
        let asking = &self.asking;
        let in_force = asking.limits.iter().find(|limits| limits.seq <= asking.place.seq);
        let view = View {
            state: &state,
            before: before.as_ref().unwrap_or(&state),
            stage: persons.first().and_then(|person| person.stage),
            attributes: &attributes(&persons),
            tags: &tags,
            limits: in_force.map_or(&Limits::DEFAULT, |own| &own.limits),
            today: asking.today,
            at: asking.place.time,
        };
        let condition = asking.condition;
        let holds = condition.holds(&view);
        let found = || Match {
            customer_id: survivor.to_owned(),
            how: asking.how,
            place: asking.place.clone(),
            seen: condition.explain(&view),
            ended: None,
        };
        if asking.momentary {
            if holds && condition.is_touched(&view) {
                let place = asking.place.clone();
                let found = Match { ended: Some(place), ..found() };
                self.asking.matches.push(found);
            }
            return;
        }
        let rises = (holds && held.is_empty()).then(found);
        let due = condition.next_change(&view);
        let known = persons.first().and_then(|person| person.due).filter(|_| touched == Touched::Some);
        let due = due.into_iter().chain(known).min();
        let ids: Vec<String> = persons.into_iter().map(|person| person.id).collect();
        if !holds {
            let place = self.asking.place.clone();
            for number in held {
                if let Some(ended) = self.asking.matches.get_mut(number) {
                    ended.ended = Some(place.clone());
                }
            }
            for id in &ids {
                if let Some(known) = self.people.get_mut(id) {
                    known.holds = None;
                }
            }
        }
        let number = rises.map(|found| {
            self.asking.matches.push(found);
            self.asking.matches.len() - 1
        });
        if let Some(known) = self.people.get_mut(survivor) {
            known.person.due = due;
            known.holds = number.or(known.holds);
        }
    }

    /// What was found, of the customers who are looked at.
    pub fn into_matches(self) -> Vec<Match> {
        let looked_at = &self.circle.looked_at;
        self.asking.matches.into_iter().filter(|found| looked_at.contains(&found.customer_id)).collect()
    }
}
