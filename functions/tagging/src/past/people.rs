//! Who was who at a place in the log: as `crate::people` does it, in memory.

use super::asking::Touched;
use super::world::{Known, World};
use crate::feature::{State, Value};
use crate::rule::condition::{STAGE, attribute_key, tag_key};
use crate::store::customer::Person;
use domain::{
    AttributeValue, CustomerAttributeChanged, CustomerErased, CustomerIdentified, CustomerMerged, CustomerSplit,
    CustomerStageChanged, TagEvent,
};
use std::collections::{BTreeMap, BTreeSet};

impl World<'_> {
    /// Makes a customer if there is none. Tells whether there was none; none where it is not of the circle.
    fn begin(&mut self, id: &str) -> Option<bool> {
        if !self.circle.customers.contains(id) {
            return None;
        }
        if self.people.contains_key(id) {
            return Some(false);
        }
        let (attributes, matched) = (BTreeMap::new(), BTreeMap::new());
        let person = Person { id: id.to_owned(), stage: None, attributes, matched, due: None };
        let known = Known { person, part_of: None, survivor: id.to_owned(), tags: BTreeSet::new(), holds: None };
        self.people.insert(id.to_owned(), known);
        self.groups.entry(id.to_owned()).or_default().insert(id.to_owned());
        Some(true)
    }

    fn before(&self, ids: &BTreeSet<String>) -> BTreeMap<String, State> {
        if !self.asking.is_asking() {
            return BTreeMap::new();
        }
        ids.iter().map(|id| self.survivor(id)).map(|id| (id.clone(), self.figures(&id))).collect()
    }

    fn settle_all(&mut self, mut before: BTreeMap<String, State>, ids: &BTreeSet<String>) {
        let survivors: BTreeSet<String> = ids.iter().map(|id| self.survivor(id)).collect();
        for id in survivors {
            let before = before.remove(&id).unwrap_or_default();
            self.settle(&id, Some(before), Touched::All);
        }
    }

    /// Identities are a customer's from now on.
    pub fn identified(&mut self, told: &CustomerIdentified) {
        let id = told.customer_id.to_string();
        if self.begin(&id).is_none() {
            return;
        }
        let subjects: Vec<usize> = told.identities.iter().map(|identity| self.subject(identity)).collect();
        let owners = subjects.iter().filter_map(|at| self.subjects.get(*at)?.customer.clone());
        let touched: BTreeSet<String> = owners.chain([id.clone()]).collect();
        let before = self.before(&touched);
        for at in subjects {
            let Some(subject) = self.subjects.get_mut(at) else { continue };
            if let Some(former) = subject.customer.replace(id.clone()) {
                self.owned.entry(former).or_default().remove(&at);
            }
            self.owned.entry(id.clone()).or_default().insert(at);
        }
        self.settle_all(before, &touched);
    }

    /// Two customers are one.
    pub fn merged(&mut self, told: &CustomerMerged) {
        let (into, merged) = (told.customer_id.to_string(), told.merged_id.to_string());
        if into == merged || self.begin(&into).is_none() || self.begin(&merged).is_none() {
            return;
        }
        let touched = BTreeSet::from([into.clone(), merged.clone(), self.survivor(&into), self.survivor(&merged)]);
        let before = self.before(&touched);
        if self.survivor(&into) != into {
            self.hang(&into, None);
        }
        self.hang(&merged, Some(&into));
        self.settle_all(before, &touched);
    }

    /// A customer is one of its own again.
    pub fn split(&mut self, told: &CustomerSplit) {
        let (from, id) = (told.customer_id.to_string(), told.split_id.to_string());
        if self.begin(&from).is_none() || self.begin(&id).is_none() {
            return;
        }
        let touched = BTreeSet::from([from, id.clone(), self.survivor(&id)]);
        let before = self.before(&touched);
        self.hang(&id, None);
        self.settle_all(before, &touched);
    }

    /// Puts a customer, with all that are part of it, under another, or on its own.
    fn hang(&mut self, id: &str, into: Option<&str>) {
        let mut part = BTreeSet::from([id.to_owned()]);
        loop {
            let below = |known: &Known| known.part_of.as_ref().is_some_and(|above| part.contains(above));
            let more: BTreeSet<String> =
                self.people.values().filter(|known| below(known)).map(|known| known.person.id.clone()).collect();
            if more.is_subset(&part) {
                break;
            }
            part.extend(more);
        }
        let survivor = into.unwrap_or(id);
        for one in &part {
            let Some(known) = self.people.get_mut(one) else { continue };
            if let Some(group) = self.groups.get_mut(&known.survivor) {
                group.remove(one);
            }
            survivor.clone_into(&mut known.survivor);
            self.groups.entry(survivor.to_owned()).or_default().insert(one.clone());
            if into.is_some() {
                known.person.due = None;
            }
        }
        if let Some(known) = self.people.get_mut(id) {
            known.part_of = into.map(str::to_owned);
        }
    }

    /// A customer moved to another stage.
    pub fn stage(&mut self, told: &CustomerStageChanged) {
        let id = told.customer_id.to_string();
        let Some(new) = self.begin(&id) else { return };
        if let Some(known) = self.people.get_mut(&id) {
            known.person.stage = Some(told.to);
        }
        self.settle_key(&id, new, STAGE);
    }

    /// A field of a profile changed.
    pub fn attribute(&mut self, told: &CustomerAttributeChanged) {
        let id = told.customer_id.to_string();
        let Some(new) = self.begin(&id) else { return };
        let value = told.value.clone().map(|value| match value {
            AttributeValue::Flag(flag) => Value::Flag(flag),
            AttributeValue::Number(number) => Value::Number(number),
            AttributeValue::Text(text) => Value::Text(text),
        });
        let seq = self.asking.seq();
        if let Some(known) = self.people.get_mut(&id) {
            known.person.attributes.insert(told.field.clone(), (seq, value));
        }
        self.settle_key(&id, new, &attribute_key(&told.field));
    }

    fn settle_key(&mut self, id: &str, new: bool, key: &str) {
        let survivor = self.survivor(id);
        if new {
            self.settle(&survivor, None, Touched::All);
        } else if self.asking.mentions([key]) {
            self.settle(&survivor, None, Touched::Some);
        }
    }

    /// A person's data were erased: the profile goes, and the identities are nobody's.
    pub fn erased(&mut self, told: &CustomerErased) {
        let id = self.survivor(&told.customer_id.to_string());
        for one in self.groups.get(&id).cloned().unwrap_or_default() {
            if let Some(known) = self.people.get_mut(&one) {
                known.person.attributes.clear();
            }
        }
        let own = self.owned.get(&id).cloned().unwrap_or_default();
        self.by_identity.retain(|_, at| !own.contains(at));
        self.settle(&id, None, Touched::All);
    }

    /// A tag came or went.
    pub fn tag(&mut self, told: &TagEvent, present: bool) {
        let id = self.survivor(&told.customer_id.to_string());
        let group = self.groups.get(&id).cloned().unwrap_or_default();
        for one in &group {
            let Some(known) = self.people.get_mut(one) else { continue };
            if !present {
                known.tags.remove(&told.tag_id);
            } else if *one == id {
                known.tags.insert(told.tag_id);
            }
        }
        if !group.is_empty() && self.asking.mentions([tag_key(told.tag_id).as_str()]) {
            self.settle(&id, None, Touched::Some);
        }
    }
}
