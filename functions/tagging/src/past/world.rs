//! What was known at a place in the log: figures, orders and people, in memory.

use super::asking::{Asking, Touched};
use super::circle::Circle;
use crate::feature::{Booking, State, activity, order};
use crate::rule::Condition;
use crate::store::customer::Person;
use crate::store::order::{self as store, Booked};
use crate::store::rfm::InForce;
use domain::{ActivityRecorded, Identity, OrderEvent, OrderId, RefundEvent, ReturnReceived, TagId, UnixMs};
use kit::events::Logged;
use kit::{DbError, Tx};
use std::collections::{BTreeMap, BTreeSet};

/// An identity with its figures.
pub struct Subject {
    /// The customer whose it is, as far as was told.
    pub customer: Option<String>,
    /// Its figures.
    pub state: State,
}

/// A customer as the log has told of it.
pub struct Known {
    /// Stage and profile.
    pub person: Person,
    /// The customer that it was merged into.
    pub part_of: Option<String>,
    /// The end of that chain.
    pub survivor: String,
    /// Its tags.
    pub tags: BTreeSet<TagId>,
    /// The match that holds, by its number.
    pub holds: Option<usize>,
}

/// What was known at a place in the log.
pub struct World<'a> {
    pub(super) circle: &'a Circle,
    pub(super) asking: Asking<'a>,
    pub(super) subjects: Vec<Subject>,
    pub(super) by_identity: BTreeMap<Identity, usize>,
    pub(super) owned: BTreeMap<String, BTreeSet<usize>>,
    orders: BTreeMap<OrderId, (Option<usize>, Booked)>,
    /// Orders that were first told as others' and stay theirs.
    of_others: BTreeSet<OrderId>,
    pub(super) people: BTreeMap<String, Known>,
    pub(super) groups: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> World<'a> {
    /// Before the first event. `limits` are all that ever were in force, the newest first.
    pub fn new(condition: &'a Condition, circle: &'a Circle, limits: Vec<InForce>) -> Self {
        Self {
            circle,
            asking: Asking::new(condition, limits),
            subjects: Vec::new(),
            by_identity: BTreeMap::new(),
            owned: BTreeMap::new(),
            orders: BTreeMap::new(),
            of_others: BTreeSet::new(),
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
        }
    }

    /// The next event of the log has come.
    pub fn arrive(&mut self, logged: &Logged) {
        self.asking.arrive(logged);
    }

    /// Books an activity on the smallest of its identities.
    pub fn activity(&mut self, told: &ActivityRecorded) {
        let Some(anchor) = told.identities.iter().min().filter(|anchor| self.circle.identities.contains(anchor)) else {
            return;
        };
        let subject = self.subject(anchor);
        let booking = activity::booking(told, self.asking.at());
        self.change(subject, &[], &[&booking]);
    }

    /// Books a paid order, in place of what was known of it.
    ///
    /// # Errors
    /// [`DbError`] of the catalogue's query.
    pub fn order(&mut self, tx: &Tx<'_>, told: &OrderEvent) -> Result<(), DbError> {
        let Some(paid_at) = order::paid_at(&told.order, self.asking.at()) else { return Ok(()) };
        let (subject, mut booked) = self.orders.get(&told.order_id).cloned().unwrap_or_default();
        let subject = match (subject, told.order.identities.iter().min()) {
            (Some(subject), _) => subject,
            (None, Some(anchor)) if self.circle.identities.contains(anchor) => {
                if self.of_others.contains(&told.order_id) {
                    return Ok(());
                }
                self.subject(anchor)
            }
            (None, Some(_)) => {
                self.of_others.insert(told.order_id);
                return Ok(());
            }
            (None, None) => return Ok(()),
        };
        let skus: Vec<&str> = told.order.lines.iter().map(|line| line.sku.as_str()).collect();
        let products = if skus.is_empty() { order::Products::new() } else { store::products(tx, &skus)? };
        let at = booked.order.as_ref().and_then(|known| UnixMs::from_millis(known.at).ok()).unwrap_or(paid_at);
        let booking = order::booking(&told.order, at, &products);
        let known = booked.order.take();
        if known.as_ref() == Some(&booking) {
            return Ok(());
        }
        let waiting: Vec<Booking> =
            if known.is_none() { booked.refunds.values().cloned().collect() } else { Vec::new() };
        booked.order = Some(booking.clone());
        self.orders.insert(told.order_id, (Some(subject), booked));
        let added: Vec<&Booking> = std::iter::once(&booking).chain(&waiting).collect();
        self.change(subject, &known.iter().collect::<Vec<_>>(), &added);
        Ok(())
    }

    /// Books money that went back.
    pub fn refunded(&mut self, told: &RefundEvent) {
        let booking = order::refunded(told, self.asking.at());
        self.book_on(told.order_id, format!("refund {}", told.refund_id), booking);
    }

    /// Books goods that came back.
    pub fn returned(&mut self, told: &ReturnReceived) {
        let booking = order::returned(told, self.asking.at());
        self.book_on(told.order_id, format!("return {}", told.refund_id), booking);
    }

    fn book_on(&mut self, id: OrderId, key: String, booking: Booking) {
        let (subject, booked) = self.orders.entry(id).or_default();
        if booked.refunds.contains_key(&key) {
            return;
        }
        booked.refunds.insert(key, booking.clone());
        if let (Some(subject), Some(_)) = (*subject, &booked.order) {
            self.change(subject, &[], &[&booking]);
        }
    }

    pub(super) fn subject(&mut self, identity: &Identity) -> usize {
        let next = self.subjects.len();
        let at = *self.by_identity.entry(identity.clone()).or_insert(next);
        if at == next {
            self.subjects.push(Subject { customer: None, state: State::default() });
        }
        at
    }

    /// Takes bookings back and adds others, then asks the condition if it mentions what was touched.
    fn change(&mut self, at: usize, back: &[&Booking], added: &[&Booking]) {
        let today = self.asking.today();
        let owner = self.subjects.get(at).and_then(|subject| subject.customer.as_deref());
        let owner = owner.map(|customer| self.survivor(customer));
        let keys = || back.iter().chain(added).flat_map(|booking| booking.keys());
        let asked = self.asking.is_asking() && self.asking.mentions(keys());
        let before = owner.as_deref().filter(|_| asked).map(|owner| self.figures(owner));
        let Some(subject) = self.subjects.get_mut(at) else { return };
        back.iter().for_each(|booking| subject.state.take_back(booking, today));
        added.iter().for_each(|booking| subject.state.book(booking, today));
        if let (Some(owner), Some(before)) = (owner, before) {
            self.settle(&owner, Some(before), Touched::Some);
        }
    }

    /// The figures of a customer and all who are part of it.
    pub(super) fn figures(&self, survivor: &str) -> State {
        let mut sum = State::default();
        let own = self.groups.get(survivor).into_iter().flatten().filter_map(|id| self.owned.get(id)).flatten();
        for subject in own.filter_map(|at| self.subjects.get(*at)) {
            sum.merge(&subject.state);
        }
        sum
    }

    pub(super) fn survivor(&self, id: &str) -> String {
        self.people.get(id).map_or_else(|| id.to_owned(), |known| known.survivor.clone())
    }
}
