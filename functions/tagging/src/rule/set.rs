//! The rules that are at work, with an index from what they mention to them.

use super::parse::Mistake;
use super::{Condition, Effect, parse};
use crate::feature::rfm::Limits;
use crate::rule::condition::tag_key;
use domain::TagId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It tags, or raises events.
    Rule,
    /// It holds a segment's members.
    Segment,
}

/// A definition, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// The condition, JSON as it was given.
    pub condition: serde_json::Value,
    /// What follows; empty for a segment.
    #[serde(default)]
    pub effects: Vec<Effect>,
}

/// A rule at work.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The rule's or the segment's id.
    pub id: String,
    /// What it is for.
    pub kind: Kind,
    /// Its version.
    pub version: i64,
    /// When it holds.
    pub condition: Condition,
    /// What follows.
    pub effects: Vec<Effect>,
    /// Whether it holds for a moment only.
    pub momentary: bool,
    /// Whether it mentions tags.
    pub asks_tags: bool,
}

impl Rule {
    /// A rule of a stored definition.
    ///
    /// # Errors
    /// [`Mistake`] when the definition was made by a release that knows more.
    pub fn new(id: String, kind: Kind, version: i64, definition: Definition) -> Result<Self, Mistake> {
        let condition = parse::condition(&definition.condition)?;
        Ok(Self {
            id,
            kind,
            version,
            momentary: condition.is_momentary(),
            asks_tags: !condition.tags().is_empty(),
            condition,
            effects: definition.effects,
        })
    }
}

/// The rules at work, by id.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    limits: Option<Limits>,
    rules: BTreeMap<String, Rule>,
    by_key: BTreeMap<String, BTreeSet<String>>,
}

impl RuleSet {
    /// A set of these rules.
    pub fn new(rules: Vec<Rule>) -> Self {
        let mut set = Self::default();
        for rule in rules {
            for key in rule.condition.keys() {
                set.by_key.entry(key).or_default().insert(rule.id.clone());
            }
            set.rules.insert(rule.id.clone(), rule);
        }
        set
    }

    /// The same with limits between RFM scores that are in force.
    #[must_use]
    pub fn with_limits(self, limits: Option<Limits>) -> Self {
        Self { limits, ..self }
    }

    /// The limits between RFM scores.
    pub fn limits(&self) -> &Limits {
        self.limits.as_ref().unwrap_or(&Limits::DEFAULT)
    }

    /// A rule by its id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// The ids of all rules.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rules.keys().map(String::as_str)
    }

    /// The ids of the rules that mention one of these keys.
    pub fn touched<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        keys.into_iter().filter_map(|key| self.by_key.get(key)).flatten().cloned().collect()
    }

    /// The ids of the rules that mention one of these tags.
    pub fn asking(&self, tags: &BTreeSet<TagId>) -> BTreeSet<String> {
        tags.iter().filter_map(|tag| self.by_key.get(&tag_key(*tag))).flatten().cloned().collect()
    }
}

/// A chain of rules that comes back to its beginning, if there is one: each mentions a tag that the one before gives or takes.
/// `rules` are (id, tags mentioned, tags given or taken).
pub fn cycle(rules: &[(String, Vec<TagId>, Vec<TagId>)]) -> Option<Vec<String>> {
    let follows = |one: usize| {
        let given = rules.get(one).map(|rule| rule.2.as_slice()).unwrap_or_default();
        rules.iter().enumerate().filter(|(_, other)| other.1.iter().any(|tag| given.contains(tag))).map(|(at, _)| at)
    };
    let mut done = BTreeSet::new();
    for start in 0..rules.len() {
        // Depth first, by hand: (rule, what follows it and was not looked at).
        let mut path: Vec<(usize, Vec<usize>)> = vec![(start, follows(start).collect())];
        while let Some((at, left)) = path.last_mut() {
            let at = *at;
            match left.pop() {
                None => {
                    done.insert(at);
                    path.pop();
                }
                Some(next) => {
                    if let Some(begin) = path.iter().position(|(rule, _)| *rule == next) {
                        let chain = path.iter().skip(begin).filter_map(|(rule, _)| rules.get(*rule));
                        return Some(chain.map(|rule| rule.0.clone()).collect());
                    }
                    if !done.contains(&next) {
                        path.push((next, follows(next).collect()));
                    }
                }
            }
        }
    }
    None
}
