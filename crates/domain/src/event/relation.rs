//! What the events about staff and their customers carry: relations, handovers, follow-ups, imports.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Version;
use crate::{CustomerId, FollowUpId, HandoverId, Identity, ImportId, UnixMs};

/// What happened to the relation between a member of staff and a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelationChange {
    /// It began.
    Added,
    /// It began again.
    ReAdded,
    /// It ended.
    Lost,
    /// It ended because another member of staff took over.
    HandedOver,
}

impl RelationChange {
    /// Its name in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::ReAdded => "re_added",
            Self::Lost => "lost",
            Self::HandedOver => "handed_over",
        }
    }
}

/// Whose doing a change of a relation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RelationSide {
    /// The customer's.
    Customer,
    /// The member of staff's.
    Staff,
    /// The merchant's, who gave the customer to another member of staff.
    Handover,
}

impl RelationSide {
    /// Its name in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::Handover => "handover",
        }
    }
}

/// The relation between a member of staff and a customer began or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationChanged {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
    /// The member of staff, by the merchant's number.
    pub staff: String,
    /// What happened.
    pub change: RelationChange,
    /// Whose doing it was.
    pub by: RelationSide,
    /// When, UTC.
    pub at: UnixMs,
}

/// A timer: customers of a handover are to be given to the other member of staff. Comes again while there are more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoverDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The handover.
    pub handover_id: HandoverId,
}

/// Customers of a handover who are contacts at WeCom are to be handed over there: WeCom's word on each decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoverBegun {
    /// Version of this payload.
    pub v: Version<1>,
    /// The handover.
    pub handover_id: HandoverId,
    /// The member of staff who gives, by the merchant's number.
    pub from: String,
    /// The member of staff who receives, by the merchant's number.
    pub to: String,
    /// Whether the one who gives has left the company.
    pub resigned: bool,
    /// What WeCom tells the customers; its own words where it is absent, and of those who have left.
    pub message: Option<String>,
    /// The customers, at most 100.
    pub customer_ids: Vec<CustomerId>,
}

/// What WeCom says of handing a customer over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandoverAnswer {
    /// The other member of staff has it.
    Accepted,
    /// There is nothing to hand over at WeCom.
    NotThere,
    /// The customer does not want it.
    ByCustomer,
    /// The other member of staff has as many contacts as can be.
    ReceiverFull,
    /// It has been passed on twice within 90 days.
    TooOften,
    /// It is no contact of the one who gives.
    NotInPool,
    /// WeCom refuses for another reason, or tells no result.
    ByPlatform,
}

impl HandoverAnswer {
    /// Its name in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::NotThere => "not_there",
            Self::ByCustomer => "by_customer",
            Self::ReceiverFull => "receiver_full",
            Self::TooOften => "too_often",
            Self::NotInPool => "not_in_pool",
            Self::ByPlatform => "by_platform",
        }
    }
}

/// WeCom's word on a customer of a handover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoverAnswered {
    /// Version of this payload.
    pub v: Version<1>,
    /// The handover.
    pub handover_id: HandoverId,
    /// The customer, by the id that the handover has.
    pub customer_id: CustomerId,
    /// The word.
    pub answer: HandoverAnswer,
    /// WeCom's error, where there is one.
    pub error: Option<String>,
    /// When, UTC.
    pub at: UnixMs,
}

/// A timer: WeCom is to be asked how a handover fares. Comes again while customers of it wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandoverResultDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The handover.
    pub handover_id: HandoverId,
}

/// What a member of staff achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpOutcome {
    /// They spoke, and nothing more.
    Reached,
    /// Nobody answered.
    NoAnswer,
    /// The customer wants to hear more.
    Interested,
    /// The customer does not want it.
    Declined,
    /// A visit or a service was booked.
    Booked,
    /// The customer bought.
    Bought,
    /// Something else: the note says what.
    Other,
}

impl FollowUpOutcome {
    /// Its name in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::NoAnswer => "no_answer",
            Self::Interested => "interested",
            Self::Declined => "declined",
            Self::Booked => "booked",
            Self::Bought => "bought",
            Self::Other => "other",
        }
    }
}

/// What was done with a follow-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FollowUpStep {
    /// It was written down.
    Recorded,
    /// Its next date was moved, or another member of staff has taken it over.
    Moved,
    /// What was to be done next was done.
    Done,
}

impl FollowUpStep {
    /// Its name in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Moved => "moved",
            Self::Done => "done",
        }
    }
}

/// A member of staff wrote down a contact with a customer, or what became of it. The note itself is kept sealed, not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUpRecorded {
    /// Version of this payload.
    pub v: Version<1>,
    /// The follow-up.
    pub follow_up_id: FollowUpId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The member of staff, by the merchant's number.
    pub staff: String,
    /// What was done with it.
    pub step: FollowUpStep,
    /// What was achieved; of a moved one, what it had been.
    pub outcome: FollowUpOutcome,
    /// When to get in touch again, UTC; absent where nothing is to follow.
    pub next_at: Option<UnixMs>,
    /// When, UTC.
    pub at: UnixMs,
}

/// A timer: a member of staff is to get in touch with a customer again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUpDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The follow-up.
    pub follow_up_id: FollowUpId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The member of staff, by the merchant's number.
    pub staff: String,
    /// The date that was set, UTC.
    pub next_at: UnixMs,
}

/// Points that a row of an import gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedPoints {
    /// How many.
    pub points: i64,
    /// The last day on which they count, `YYYY-MM-DD` in the merchant's calendar; by the rules of the membership where it is absent.
    pub expires_on: Option<String>,
}

/// A row of an import told of a customer. What is personal in it is kept sealed, not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerImported {
    /// Version of this payload.
    pub v: Version<1>,
    /// The import.
    pub import_id: ImportId,
    /// Who: ids and keyed hashes, sorted.
    pub identities: Vec<Identity>,
    /// What may hint at who and proves nothing: hashes of an unverified phone, of a name.
    pub hints: Vec<Identity>,
    /// The store (`/east/shanghai-01`).
    pub store: Option<String>,
    /// The member of staff whose customer it is, by the merchant's number.
    pub advisor: Option<String>,
    /// Purposes that the customer has agreed to, sorted.
    pub consents: Vec<String>,
    /// Whether the row is of a member: one with a card.
    pub member: bool,
    /// Points to give.
    pub points: Option<ImportedPoints>,
    /// When the file came in, UTC.
    pub at: UnixMs,
}

/// A timer: rows of an import are to be worked off. Comes again while there are more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The import.
    pub import_id: ImportId,
}
