//! Handovers: customers of one member of staff go to another, when one leaves (离职继承) or while both stay (在职继承).
//!
//! The limits are WeCom's: at most 100 customers a call; those of somebody who has left go after 24 hours, in which a customer may refuse;
//! while both stay a customer is passed on at most twice in 90 days. Who is a contact at WeCom is handed over by WeCom: there a customer has
//! 24 hours to refuse in any case, and what WeCom says of it counts. Others go by the same rules here.

use crate::relation::{self, Cause};
use crate::store::handover::{self, Item};
use crate::store::{activity, customer, relation as relations};
use crate::{SOURCE, follow_up, stage};
use domain::{
    CustomerId, Event, HandoverAnswer, HandoverAnswered, HandoverBegun, HandoverDue, HandoverId, RelationSide, UnixMs,
    Version,
};
use kit::consume::ConsumeError;
use kit::events::{self, Logged};
use kit::{DbError, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many customers one step gives over at the most.
const BATCH: u32 = 100;
/// How many customers one call of WeCom hands over at the most.
const A_CALL: usize = 100;
/// How long customers of somebody who has left may refuse, in milliseconds: 24 hours.
const WAIT_MS: i64 = 24 * 3_600_000;
/// How often a customer may be passed on within [`WINDOW_MS`] while both stay.
const MOST_PASSED: i64 = 2;
/// The window of that limit, in milliseconds: 90 days.
const WINDOW_MS: i64 = 90 * 86_400_000;

/// Why customers change hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The member of staff has left.
    Resignation,
    /// Both stay.
    OnTheJob,
}

impl Kind {
    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resignation => "resignation",
            Self::OnTheJob => "on_the_job",
        }
    }

    /// When what is asked for at `now` takes effect.
    pub fn due(self, now: UnixMs) -> UnixMs {
        match self {
            Self::Resignation => UnixMs::from_millis(now.millis().saturating_add(WAIT_MS)).unwrap_or(now),
            Self::OnTheJob => now,
        }
    }
}

/// Why a customer stayed where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The customer did not want it.
    ByCustomer,
    /// It is not, or no longer, a customer of the one who gives.
    NotInPool,
    /// It has been passed on twice within 90 days.
    TooOften,
    /// Its personal data were erased.
    Erased,
    /// It has become part of another customer of the same handover.
    Merged,
    /// The one who is to receive has as many contacts at WeCom as can be.
    ReceiverFull,
    /// WeCom refuses for another reason: `error` says which.
    ByPlatform,
}

impl Refusal {
    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByCustomer => "by_customer",
            Self::NotInPool => "not_in_pool",
            Self::TooOften => "too_often",
            Self::Erased => "erased",
            Self::Merged => "merged",
            Self::ReceiverFull => "receiver_full",
            Self::ByPlatform => "by_platform",
        }
    }
}

/// What WeCom's word means for a customer who waits for it.
enum Word {
    /// The other one has it.
    Accepted,
    /// WeCom has nothing to do with it.
    NotThere,
    /// It stays.
    Refused(Refusal),
}

impl From<HandoverAnswer> for Word {
    fn from(answer: HandoverAnswer) -> Self {
        match answer {
            HandoverAnswer::Accepted => Self::Accepted,
            HandoverAnswer::NotThere => Self::NotThere,
            HandoverAnswer::ByCustomer => Self::Refused(Refusal::ByCustomer),
            HandoverAnswer::ReceiverFull => Self::Refused(Refusal::ReceiverFull),
            HandoverAnswer::TooOften => Self::Refused(Refusal::TooOften),
            HandoverAnswer::NotInPool => Self::Refused(Refusal::NotInPool),
            HandoverAnswer::ByPlatform => Self::Refused(Refusal::ByPlatform),
        }
    }
}

/// What a customer's part in a handover depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Its personal data were erased.
    pub erased: bool,
    /// The one who gives has a relation with it.
    pub related: bool,
    /// The one who gives is its advisor.
    pub advised: bool,
    /// The one who receives has a relation with it.
    pub known: bool,
    /// How often it was passed on within 90 days while both stayed.
    pub passed: i64,
}

/// What becomes of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it now.
    Moved,
    /// The receiver had it before, and keeps it.
    Kept,
    /// It stays where it was.
    Refused(Refusal),
}

impl Outcome {
    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Kept => "kept",
            Self::Refused(_) => "refused",
        }
    }

    /// Why it was refused.
    pub const fn reason(self) -> Option<Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Moved | Self::Kept => None,
        }
    }
}

/// What becomes of a customer, by the rules.
pub fn decide(kind: Kind, facts: Facts) -> Outcome {
    if facts.erased {
        return Outcome::Refused(Refusal::Erased);
    }
    if !facts.related && !facts.advised {
        return Outcome::Refused(Refusal::NotInPool);
    }
    if facts.known {
        return Outcome::Kept;
    }
    if kind == Kind::OnTheJob && facts.passed >= MOST_PASSED {
        return Outcome::Refused(Refusal::TooOften);
    }
    Outcome::Moved
}

/// Begins a handover whose customers are written down: contacts at WeCom are to be handed over there, the others when it is due.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn begin(tx: &Tx<'_>, item: &Item, at_wecom: bool, message: Option<&str>) -> Result<(), DbError> {
    let asked = if at_wecom { handover::ask(tx, item.id, &item.from)? } else { Vec::new() };
    for customers in asked.chunks(A_CALL) {
        let event = Event::HandoverBegun(HandoverBegun {
            v: Version,
            handover_id: item.id,
            from: item.from.clone(),
            to: item.to.clone(),
            resigned: item.kind == Kind::Resignation,
            message: message.map(str::to_owned),
            customer_ids: customers.to_vec(),
        });
        events::append(tx, SOURCE, &item.id.to_string(), &event)?;
    }
    schedule(tx, item.id, item.due)
}

/// Schedules the next step of a handover.
fn schedule(tx: &Tx<'_>, id: HandoverId, due: UnixMs) -> Result<(), DbError> {
    let event = Event::HandoverDue(HandoverDue { v: Version, handover_id: id });
    events::schedule(tx, due, &format!("customers.handover/{id}"), SOURCE, &id.to_string(), &event)
}

/// Takes one step of a handover: the next customers go, and where there are more the next step is scheduled.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn step(tx: &Tx<'_>, logged: &Logged, id: HandoverId) -> Result<(), ConsumeError> {
    let Some(found) = handover::by_id(tx, id)? else { return Ok(()) };
    let waiting = handover::waiting(tx, id, BATCH)?;
    for customer in &waiting {
        let outcome = give(tx, &found, *customer, logged.time)?;
        handover::settle(tx, id, *customer, outcome, None, logged.time)?;
    }
    if handover::waiting(tx, id, 1)?.is_empty() {
        return Ok(finish(tx, id, logged.time)?);
    }
    Ok(schedule(tx, id, logged.time)?)
}

/// Does what WeCom has said of a customer who waited for it.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn answered(tx: &Tx<'_>, logged: &Logged, told: &HandoverAnswered) -> Result<(), DbError> {
    let (id, customer) = (told.handover_id, told.customer_id);
    let Some(found) = handover::by_id(tx, id)? else { return Ok(()) };
    if !handover::is_asked(tx, id, customer)? {
        return Ok(());
    }
    let outcome = match Word::from(told.answer) {
        Word::NotThere => {
            handover::wait(tx, id, customer)?;
            return schedule(tx, id, found.due.max(logged.time));
        }
        Word::Accepted => accepted(tx, &found, customer, told.at)?,
        Word::Refused(refusal) => Outcome::Refused(refusal),
    };
    let error = told.error.as_deref().filter(|_| outcome.reason().is_some());
    handover::settle(tx, id, customer, outcome, error, told.at)?;
    finish(tx, id, logged.time)
}

fn finish(tx: &Tx<'_>, id: HandoverId, at: UnixMs) -> Result<(), DbError> {
    if handover::is_open(tx, id)? { Ok(()) } else { handover::end(tx, id, at) }
}

/// The customer that goes for the one that was asked for; refused where that one goes by itself.
fn stands_for(tx: &Tx<'_>, handover: &Item, asked: CustomerId) -> Result<Result<CustomerId, Refusal>, DbError> {
    let id = customer::survivor(tx, asked)?.unwrap_or(asked);
    Ok(match id != asked && handover::has(tx, handover.id, id)? {
        true => Err(Refusal::Merged),
        false => Ok(id),
    })
}

/// WeCom has given a customer over: relations follow, as far as its callbacks have not told of them.
fn accepted(tx: &Tx<'_>, handover: &Item, asked: CustomerId, at: UnixMs) -> Result<Outcome, DbError> {
    let id = match stands_for(tx, handover, asked)? {
        Ok(id) => id,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    if relations::is_erased(tx, id)? {
        return Ok(Outcome::Refused(Refusal::Erased));
    }
    let knew = relations::stands_since(tx, id, &handover.to)?.is_some_and(|since| since < handover.created_at);
    let cause = cause(handover, at);
    relation::end(tx, id, &handover.from, cause)?;
    if !relation::has_ended_since(tx, id, &handover.to, handover.created_at)? {
        relation::begin(tx, id, &handover.to, cause)?;
    }
    moved(tx, handover, id, at)?;
    Ok(if knew { Outcome::Kept } else { Outcome::Moved })
}

/// Gives one customer over, if the rules let it go.
fn give(tx: &Tx<'_>, handover: &Item, asked: CustomerId, at: UnixMs) -> Result<Outcome, DbError> {
    let id = match stands_for(tx, handover, asked)? {
        Ok(id) => id,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    let facts = Facts {
        erased: relations::is_erased(tx, id)?,
        related: relations::known(tx, id, &handover.from)? == relation::Known::Active,
        advised: relations::advisor(tx, id)?.as_ref() == Some(&handover.from),
        known: relations::known(tx, id, &handover.to)? == relation::Known::Active,
        passed: handover::passed(tx, id, at.millis().saturating_sub(WINDOW_MS))?,
    };
    let outcome = decide(handover.kind, facts);
    if outcome.reason().is_some() {
        return Ok(outcome);
    }
    let cause = cause(handover, at);
    // Who was advised only, without a relation, is advised by the other one from now on.
    if relation::end(tx, id, &handover.from, cause)? {
        relation::begin(tx, id, &handover.to, cause)?;
    }
    moved(tx, handover, id, at)?;
    Ok(outcome)
}

fn cause(handover: &Item, at: UnixMs) -> Cause<'_> {
    Cause { by: RelationSide::Handover, at, actor: Some(handover.actor.as_str()), handover: Some(handover.id) }
}

/// The other one advises the customer now, unless a third one does and goes on to do so, and has its follow-ups.
fn moved(tx: &Tx<'_>, handover: &Item, id: CustomerId, at: UnixMs) -> Result<(), DbError> {
    let advisor = relations::advisor(tx, id)?;
    let is_free = advisor.is_none_or(|advisor| advisor == handover.from);
    if is_free && activity::decide_belongs(tx, id, None, Some(&handover.to), at)? {
        stage::refresh(tx, id, at, "handover.due")?;
    }
    follow_up::hand_over(tx, id, (&handover.from, &handover.to), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELATED: Facts = Facts { erased: false, related: true, advised: false, known: false, passed: 0 };

    #[test]
    fn a_customer_goes_unless_the_rules_keep_it() {
        use Kind::{OnTheJob, Resignation};
        use Refusal::{Erased, NotInPool, TooOften};
        for (kind, facts, outcome) in [
            (OnTheJob, RELATED, Outcome::Moved),
            (OnTheJob, Facts { related: false, advised: true, ..RELATED }, Outcome::Moved),
            (OnTheJob, Facts { passed: 1, ..RELATED }, Outcome::Moved),
            (OnTheJob, Facts { passed: 2, ..RELATED }, Outcome::Refused(TooOften)),
            (Resignation, Facts { passed: 2, ..RELATED }, Outcome::Moved),
            (OnTheJob, Facts { known: true, ..RELATED }, Outcome::Kept),
            (OnTheJob, Facts { known: true, passed: 2, ..RELATED }, Outcome::Kept),
            (Resignation, Facts { related: false, ..RELATED }, Outcome::Refused(NotInPool)),
            (Resignation, Facts { erased: true, ..RELATED }, Outcome::Refused(Erased)),
        ] {
            assert_eq!(decide(kind, facts), outcome, "{kind:?} {facts:?}");
        }
    }

    #[test]
    fn who_has_left_gives_after_24_hours_and_others_at_once() {
        let now = UnixMs::from_millis(1_771_032_600_000).unwrap();
        assert_eq!(Kind::OnTheJob.due(now), now);
        assert_eq!(Kind::Resignation.due(now).millis() - now.millis(), 86_400_000);
    }
}
