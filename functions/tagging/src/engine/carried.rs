//! The tags of one customer and why: changed in memory and in the tables together.

use super::{Run, SOURCE};
use crate::store::tag::{self, Origin, Reason};
use domain::{CustomerId, Event, RuleId, TagEvent, TagId, Version};
use kit::{DbError, Tx, events};
use std::collections::{BTreeMap, BTreeSet};

/// How many tags a customer may carry.
pub const MOST_TAGS: usize = 3000;

/// The tags of one customer, over all who are part of it.
pub struct Carried {
    survivor: String,
    reasons: Vec<Reason>,
}

impl Carried {
    /// The tags of these customers, who are one; the first is who stayed. Reasons whose time is over are still among them.
    ///
    /// # Errors
    /// [`DbError`] of the query.
    pub fn load(tx: &Tx<'_>, group: &[&str]) -> Result<Self, DbError> {
        let survivor = group.first().copied().unwrap_or_default().to_owned();
        Ok(Self { survivor, reasons: tag::reasons(tx, group)? })
    }

    /// The same without the reasons whose time is over on `today`, for reading only.
    #[must_use]
    pub fn on(mut self, today: domain::day::Day) -> Self {
        self.reasons.retain(|reason| reason.until.is_none_or(|until| until > today));
        self
    }

    /// A person's word on a tag: yes, no, or none.
    pub fn word_on(&self, tag: TagId) -> Option<bool> {
        let words = self.reasons.iter().filter(|reason| reason.tag == tag && reason.rule.is_none());
        words.max_by_key(|reason| (reason.since, &reason.customer)).map(|reason| reason.present)
    }

    /// The tags that the customer has. A person's newest word decides; without one, any rule's reason does.
    pub fn tags(&self) -> BTreeSet<TagId> {
        let mut words: BTreeMap<TagId, (i64, &str, bool)> = BTreeMap::new();
        let mut given = BTreeSet::new();
        for reason in &self.reasons {
            if reason.rule.is_some() {
                given.insert(reason.tag);
            } else {
                let word = (reason.since, reason.customer.as_str(), reason.present);
                let newest = words.entry(reason.tag).or_insert(word);
                *newest = (*newest).max(word);
            }
        }
        for (tag, (_, _, present)) in words {
            if present {
                given.insert(tag);
            } else {
                given.remove(&tag);
            }
        }
        given
    }

    /// The first day on which a reason is gone.
    pub fn next_end(&self) -> Option<domain::day::Day> {
        self.reasons.iter().filter_map(|reason| reason.until).min()
    }

    /// Changes tags, and tells what came and went. `rule` and `by` are whose doing it is. Returns the tags that changed.
    ///
    /// # Errors
    /// [`DbError`] of the statements.
    pub fn change(
        &mut self,
        tx: &Tx<'_>,
        run: &Run,
        rule: Option<&str>,
        by: Option<&str>,
        changing: impl FnOnce(&mut Self) -> Result<(), DbError>,
    ) -> Result<BTreeSet<TagId>, DbError> {
        let before = self.tags();
        changing(self)?;
        let after = self.tags();
        let event = |tag: TagId| -> Result<TagEvent, DbError> {
            Ok(TagEvent {
                v: Version,
                customer_id: parse::<CustomerId>(&self.survivor)?,
                tag_id: tag,
                rule_id: rule.map(parse::<RuleId>).transpose()?,
                by: by.map(str::to_owned),
                at: run.at,
            })
        };
        for tag in after.difference(&before) {
            events::append(tx, SOURCE, &self.survivor, &Event::TagAdded(event(*tag)?))?;
        }
        for tag in before.difference(&after) {
            events::append(tx, SOURCE, &self.survivor, &Event::TagRemoved(event(*tag)?))?;
        }
        Ok(after.symmetric_difference(&before).copied().collect())
    }

    /// Lets go of the reasons whose time is over.
    ///
    /// # Errors
    /// [`DbError`] of the statements.
    pub fn expire(&mut self, tx: &Tx<'_>, run: &Run) -> Result<(), DbError> {
        self.take(tx, |reason| reason.until.is_some_and(|until| until <= run.today))
    }

    /// Takes reasons away.
    ///
    /// # Errors
    /// [`DbError`] of the statements.
    pub fn take(&mut self, tx: &Tx<'_>, which: impl Fn(&Reason) -> bool) -> Result<(), DbError> {
        for reason in self.reasons.iter().filter(|reason| which(reason)) {
            tag::take(tx, reason)?;
        }
        self.reasons.retain(|reason| !which(reason));
        Ok(())
    }

    /// Writes a rule's reason for a tag. In a group that allows one tag, it takes the place of other rules' tags, and yields to a
    /// person's.
    ///
    /// # Errors
    /// [`DbError`] of the statements.
    pub fn give(&mut self, tx: &Tx<'_>, new: Given<'_>, origin: &Origin<'_>) -> Result<(), DbError> {
        let tags = self.tags();
        let carried = tags.contains(&new.tag);
        // A tag that is not there any more, or one too many.
        let Some(single) = tag::single_group(tx, new.tag)? else { return Ok(()) };
        if !carried && tags.len() >= MOST_TAGS {
            return Ok(());
        }
        if let Some(group) = &single
            && !carried
        {
            let others = |reason: &Reason| reason.single.as_ref() == Some(group) && reason.tag != new.tag;
            let kept = |reason: &Reason| others(reason) && reason.rule.is_none() && tags.contains(&reason.tag);
            if self.reasons.iter().any(kept) {
                return Ok(());
            }
            if self.word_on(new.tag) != Some(false) {
                self.take(tx, |reason| others(reason) && reason.rule.is_some())?;
            }
        }
        let reason = Reason {
            customer: self.survivor.clone(),
            tag: new.tag,
            single,
            rule: Some(new.rule.to_owned()),
            present: true,
            since: new.since,
            until: new.until,
            lasting: new.lasting,
        };
        self.put(tx, reason, origin)
    }

    fn put(&mut self, tx: &Tx<'_>, reason: Reason, origin: &Origin<'_>) -> Result<(), DbError> {
        tag::give(tx, &reason, origin)?;
        self.reasons
            .retain(|known| (&known.customer, known.tag, &known.rule) != (&reason.customer, reason.tag, &reason.rule));
        self.reasons.push(reason);
        Ok(())
    }

    /// Writes a person's word for or against a tag, in place of earlier words. In a group that allows one tag, a yes takes the place of
    /// all others.
    ///
    /// # Errors
    /// [`DbError`] of the statements.
    pub fn word(&mut self, tx: &Tx<'_>, run: &Run, tag: TagId, present: bool, by: &str) -> Result<(), DbError> {
        let Some(single) = tag::single_group(tx, tag)? else { return Ok(()) };
        let tags = self.tags();
        if present && !tags.contains(&tag) && tags.len() >= MOST_TAGS {
            return Ok(());
        }
        self.take(tx, |reason| reason.tag == tag && reason.rule.is_none())?;
        if present && let Some(group) = &single {
            let replaced =
                |reason: &Reason| reason.single.as_ref() == Some(group) && reason.tag != tag && reason.present;
            self.take(tx, replaced)?;
        }
        let reason = Reason {
            customer: self.survivor.clone(),
            tag,
            single,
            rule: None,
            present,
            since: tag::since(run.at),
            until: None,
            lasting: false,
        };
        self.put(tx, reason, &Origin { version: None, event: run.event, by: Some(by), seen: &[] })
    }
}

/// A rule's reason for a tag.
pub struct Given<'a> {
    /// The tag.
    pub tag: TagId,
    /// The rule.
    pub rule: &'a str,
    /// When, Unix ms.
    pub since: i64,
    /// The first day on which it is gone.
    pub until: Option<domain::day::Day>,
    /// Whether it goes with the rule's condition.
    pub lasting: bool,
}

fn parse<T: std::str::FromStr>(id: &str) -> Result<T, DbError> {
    id.parse().map_err(|_| DbError::Shape(format!("{id:?} is not an id")))
}
