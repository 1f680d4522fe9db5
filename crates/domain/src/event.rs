//! The vocabulary of events: the only words in which one capability tells another something.
//!
//! An event is a past fact with a type (`order.paid`), a versioned payload (`v`), and a [`CloudEvent`] envelope. The
//! vocabulary is closed: a type or a version that this code does not know is an error, never a guess, so that a consumer
//! of an older release stops at (and later replays) what it cannot understand. docs/events.md is generated from here.

mod channel;
mod customer;
mod envelope;
mod membership;
mod payload;
mod relation;
mod version;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use self::channel::{
    AttributionDue, ContactDetailed, ContactFollow, ContactsDue, ContentRevisited, FissionHelpState, FissionHelped,
    FissionJoined, FissionRewarded, ReceptionDue, TemplateMessageEnded, WecomMarksDue, WecomTagsChanged, WelcomeEnded,
    WelcomeOutcome, WelcomeResultDue,
};
pub use self::customer::{
    ActivityRecorded, BackfillDue, CustomerAttributeChanged, CustomerConflict, CustomerErased, CustomerIdentified,
    CustomerMerged, CustomerSplit, CustomerStageChanged, CustomerStageDue, DayBegan, RfmDue, RuleMatched, TagDefined,
    TagEvent, TagRetired,
};
pub use self::envelope::{CloudEvent, SPEC_VERSION};
pub use self::membership::{
    MemberJoined, MemberLevelChanged, MemberLevelDue, PointsCause, PointsChanged, PointsExpiring, PointsExpiry,
    PointsRedeemed, RedemptionCancelled, RewardKind,
};
pub use self::payload::{
    BuyerFirstOrder, ClockMoved, OrderDetailOverdue, OrderEvent, OutboxFailed, OutboxSucceeded, ParcelEvent,
    PickupChanged, PullDue, PullKind, RefundEvent, ReturnReceived, ShopEvent, SkuCycle, StockCause, StockChanged,
    StockPushDue, StockShort,
};
pub use self::relation::{
    CustomerImported, FollowUpDue, FollowUpOutcome, FollowUpRecorded, FollowUpStep, HandoverAnswer, HandoverAnswered,
    HandoverBegun, HandoverDue, HandoverResultDue, ImportDue, ImportedPoints, RelationChange, RelationChanged,
    RelationSide,
};
pub use self::version::Version;

macro_rules! vocabulary {
    ($($(#[doc = $doc:literal])+ $variant:ident($payload:ident, $version:literal) = $name:literal;)+) => {
        /// Everything that can happen, as `type` and `data`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(tag = "type", content = "data")]
        pub enum Event {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant($payload),)+
        }

        impl Event {
            /// Every type with its payload's name and the version this code writes, in the order of the documents.
            pub const TYPES: &[EventType] = &[$(EventType {
                name: $name,
                version: $version,
                payload: stringify!($payload),
                doc: concat!($($doc, "\n"),+),
            }),+];

            /// Its type's name, as in the log's `type` column.
            pub const fn type_name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)+
                }
            }

            /// Its payload, as in the log's `data` column.
            ///
            /// # Errors
            /// [`EventError::Malformed`] never happens for payloads of this crate: none has a map with keys that are not text.
            pub fn data(&self) -> Result<Value, EventError> {
                match self {
                    $(Self::$variant(payload) => serde_json::to_value(payload),)+
                }
                .map_err(|source| EventError::Malformed { name: self.type_name().to_owned(), reason: source.to_string() })
            }

            /// Its payload as text, as it goes into the log's `data` column.
            ///
            /// # Errors
            /// As for [`Event::data`].
            pub fn json(&self) -> Result<String, EventError> {
                match self {
                    $(Self::$variant(payload) => serde_json::to_string(payload),)+
                }
                .map_err(|source| EventError::Malformed { name: self.type_name().to_owned(), reason: source.to_string() })
            }

            /// Reads the payload of a type that is known. By the type's own form, not by the enum's: that would carry every payload's code
            /// twice into every function.
            fn payload(type_name: &str, data: &str) -> Option<serde_json::Result<Self>> {
                match type_name {
                    $($name => Some(serde_json::from_str(data).map(Self::$variant)),)+
                    _ => None,
                }
            }
        }

        // The version named here is the one in the payload, or this does not compile.
        $(const _: fn(&$payload) -> Version<$version> = |payload| payload.v;)+
    };
}

vocabulary! {
    /// An order was placed: the first news of it.
    OrderCreated(OrderEvent, 1) = "order.created";
    /// An order was paid.
    OrderPaid(OrderEvent, 1) = "order.paid";
    /// All of an order was handed to carriers.
    OrderShipped(OrderEvent, 1) = "order.shipped";
    /// The buyer received an order.
    OrderSigned(OrderEvent, 1) = "order.signed";
    /// An order was finished on its platform.
    OrderCompleted(OrderEvent, 1) = "order.completed";
    /// An order was cancelled or closed.
    OrderClosed(OrderEvent, 1) = "order.closed";
    /// The full record of an order arrived, or changed, after a step had been announced without it.
    OrderDetailed(OrderEvent, 1) = "order.detailed";
    /// The full record of an order was to be here by now. A timer.
    OrderDetailOverdue(OrderDetailOverdue, 1) = "order.detail_overdue";
    /// A refund was asked for.
    RefundApplied(RefundEvent, 1) = "refund.applied";
    /// The merchant agreed to a refund.
    RefundAgreed(RefundEvent, 1) = "refund.agreed";
    /// A refund's money went back to the buyer.
    RefundRefunded(RefundEvent, 1) = "refund.refunded";
    /// The merchant refused a refund.
    RefundRejected(RefundEvent, 1) = "refund.rejected";
    /// A refund was withdrawn, or closed without money.
    RefundCancelled(RefundEvent, 1) = "refund.cancelled";
    /// The stock of a SKU changed.
    StockChanged(StockChanged, 1) = "stock.changed";
    /// An order was sold short.
    StockShort(StockShort, 1) = "stock.short";
    /// A parcel was signed for.
    ParcelSigned(ParcelEvent, 1) = "parcel.signed";
    /// Something is wrong with a parcel.
    ParcelProblem(ParcelEvent, 1) = "parcel.problem";
    /// A parcel is with its sender again.
    ParcelReturned(ParcelEvent, 1) = "parcel.returned";
    /// An order is its buyer's first.
    BuyerFirstOrder(BuyerFirstOrder, 1) = "buyer.first_order";
    /// The replenishment cycle of a SKU changed.
    SkuCycle(SkuCycle, 1) = "sku.cycle";
    /// The goods of an after-sale case came back.
    ReturnReceived(ReturnReceived, 1) = "return.received";
    /// A courier who fetches goods from a buyer got on, or the carrier's fee became known.
    PickupChanged(PickupChanged, 1) = "pickup.changed";
    /// Platforms that offer a SKU are to be told its stock. A timer.
    StockPushDue(StockPushDue, 1) = "stock.push_due";
    /// A shop on a marketplace was connected.
    ShopConnected(ShopEvent, 1) = "shop.connected";
    /// A shop on a marketplace was disconnected.
    ShopDisconnected(ShopEvent, 1) = "shop.disconnected";
    /// A connected shop is to be asked what changed. A timer.
    PullDue(PullDue, 1) = "pull.due";
    /// A person did something, as a source outside tells.
    ActivityRecorded(ActivityRecorded, 1) = "activity.recorded";
    /// Identities are a customer's from now on.
    CustomerIdentified(CustomerIdentified, 1) = "customer.identified";
    /// Two customers are one.
    CustomerMerged(CustomerMerged, 1) = "customer.merged";
    /// A customer who was merged is one of its own again.
    CustomerSplit(CustomerSplit, 1) = "customer.split";
    /// Two customers may be one: a person is to settle it.
    CustomerConflict(CustomerConflict, 1) = "customer.conflict";
    /// A customer moved to another stage.
    CustomerStageChanged(CustomerStageChanged, 1) = "customer.stage_changed";
    /// Without a purchase until now a customer is dormant. A timer.
    CustomerStageDue(CustomerStageDue, 1) = "customer.stage_due";
    /// A field of a customer's profile changed.
    CustomerAttributeChanged(CustomerAttributeChanged, 1) = "customer.attribute_changed";
    /// The personal data of a customer were erased.
    CustomerErased(CustomerErased, 1) = "customer.erased";
    /// The relation between a member of staff and a customer began or ended.
    RelationChanged(RelationChanged, 1) = "relation.changed";
    /// Customers of a handover are to be given to the other member of staff. A timer.
    HandoverDue(HandoverDue, 1) = "handover.due";
    /// Customers of a handover are to be handed over at WeCom too.
    HandoverBegun(HandoverBegun, 1) = "handover.begun";
    /// WeCom has said what becomes of a customer of a handover.
    HandoverAnswered(HandoverAnswered, 1) = "handover.answered";
    /// WeCom is to be asked how a handover fares. A timer.
    HandoverResultDue(HandoverResultDue, 1) = "handover.result_due";
    /// A member of staff wrote down a contact with a customer, or what became of it.
    FollowUpRecorded(FollowUpRecorded, 1) = "follow_up.recorded";
    /// A member of staff is to get in touch with a customer again. A timer.
    FollowUpDue(FollowUpDue, 1) = "follow_up.due";
    /// A row of an import told of a customer.
    CustomerImported(CustomerImported, 1) = "customer.imported";
    /// Rows of an import are to be worked off. A timer.
    ImportDue(ImportDue, 1) = "import.due";
    /// A customer got a tag.
    TagAdded(TagEvent, 1) = "tag.added";
    /// A customer lost a tag.
    TagRemoved(TagEvent, 1) = "tag.removed";
    /// A person's word on a customer's tag was taken back: rules decide again.
    TagReleased(TagEvent, 1) = "tag.released";
    /// A tag was retired: nobody gets it any more, and who has it loses it.
    TagRetired(TagRetired, 1) = "tag.retired";
    /// A tag was made or renamed, or its group was renamed.
    TagDefined(TagDefined, 1) = "tag.defined";
    /// A customer has come to fulfil a rule that raises an event.
    RuleMatched(RuleMatched, 1) = "rule.matched";
    /// A day of the merchant's calendar began. A timer.
    TaggingDay(DayBegan, 1) = "tagging.day";
    /// Customers are to be looked at again by a new rule or segment, or to lose a retired tag. A timer.
    TaggingBackfill(BackfillDue, 1) = "tagging.backfill";
    /// Limits of RFM scores are to be put in force, or worked out again. A timer.
    TaggingRfm(RfmDue, 1) = "tagging.rfm";
    /// Somebody claimed a member card.
    MemberJoined(MemberJoined, 1) = "member.joined";
    /// A customer's level of membership changed.
    MemberLevelChanged(MemberLevelChanged, 1) = "member.level_changed";
    /// A level of membership is to be looked at again. A timer.
    MemberLevelDue(MemberLevelDue, 1) = "member.level_due";
    /// A customer's points changed.
    PointsChanged(PointsChanged, 1) = "points.changed";
    /// Points of a customer expire soon.
    PointsExpiring(PointsExpiring, 1) = "points.expiring";
    /// Points of a customer expire, or a reminder of that is due. A timer.
    PointsExpiry(PointsExpiry, 1) = "points.expiry";
    /// A customer gave points for something.
    PointsRedeemed(PointsRedeemed, 1) = "points.redeemed";
    /// A redemption of points was cancelled.
    RedemptionCancelled(RedemptionCancelled, 1) = "points.redemption_cancelled";
    /// WeCom told all that it knows of a contact, or the Official Account of a follower.
    ContactDetailed(ContactDetailed, 1) = "contact.detailed";
    /// Tags of the company changed at WeCom.
    WecomTagsChanged(WecomTagsChanged, 1) = "wecom.tags_changed";
    /// Contacts of customers who have a tag are to be marked with it at WeCom. A timer.
    WecomMarksDue(WecomMarksDue, 1) = "wecom.marks_due";
    /// The welcome of a contact ended, one way or another.
    WelcomeEnded(WelcomeEnded, 1) = "welcome.ended";
    /// The sending of a template message ended, one way or another.
    TemplateMessageEnded(TemplateMessageEnded, 1) = "template_message.ended";
    /// WeCom is to be asked whether a message in a welcome's place was sent. A timer.
    WelcomeResultDue(WelcomeResultDue, 1) = "welcome.result_due";
    /// Who receives by a code is to be worked out again. A timer.
    ReceptionDue(ReceptionDue, 1) = "reception.due";
    /// WeCom is to be asked who the contacts of a member of staff are. A timer.
    ContactsDue(ContactsDue, 1) = "contacts.due";
    /// Which channels orders are owed to is to be worked out again. A timer.
    AttributionDue(AttributionDue, 1) = "attribution.due";
    /// Somebody asked for a code of one's own in a fission.
    FissionJoined(FissionJoined, 1) = "fission.joined";
    /// A friend came by an inviter's own code, or left again.
    FissionHelped(FissionHelped, 1) = "fission.helped";
    /// An inviter reached a level of a fission, and is owed its reward.
    FissionRewarded(FissionRewarded, 1) = "fission.rewarded";
    /// An inviter fell below a level of a fission before its reward was given.
    FissionRewardVoided(FissionRewarded, 1) = "fission.reward_voided";
    /// A person has opened one content so often that the advisor is to know.
    ContentRevisited(ContentRevisited, 1) = "content.revisited";
    /// A call to another system was answered with success.
    OutboxSucceeded(OutboxSucceeded, 1) = "outbox.succeeded";
    /// A call to another system was given up.
    OutboxFailed(OutboxFailed, 1) = "outbox.failed";
    /// The virtual clock of a test or a simulation was moved.
    ClockMoved(ClockMoved, 1) = "clock.moved";
}

impl Event {
    /// Reads an event from the log's `type` and `data` columns.
    ///
    /// # Errors
    /// [`EventError`] for a type or a version that this code does not know, and for a payload that does not fit its type.
    pub fn parse(type_name: &str, data: &str) -> Result<Self, EventError> {
        let known = Self::TYPES
            .iter()
            .find(|known| known.name == type_name)
            .ok_or_else(|| EventError::UnknownType(type_name.to_owned()))?;
        let malformed = |source: serde_json::Error| EventError::Malformed {
            name: type_name.to_owned(),
            reason: source.to_string(),
        };
        // The version first: fields of an unknown version would otherwise be reported as mistakes.
        let Versioned { v } = serde_json::from_str(data).map_err(malformed)?;
        if v != u64::from(known.version) {
            return Err(EventError::UnknownVersion { name: type_name.to_owned(), found: v, known: known.version });
        }
        Self::payload(type_name, data)
            .unwrap_or_else(|| Err(serde::de::Error::custom("not a type of this release")))
            .map_err(malformed)
    }
}

/// What every payload begins with, as far as readers of all releases know.
#[derive(Deserialize)]
struct Versioned {
    v: u64,
}

/// A type of event, for documents and filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType {
    /// The name on the wire: `order.paid`.
    pub name: &'static str,
    /// The version of the payload that this code reads and writes.
    pub version: u32,
    /// The name of the payload's schema.
    pub payload: &'static str,
    /// What it says.
    pub doc: &'static str,
}

/// Why an event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Not a word of the vocabulary.
    #[error("{0:?} is not an event type of this release: a newer release wrote it, or the name is misspelt")]
    UnknownType(String),
    /// Written by another release.
    #[error(
        "{name} has version {found}, this release reads version {known}: deploy the release that wrote it, then replay"
    )]
    UnknownVersion {
        /// The event's type.
        name: String,
        /// The version in the payload.
        found: u64,
        /// The version this code reads.
        known: u32,
    },
    /// The payload does not fit.
    #[error("the data of {name} does not fit its type: {reason}")]
    Malformed {
        /// The event's type.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::{ClockMoved, CloudEvent, Event, EventError, Version};
    use crate::{EventId, UnixMs};

    fn event() -> Event {
        let at = |seconds| UnixMs::from_seconds(seconds).unwrap();
        Event::ClockMoved(ClockMoved { v: Version, from: at(0), to: at(60) })
    }

    #[test]
    fn the_wire_form_is_type_and_versioned_data() {
        let expected = r#"{"type":"clock.moved","data":{"v":1,"from":"1970-01-01T00:00:00.000Z","to":"1970-01-01T00:01:00.000Z"}}"#;
        assert_eq!(serde_json::to_string(&event()).unwrap(), expected);
        assert_eq!(Event::parse(event().type_name(), &event().data().unwrap().to_string()), Ok(event()));
    }

    #[test]
    fn the_envelope_is_cloudevents_1_0() {
        let id = EventId::new(UnixMs::EPOCH, [0; 10]);
        let envelope =
            CloudEvent::new(id, "/functions/pump", Some("clock".to_owned()), UnixMs::EPOCH, &event()).unwrap();
        let json = serde_json::to_value(&envelope).unwrap();
        for (attribute, value) in [
            ("specversion", "1.0"),
            ("type", "clock.moved"),
            ("source", "/functions/pump"),
            ("time", "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(json[attribute], value);
        }
        assert_eq!(envelope.event(), Ok(event()));
    }

    #[test]
    fn an_unknown_type_is_an_error() {
        assert_eq!(Event::parse("order.teleported", "{}"), Err(EventError::UnknownType("order.teleported".to_owned())));
    }

    #[test]
    fn an_unknown_version_is_an_error_even_with_fields_of_its_own() {
        let error = Event::parse("clock.moved", r#"{"v":2,"skew":5}"#).unwrap_err();
        assert_eq!(error, EventError::UnknownVersion { name: "clock.moved".to_owned(), found: 2, known: 1 });
        let nested =
            r#"{"type":"clock.moved","data":{"v":2,"from":"1970-01-01T00:00:00Z","to":"1970-01-01T00:00:00Z"}}"#;
        assert!(serde_json::from_str::<Event>(nested).unwrap_err().to_string().contains("version 1"));
    }

    #[test]
    fn data_that_does_not_fit_is_an_error() {
        for data in [
            r#"{"from":"1970-01-01T00:00:00Z","to":"1970-01-01T00:00:00Z"}"#,
            r#"{"v":1,"from":"1970-01-01T00:00:00Z"}"#,
            r#"{"v":1,"from":"1970-01-01T00:00:00Z","to":"1970-01-01T00:00:00Z","by":"x"}"#,
            r#"{"v":1"#,
            "null",
        ] {
            assert!(matches!(Event::parse("clock.moved", data), Err(EventError::Malformed { .. })), "{data}");
        }
    }

    #[test]
    fn type_names_are_unique_and_dotted() {
        let mut names: Vec<&str> = Event::TYPES.iter().map(|known| known.name).collect();
        assert!(names.iter().all(|name| name.split('.').count() == 2));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Event::TYPES.len());
    }
}
