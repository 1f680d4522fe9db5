//! Rules: a condition and what follows when it comes to hold.

pub mod condition;
pub mod eval;
pub mod parse;
pub mod set;

#[cfg(test)]
mod tests;

pub use condition::Condition;
pub use eval::{Seen, View};
pub use set::{Kind, Rule, RuleSet};

use domain::TagId;
use parse::Mistake;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What follows when a condition comes to hold: exactly one of `add_tag`, `remove_tag` and `raise`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The customer gets this tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_tag: Option<TagId>,
    /// With `add_tag`: for so many days of the merchant's calendar, today being the first; 1 to 3650. Without it, until it is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_days: Option<i32>,
    /// With `add_tag`: the tag goes when the condition no longer holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub while_true: bool,
    /// What rules have given of this tag is taken away. What a person has given stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_tag: Option<TagId>,
    /// `rule.matched` goes into the log with this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raise: Option<String>,
}

const MOST_EFFECTS: usize = 20;
const MOST_DAYS: i32 = 3650;

/// Checks what follows.
///
/// # Errors
/// [`Mistake`] with the place and what to change.
pub fn check_effects(effects: &[Effect], condition: &Condition) -> Result<(), Mistake> {
    let mistake =
        |number: usize, what: &str| Err(Mistake { path: format!("effects[{number}]"), what: what.to_owned() });
    if !(1..=MOST_EFFECTS).contains(&effects.len()) {
        return Err(Mistake { path: "effects".to_owned(), what: format!("write 1 to {MOST_EFFECTS} effects") });
    }
    for (number, effect) in effects.iter().enumerate() {
        let kinds = [effect.add_tag.is_some(), effect.remove_tag.is_some(), effect.raise.is_some()];
        if kinds.into_iter().filter(|kind| *kind).count() != 1 {
            return mistake(number, "write exactly one of add_tag, remove_tag, raise");
        }
        if effect.add_tag.is_none() && (effect.while_true || effect.for_days.is_some()) {
            return mistake(number, "for_days and while_true go with add_tag only");
        }
        if effect.for_days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
            return mistake(number, "for_days is 1 to 3650");
        }
        if effect.while_true && condition.is_momentary() {
            return mistake(number, "while_true needs a condition that lasts: `changed` and `hours` hold for a moment");
        }
        if effect.raise.as_ref().is_some_and(|name| name.is_empty() || name.chars().count() > 100) {
            return mistake(number, "raise is a name of 1 to 100 characters");
        }
    }
    Ok(())
}
