//! One event's application: its day, and the rules at work.

use crate::feature::rfm::RFM;
use crate::rule::RuleSet;
use crate::store::engine::{self, Standing};
use crate::store::rfm::Gathering;
use domain::day::{self, Day};
use domain::{DayBegan, Event, EventId, TimeError, UnixMs, Version};
use kit::consume::ConsumeError;
use kit::events::{self, Logged};
use kit::{DbError, Tx};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

/// The key of the timer of days.
const DAY_KEY: &str = "tagging.day";

/// What an event is applied with.
#[derive(Clone)]
pub struct Run {
    /// The event.
    pub event: EventId,
    /// When it was told.
    pub at: UnixMs,
    /// The merchant's day: that of the latest event so far, so that it never goes back.
    pub today: Day,
    /// The rules at work.
    pub rules: Arc<RuleSet>,
    /// Whether nothing is raised: customers are looked at because of a new rule, not because of what they did.
    pub quiet: bool,
    /// The figures that are being gathered, as they stood before this event.
    pub gathering: Option<Gathering>,
    revision: String,
}

impl Run {
    /// Begins to apply an event. The first one of all starts the timer of days.
    ///
    /// # Errors
    /// [`DbError`] of the statements.
    pub fn begin(tx: &Tx<'_>, logged: &Logged) -> Result<Self, ConsumeError> {
        let told = day::of(logged.time);
        let known = engine::standing(tx)?;
        let first = known.is_none();
        let known = known.unwrap_or(Standing { day: told, revision: String::new(), gathering: None });
        let run = Self {
            event: logged.id,
            at: logged.time,
            today: known.day.max(told),
            rules: rules(tx, &known.revision)?,
            quiet: false,
            revision: known.revision.clone(),
            gathering: known.gathering,
        };
        if first || run.today != known.day {
            run.stand(tx)?;
        }
        if first {
            run.schedule_tomorrow(tx)?;
        }
        Ok(run)
    }

    /// The same while customers are looked at because of a new rule.
    #[must_use]
    pub fn quietly(self) -> Self {
        Self { quiet: true, ..self }
    }

    /// The same with a rule that has just been put to work, or taken out of it.
    ///
    /// # Errors
    /// [`DbError`] of the statements.
    pub fn with_new_rule(self, tx: &Tx<'_>, id: &str, version: i64, definition: Option<&str>) -> Result<Self, DbError> {
        // A digest over all that was put to work so far: equal digests mean equal rules, also after a rollback. The same in a component and natively, where
        // lengths have other widths.
        let mut hasher = Sha256::new();
        for part in [&self.revision, id, &version.to_string(), definition.unwrap_or("")] {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hasher.update(part);
        }
        let revision = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let run = Self { rules: rules(tx, &revision)?, revision, ..self };
        run.stand(tx)?;
        Ok(run)
    }

    /// The same with limits between RFM scores that have just been put in force.
    ///
    /// # Errors
    /// [`DbError`] of the statements.
    pub fn with_new_limits(self, tx: &Tx<'_>, version: i64, limits: &str) -> Result<Self, DbError> {
        self.with_new_rule(tx, RFM, version, Some(limits))
    }

    fn stand(&self, tx: &Tx<'_>) -> Result<(), DbError> {
        engine::stand(tx, self.today, &self.revision)
    }

    /// Has the next day's beginning told.
    ///
    /// # Errors
    /// [`DbError`] of the statement.
    pub fn schedule_tomorrow(&self, tx: &Tx<'_>) -> Result<(), DbError> {
        let tomorrow = self.today.saturating_add(1);
        let start = day::start(tomorrow).map_err(|error: TimeError| DbError::Shape(error.to_string()))?;
        schedule_day(tx, start, tomorrow)
    }

    /// Has this day's beginning told again: there is more to do.
    ///
    /// # Errors
    /// [`DbError`] of the statement.
    pub fn schedule_more_of_today(&self, tx: &Tx<'_>) -> Result<(), DbError> {
        schedule_day(tx, self.at, self.today)
    }
}

fn schedule_day(tx: &Tx<'_>, due: UnixMs, day: Day) -> Result<(), DbError> {
    let name = day::date_of(day).map(|date| date.to_string()).unwrap_or_default();
    let event = Event::TaggingDay(DayBegan { v: Version, day: name });
    events::schedule(tx, due, DAY_KEY, super::SOURCE, "tagging", &event)
}

/// The rules at work, kept in memory by their digest.
fn rules(tx: &Tx<'_>, revision: &str) -> Result<Arc<RuleSet>, DbError> {
    static KEPT: Mutex<Option<(String, Arc<RuleSet>)>> = Mutex::new(None);
    if let Some((known, rules)) = KEPT.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
        && known == revision
    {
        return Ok(Arc::clone(rules));
    }
    let rules = Arc::new(engine::rules(tx)?);
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some((revision.to_owned(), Arc::clone(&rules)));
    Ok(rules)
}
