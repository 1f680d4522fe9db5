//! Identifiers of our own things (UUIDv7, one type per thing) and the names of the platforms we talk to.
//!
//! A platform's own ids are text always: they exceed 2^53, and some are not numbers at all.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::UnixMs;

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        ///
        /// A UUIDv7 (RFC 9562 section 5.7): sorts by the time it was made. Text form: plain lower-case UUID.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid", example = "01890a5d-ac96-774b-bcce-b302099a8057")]
        pub struct $name(Uuid);

        impl $name {
            /// Makes an id from the instant and ten random bytes, both given by the caller: this crate asks no host.
            /// Instants before 1970 count as 1970.
            pub fn new(now: UnixMs, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The UUID itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError::NotUuid(text.to_owned()))
            }
        }
    )+};
}

ids! {
    /// An order in our books, whatever platform it came from.
    OrderId;
    /// A refund in our books.
    RefundId;
    /// An event of the log.
    EventId;
    /// A pickup: a courier fetches the goods of a refund.
    PickupId;
    /// A row of the outbox: one call to another system.
    OutboxId;
    /// A timer: an event that is due later.
    TimerId;
    /// A bearer token of the API (its record, not its text).
    TokenId;
    /// A dead letter: an event that a consumer could not apply.
    DeadLetterId;
    /// A row of the audit table.
    AuditId;
    /// Authentic input that was not understood and is kept.
    QuarantineId;
    /// A customer (OneID).
    CustomerId;
    /// Two customers who may be one and cannot be merged without a person.
    ConflictId;
    /// A handover: customers of one member of staff go to another.
    HandoverId;
    /// A follow-up of a member of staff with a customer.
    FollowUpId;
    /// An import of a file.
    ImportId;
    /// A group of tags.
    TagGroupId;
    /// A tag.
    TagId;
    /// A rule that tags.
    RuleId;
    /// A segment.
    SegmentId;
    /// A reward that points are given for.
    RewardId;
    /// A redemption: points given for something.
    RedemptionId;
    /// A channel code.
    ChannelCodeId;
    /// A fission: a campaign in which friends bring friends.
    FissionId;
    /// An inviter's part in a fission.
    ParticipantId;
    /// A tracked content.
    ContentId;
}

/// Where an order or an identity comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Douyin's shops, run through Doudian (抖店).
    Douyin,
    /// Taobao and Tmall (淘宝, 天猫).
    Taobao,
    /// JD (京东).
    Jd,
    /// Pinduoduo (拼多多).
    Pinduoduo,
    /// Kuaishou (快手).
    Kuaishou,
    /// WeChat Store (微信小店).
    WechatStore,
    /// Xiaohongshu (小红书).
    Xiaohongshu,
    /// Youzan (有赞).
    Youzan,
    /// Weidian (微店).
    Weidian,
    /// The merchant's own shops, tills (POS) and mini-programs.
    Own,
}

impl Platform {
    /// Every platform, in the order of the documents.
    pub const ALL: [Self; 10] = [
        Self::Douyin,
        Self::Taobao,
        Self::Jd,
        Self::Pinduoduo,
        Self::Kuaishou,
        Self::WechatStore,
        Self::Xiaohongshu,
        Self::Youzan,
        Self::Weidian,
        Self::Own,
    ];

    /// Its name in JSON, SQL and URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Douyin => "douyin",
            Self::Taobao => "taobao",
            Self::Jd => "jd",
            Self::Pinduoduo => "pinduoduo",
            Self::Kuaishou => "kuaishou",
            Self::WechatStore => "wechat_store",
            Self::Xiaohongshu => "xiaohongshu",
            Self::Youzan => "youzan",
            Self::Weidian => "weidian",
            Self::Own => "own",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Platform {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.as_str() == text)
            .ok_or_else(|| IdError::UnknownPlatform(text.to_owned()))
    }
}

/// Why a text names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not a UUID.
    #[error("{0:?} is not an id: ids are UUIDs such as 01890a5d-ac96-774b-bcce-b302099a8057")]
    NotUuid(String),
    /// Not a platform.
    #[error(
        "{0:?} is not a platform: use one of douyin, taobao, jd, pinduoduo, kuaishou, wechat_store, xiaohongshu, youzan, weidian, own"
    )]
    UnknownPlatform(String),
}

#[cfg(test)]
mod tests {
    use super::{EventId, IdError, OrderId, Platform};
    use crate::UnixMs;

    #[test]
    fn ids_are_version_7_and_sort_by_time() {
        let at = |millis| UnixMs::from_millis(millis).unwrap();
        let (earlier, later) =
            (OrderId::new(at(1_770_000_000_000), [255; 10]), OrderId::new(at(1_770_000_000_001), [0; 10]));
        assert!(earlier < later && earlier.to_string() < later.to_string());
        assert_eq!(earlier.uuid().get_version_num(), 7);
        assert_eq!(EventId::new(at(-1), [0; 10]).to_string(), "00000000-0000-7000-8000-000000000000");
    }

    #[test]
    fn ids_read_back_and_refuse_what_is_none() {
        let text = "01890a5d-ac96-774b-bcce-b302099a8057";
        let id: OrderId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(serde_json::from_str::<OrderId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        assert_eq!("42".parse::<OrderId>(), Err(IdError::NotUuid("42".to_owned())));
    }

    #[test]
    fn platforms_have_one_name_in_text_and_json() {
        for platform in Platform::ALL {
            assert_eq!(platform.to_string().parse(), Ok(platform));
            assert_eq!(serde_json::to_string(&platform).unwrap(), format!("\"{platform}\""));
        }
        assert_eq!("amazon".parse::<Platform>(), Err(IdError::UnknownPlatform("amazon".to_owned())));
    }
}
