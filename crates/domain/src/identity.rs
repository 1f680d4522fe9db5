//! Identities: ways to recognise a person.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One way to recognise a person. Never personal data in clear: a platform's id, or a keyed hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// What kind of id it is.
    pub kind: IdentityKind,
    /// The account within which the value is unique (an app id, a shop id); absent where it is unique by itself.
    pub scope: Option<String>,
    /// The id or the hash.
    pub value: String,
}

/// Kinds of identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// Doudian's buyer id (`doudian_open_id`), per app.
    DouyinOpenId,
    /// Taobao's open uid (ouid).
    TaobaoOpenUid,
    /// JD's open id.
    JdOpenId,
    /// Pinduoduo's buyer id.
    PinduoduoOpenId,
    /// Kuaishou's open id.
    KuaishouOpenId,
    /// Xiaohongshu's open id (`xhsOpenId`).
    XiaohongshuOpenId,
    /// Youzan's open id (`yz_open_id`).
    YouzanOpenId,
    /// Weidian's buyer id.
    WeidianBuyerId,
    /// WeChat's unionid.
    WechatUnionId,
    /// WeChat's openid, per account.
    WechatOpenId,
    /// WeCom's external_userid.
    WecomExternalUserId,
    /// Keyed hash (HMAC-SHA-256, lower-case hex) of a phone number in E.164 form.
    PhoneHash,
    /// Number of the merchant's member card.
    MemberCard,
    /// The till's own customer number.
    PosId,
    /// WeCom's pending_id of somebody who has not added anybody yet.
    WecomPendingId,
    /// The account or device number of a source that has told of a person (mini-program, form, live room), per source.
    SourceId,
    /// Keyed hash of a name. Proves nothing.
    NameHash,
}

impl IdentityKind {
    /// Its name in JSON, SQL and URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DouyinOpenId => "douyin_open_id",
            Self::TaobaoOpenUid => "taobao_open_uid",
            Self::JdOpenId => "jd_open_id",
            Self::PinduoduoOpenId => "pinduoduo_open_id",
            Self::KuaishouOpenId => "kuaishou_open_id",
            Self::XiaohongshuOpenId => "xiaohongshu_open_id",
            Self::YouzanOpenId => "youzan_open_id",
            Self::WeidianBuyerId => "weidian_buyer_id",
            Self::WechatUnionId => "wechat_union_id",
            Self::WechatOpenId => "wechat_open_id",
            Self::WecomExternalUserId => "wecom_external_user_id",
            Self::PhoneHash => "phone_hash",
            Self::MemberCard => "member_card",
            Self::PosId => "pos_id",
            Self::WecomPendingId => "wecom_pending_id",
            Self::SourceId => "source_id",
            Self::NameHash => "name_hash",
        }
    }
    /// Whether two mentions of one value are the same person. A name proves nothing.
    #[must_use]
    pub const fn proves(self) -> bool {
        !matches!(self, Self::NameHash)
    }

    /// Whether a person has one value of it only, per scope: who shows two is two people, or a case for a person to settle. A
    /// phone or a member card is not of this kind: people have several.
    #[must_use]
    pub const fn is_single_valued(self) -> bool {
        matches!(self, Self::WechatUnionId | Self::WechatOpenId | Self::WecomExternalUserId)
    }
}
