//! Who of those on duty receives: caps, backup, turns.

use super::duty::{next_on_duty, on_duty};
use super::{Member, Policy, Reception};
use domain::{TimeError, UnixMs};
use std::collections::{BTreeMap, BTreeSet};

/// How many contacts each member of staff has; who is not named has none.
pub type Counts = BTreeMap<String, u32>;

/// Who receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receivers {
    /// These; never empty.
    Staff {
        /// Sorted, each once.
        staff: Vec<String>,
        /// Why they.
        by: By,
    },
    /// Everybody who may receive has reached the cap for today, the backup too.
    ///
    /// A contact way cannot be without staff, so the caller leaves the last list where it is and tells the merchant. Who comes all the same
    /// comes by the platform's choice: this application hands nobody over the cap.
    Full,
    /// The plan names nobody. [`Reception::check`] lets no such plan through.
    Nobody,
}

/// Why somebody receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// On duty.
    Duty,
    /// The backup: nobody else remains.
    Backup,
    /// Nobody is on duty and there is no backup: those who come on duty next.
    Next,
    /// The customer was theirs before.
    Exclusive,
}

/// Who receives at an instant, given what everybody has received since midnight of the merchant's calendar.
///
/// Who has reached the cap receives nobody more that day. The count is of a calendar day, so the caps are open again at midnight without any
/// job having run.
///
/// # Errors
/// [`TimeError::OutOfRange`] at the very ends of the calendar.
pub fn receivers(plan: &Reception, at: UnixMs, today: &Counts) -> Result<Receivers, TimeError> {
    Ok(match candidates(plan, at, today)? {
        Candidates::These(members, by) => {
            Receivers::Staff { staff: members.into_iter().map(|member| member.staff).collect(), by }
        }
        Candidates::Full => Receivers::Full,
        Candidates::Nobody => Receivers::Nobody,
    })
}

/// Who receives where everybody is full and somebody has to: those on duty, else the backup, else those who come on duty next. Sorted, each once; empty
/// only where the plan names nobody.
///
/// # Errors
/// [`TimeError::OutOfRange`] at the very ends of the calendar.
pub fn above_caps(plan: &Reception, at: UnixMs) -> Result<Vec<String>, TimeError> {
    let mut members = on_duty(plan, at)?;
    if members.is_empty() {
        members.clone_from(&plan.backup);
    }
    if members.is_empty() {
        members = next_on_duty(plan, at)?;
    }
    let staff: BTreeSet<String> = members.into_iter().map(|member| member.staff).collect();
    Ok(staff.into_iter().collect())
}

/// What is asked when this application itself says who receives the next contact.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// When.
    pub at: UnixMs,
    /// What everybody has received since midnight of the merchant's calendar, for the caps.
    pub today: &'a Counts,
    /// What everybody has received in this round, for the shares: today's counts if the day is to come out even, or those since the last change
    /// of duty if who comes on duty at noon is not to make up for the morning.
    pub round: &'a Counts,
    /// The member of staff whom the customer has added before.
    pub before: Option<&'a str>,
}

/// Who receives the next contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// This member of staff.
    Staff {
        /// WeCom's userid.
        staff: String,
        /// Why.
        by: By,
    },
    /// As [`Receivers::Full`].
    Full,
    /// As [`Receivers::Nobody`].
    Nobody,
}

/// Who receives the next contact. The same question has always the same answer.
///
/// Shares are kept by Balinski and Young's quota method: the contact goes to the one with the least `(count + 1) / weight` among those whom it does
/// not lift above their share, rounded up; among equals to the first by name. So after any number of contacts every count is within 1 of its
/// exact share, as long as no cap binds. (The least `(count + 1) / weight` alone gives the heaviest too much at first.)
///
/// In the exclusive mode who comes again reaches the same member of staff as before, if the plan still names that one, even above the cap: the cap
/// is on new contacts.
///
/// # Errors
/// [`TimeError::OutOfRange`] at the very ends of the calendar.
pub fn choose(plan: &Reception, asked: Asked<'_>) -> Result<Chosen, TimeError> {
    if let Some(before) = asked.before.filter(|_| plan.exclusive)
        && plan.named().any(|member| member.staff == before)
    {
        return Ok(Chosen::Staff { staff: before.to_owned(), by: By::Exclusive });
    }
    Ok(match candidates(plan, asked.at, asked.today)? {
        Candidates::These(members, by) => {
            let next = next_in_turn(&members, plan.policy, asked.round);
            next.map_or(Chosen::Nobody, |staff| Chosen::Staff { staff: staff.to_owned(), by })
        }
        Candidates::Full => Chosen::Full,
        Candidates::Nobody => Chosen::Nobody,
    })
}

enum Candidates {
    These(Vec<Member>, By),
    Full,
    Nobody,
}

fn candidates(plan: &Reception, at: UnixMs, today: &Counts) -> Result<Candidates, TimeError> {
    let below_cap = |members: Vec<Member>| -> Vec<Member> {
        let is_below = |member: &Member| member.daily_cap.is_none_or(|cap| count(today, &member.staff) < cap);
        members.into_iter().filter(is_below).collect()
    };
    let duty = on_duty(plan, at)?;
    let on_duty_by = if duty.is_empty() { By::Next } else { By::Duty };
    let open = below_cap(duty.clone());
    if !open.is_empty() {
        return Ok(Candidates::These(open, By::Duty));
    }
    let mut backup = plan.backup.clone();
    backup.sort();
    backup.dedup_by(|later, earlier| later.staff == earlier.staff);
    // Who is at the cap on duty is so as a backup too.
    backup.retain(|member| !duty.iter().any(|on_duty| on_duty.staff == member.staff));
    let open = below_cap(backup);
    if !open.is_empty() {
        return Ok(Candidates::These(open, By::Backup));
    }
    if on_duty_by == By::Duty || !plan.backup.is_empty() {
        return Ok(Candidates::Full);
    }
    let next = next_on_duty(plan, at)?;
    if next.is_empty() {
        return Ok(Candidates::Nobody);
    }
    let open = below_cap(next);
    Ok(if open.is_empty() { Candidates::Full } else { Candidates::These(open, By::Next) })
}

fn next_in_turn<'a>(members: &'a [Member], policy: Policy, round: &Counts) -> Option<&'a str> {
    let weight = |member: &Member| match policy {
        Policy::RoundRobin => 1,
        Policy::Weighted => u64::from(member.weight.max(1)),
    };
    // At most 100 members × 2^32, times a weight of 32 bits: u128 holds it by far.
    let have = |member: &Member| u128::from(count(round, &member.staff));
    let weights: u128 = members.iter().map(|member| u128::from(weight(member))).sum();
    let next_total: u128 = members.iter().map(have).sum::<u128>() + 1;
    let has_room = |member: &&Member| have(member) * weights < next_total * u128::from(weight(member));
    let first = members.iter().filter(has_room).min_by(|one, other| {
        let turn = |one: &Member, other: &Member| (have(one) + 1) * u128::from(weight(other));
        turn(one, other).cmp(&turn(other, one)).then_with(|| one.staff.cmp(&other.staff))
    });
    first.map(|member| member.staff.as_str())
}

fn count(counts: &Counts, staff: &str) -> u32 {
    counts.get(staff).copied().unwrap_or(0)
}
