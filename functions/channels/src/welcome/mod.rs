//! Welcomes: what is said to somebody who has just added a member of staff.
//!
//! Variants are tried in their order, and the first whose conditions all hold is said. The limits are those of the platform that sends it.

mod check;
#[cfg(test)]
mod tests;
mod text;

pub use text::{Variables, fill};

use crate::hours::{Period, local};
use domain::{Stage, TimeError, UnixMs};
use kit::auth::StorePath;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is said to somebody who has just added a member of staff.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Welcome {
    /// The first of these whose conditions all hold is said.
    pub variants: Vec<Variant>,
    /// What is said where none fits; nothing where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Message>,
}

/// What is said under conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// When it is said.
    #[serde(default)]
    pub when: When,
    /// What is said.
    pub message: Message,
}

/// Conditions, all of which must hold. What is left out holds always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// The time is in one of these periods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Period>,
    /// Whether the customer was known before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<Familiarity>,
    /// The customer was in one of these stages before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// The code's store is one of these or below one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, example = json!(["/east"]))]
    pub stores: Vec<StorePath>,
}

/// Whether a customer has been a contact of this merchant before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Familiarity {
    /// Adds the merchant's staff for the first time.
    New,
    /// Has added staff before, this one or another.
    Returning,
}

/// A message: text, attachments or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Message {
    /// At most 4000 bytes of UTF-8, each variable counted as 100. Variables: `{customer}`, `{staff}`, `{store}`, `{code}`. An Official Account takes 2048
    /// bytes, needs a text, knows no `{staff}`, and says nothing for `{customer}`.
    #[schema(example = "你好{customer}，我是{staff}")]
    pub text: String,
    /// At most 9; of an Official Account 2.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 9)]
    pub attachments: Vec<Attachment>,
}

/// What goes with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Attachment {
    /// A picture.
    Image {
        /// Its address as WeCom's `media/uploadimg` gave it: `https://…`.
        url: String,
    },
    /// A link.
    Link {
        /// Its title, at most 128 bytes.
        title: String,
        /// A line below it, at most 512 bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Its picture: `https://…`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        picture: Option<String>,
        /// Where it leads.
        url: String,
    },
    /// A mini-program.
    MiniProgram {
        /// Its title, at most 64 bytes.
        title: String,
        /// Its AppID.
        app_id: String,
        /// The page that opens, with its parameters.
        page: String,
        /// Its picture, by the id that WeCom's `media/upload` gave: good for three days, unless it was uploaded anew.
        picture_media_id: String,
    },
    /// A link at which a coupon is claimed.
    CouponLink {
        /// Its title, at most 128 bytes.
        title: String,
        /// Where the coupon is claimed.
        url: String,
    },
}

/// What is known when somebody is to be welcomed.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// When they added the member of staff.
    pub at: UnixMs,
    /// Whether they were a contact before.
    pub customer: Familiarity,
    /// Their stage before; absent where they were not known at all.
    pub stage: Option<Stage>,
    /// The store of the code.
    pub store: Option<&'a str>,
}

impl Welcome {
    /// What is said, if anything.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] at the very ends of the calendar.
    pub fn choose(&self, facts: Facts<'_>) -> Result<Option<&Message>, TimeError> {
        for variant in &self.variants {
            if variant.when.holds(facts)? {
                return Ok(Some(&variant.message));
            }
        }
        Ok(self.default.as_ref())
    }
}

impl When {
    fn holds(&self, facts: Facts<'_>) -> Result<bool, TimeError> {
        let (day, minute) = local(facts.at)?;
        // Nobody knows more of a stranger than that it is one.
        let stage = facts.stage.unwrap_or(Stage::Stranger);
        Ok((self.hours.is_empty() || self.hours.iter().any(|period| period.holds(day, minute)))
            && self.customer.is_none_or(|customer| customer == facts.customer)
            && (self.stages.is_empty() || self.stages.contains(&stage))
            && (self.stores.is_empty() || self.stores.iter().any(|tree| tree.contains(facts.store))))
    }
}
