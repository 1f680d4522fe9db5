//! What the events about customers and their tags carry.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Version;
use crate::{
    Activity, AttributeValue, ConflictId, CustomerId, Identity, OrderId, RuleId, SegmentId, Stage, TagGroupId, TagId,
    UnixMs,
};

/// A person did something, as a source outside tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityRecorded {
    /// Version of this payload.
    pub v: Version<1>,
    /// The source, as it names itself: `mini-program`, `pos/shanghai-01`.
    pub source: String,
    /// Who: ids and keyed hashes, sorted.
    pub identities: Vec<Identity>,
    /// What may hint at who and proves nothing: hashes of an unverified phone, of a name.
    pub hints: Vec<Identity>,
    /// The channel that it came by.
    pub channel: Option<String>,
    /// The store (`/east/shanghai-01`).
    pub store: Option<String>,
    /// The member of staff, by the merchant's number.
    pub staff: Option<String>,
    /// When it happened, UTC.
    pub at: UnixMs,
    /// What.
    pub activity: Activity,
}

/// These identities are this customer's from now on, whoever's they were before. Together, the newest of these events for each
/// identity say who is who.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerIdentified {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
    /// Whether the customer is new.
    pub new: bool,
    /// Identities that were not the customer's before, sorted.
    pub identities: Vec<Identity>,
    /// When it became known, UTC.
    pub at: UnixMs,
}

/// Two customers are one. The older stays; the id of the other goes on to name the one that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerMerged {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer who stays.
    pub customer_id: CustomerId,
    /// The customer who became part of that one.
    pub merged_id: CustomerId,
    /// The person who decided it (a token's id); absent where identities proved it.
    pub by: Option<String>,
    /// Why, in words of that person.
    pub reason: Option<String>,
    /// When, UTC.
    pub at: UnixMs,
}

/// A customer who was merged is one of its own again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerSplit {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer that it was part of.
    pub customer_id: CustomerId,
    /// The customer who is one of its own again.
    pub split_id: CustomerId,
    /// The person who decided it (a token's id); absent where what became known shows it.
    pub by: Option<String>,
    /// Why, in words of that person.
    pub reason: Option<String>,
    /// When, UTC.
    pub at: UnixMs,
}

/// Something says that two customers are one, and something else that they cannot be: a person is to settle it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerConflict {
    /// Version of this payload.
    pub v: Version<1>,
    /// The conflict, as in the queue.
    pub conflict_id: ConflictId,
    /// The two customers.
    pub customer_ids: [CustomerId; 2],
    /// When it became known, UTC.
    pub at: UnixMs,
}

/// A customer moved to another stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerStageChanged {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
    /// The stage before; absent for a new customer.
    pub from: Option<Stage>,
    /// The stage now.
    pub to: Stage,
    /// The type of the event that caused it: `order.paid`.
    pub cause: String,
    /// When, UTC.
    pub at: UnixMs,
}

/// A timer: without a purchase until now a customer is dormant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerStageDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
}

/// A field of a customer's profile changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerAttributeChanged {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
    /// The field, as the merchant defined it.
    pub field: String,
    /// The value now; absent where it was taken away. Free text is never told here.
    pub value: Option<AttributeValue>,
    /// Who told: `form`, `staff`, `import`.
    pub source: String,
    /// When it was true, UTC.
    pub at: UnixMs,
}

/// The personal data of a customer were erased. Figures stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerErased {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
    /// The orders whose buyer it was, so that what they keep of a person goes too.
    pub order_ids: Vec<OrderId>,
    /// When, UTC.
    pub at: UnixMs,
}

/// A customer got a tag, or lost one, or a person's word on it was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagEvent {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
    /// The tag.
    pub tag_id: TagId,
    /// The rule whose doing it is; absent where a person did it.
    pub rule_id: Option<RuleId>,
    /// The person (a token's id); absent where a rule did it or the tag's time was over.
    pub by: Option<String>,
    /// When, UTC.
    pub at: UnixMs,
}

/// A tag was made or renamed, or its group was renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagDefined {
    /// Version of this payload.
    pub v: Version<1>,
    /// The tag; absent where the group was renamed.
    pub tag_id: Option<TagId>,
    /// The tag's group.
    pub tag_group_id: TagGroupId,
    /// What the tag is called from now on; absent where the group was renamed.
    pub name: Option<String>,
    /// What the group is called.
    pub group_name: String,
    /// When, UTC.
    pub at: UnixMs,
}

/// A tag was retired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TagRetired {
    /// Version of this payload.
    pub v: Version<1>,
    /// The tag.
    pub tag_id: TagId,
    /// The tag's group.
    pub tag_group_id: TagGroupId,
    /// When, UTC.
    pub at: UnixMs,
}

/// A customer has come to fulfil a rule that raises an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleMatched {
    /// Version of this payload.
    pub v: Version<1>,
    /// The customer.
    pub customer_id: CustomerId,
    /// The rule.
    pub rule_id: RuleId,
    /// The rule's version.
    pub version: i64,
    /// The name that the rule raises.
    pub name: String,
    /// When, UTC.
    pub at: UnixMs,
}

/// A timer: a day of the merchant's calendar began, and with it windows and lifetimes moved on. Also told again while there is more
/// to do for that day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DayBegan {
    /// Version of this payload.
    pub v: Version<1>,
    /// The day, `YYYY-MM-DD`, in the merchant's time zone.
    pub day: String,
}

/// A timer: customers are to be looked at again, because a rule or a segment is new, or because a tag was retired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackfillDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The rule.
    pub rule_id: Option<RuleId>,
    /// The segment.
    pub segment_id: Option<SegmentId>,
    /// The retired tag, which goes from customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_id: Option<TagId>,
}

/// A timer: limits of RFM scores are to be put in force, or worked out again. Also told again while there is more to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RfmDue {
    /// Version of this payload.
    pub v: Version<1>,
    /// The version of the merchant's document (`PUT /v1/rfm`).
    pub version: i64,
    /// The month that begins, `YYYY-MM`, in the merchant's time zone: quantiles are worked out again. Absent otherwise.
    pub month: Option<String>,
}
