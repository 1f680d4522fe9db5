//! Customers: how far one has come, and what is known about one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a customer has come with the merchant (生命周期).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Seen, and nothing more.
    Stranger,
    /// Has shown interest: followed, asked, left a form.
    Lead,
    /// Has added a member of staff, or claimed a member card.
    Contact,
    /// Has bought once.
    Buyer,
    /// Has bought again.
    RepeatBuyer,
    /// Buys regularly.
    Loyal,
    /// Has bought, and not for long.
    Dormant,
    /// Has removed the merchant, or was removed.
    Lost,
    /// Was dormant or lost, and came back.
    WonBack,
}

impl Stage {
    /// Every stage, in the order of the documents.
    pub const ALL: [Self; 9] = [
        Self::Stranger,
        Self::Lead,
        Self::Contact,
        Self::Buyer,
        Self::RepeatBuyer,
        Self::Loyal,
        Self::Dormant,
        Self::Lost,
        Self::WonBack,
    ];

    /// Its name in JSON, SQL and URLs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Lead => "lead",
            Self::Contact => "contact",
            Self::Buyer => "buyer",
            Self::RepeatBuyer => "repeat_buyer",
            Self::Loyal => "loyal",
            Self::Dormant => "dormant",
            Self::Lost => "lost",
            Self::WonBack => "won_back",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(text: &str) -> Result<Self, UnknownStage> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or_else(|| UnknownStage(text.to_owned()))
    }
}

/// A text that is no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a stage: use one of stranger, lead, contact, buyer, repeat_buyer, loyal, dormant, lost, won_back"
)]
pub struct UnknownStage(String);

/// A value of a field of the profile that the merchant has defined. Free text is personal data and never one of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AttributeValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// One of the field's choices, or a date `YYYY-MM-DD`.
    Text(String),
}
