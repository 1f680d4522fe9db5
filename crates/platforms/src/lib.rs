//! Platforms, pure: each platform's signatures and payloads on one side, domain types on the other.
//!
//! Every marketplace is one module with the same face ([`marketplace`]) and the same rooms:
//!
//! - `verify`: is this delivery authentic? Over the raw bytes, in constant time, before anything is parsed;
//! - `decode`: bytes to the platform's own messages, unknown fields and kinds kept;
//! - `map`: one message or record to [`Fact`]s, exact in money (fen) and ids (text);
//! - `sign`: what the platform (or its simulator) would put on a delivery, and what our own requests carry.
//!
//! Nothing here does I/O; the current time is an argument. A new marketplace is a module and its rows in the tables below.

pub mod doudian;
pub mod jd;
pub mod kuaidi100;
pub mod kuaishou;
pub mod marketplace;
pub mod own;
pub mod pinduoduo;
pub mod standard_webhooks;
pub mod taobao;
pub mod warehouse;
pub mod wechat;
pub mod wechat_store;
pub mod weidian;
pub mod xiaohongshu;
pub mod youzan;

mod backwards;
mod digest;
mod gmt8;
mod lenient;
mod line_id;
mod mac;
mod signature;

use domain::{OrderFacts, OrderKey, Platform, RefundFacts};
use marketplace::{Api, Setting, Source};

pub use gmt8::gmt8_text;

/// What a delivery tells. Facts merge ([`OrderFacts::merge`], [`RefundFacts::merge`]): order and repetition do not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Something about an order.
    Order {
        /// Which order.
        key: OrderKey,
        /// What about it.
        facts: OrderFacts,
    },
    /// Something about an after-sale case.
    Refund {
        /// The order it belongs to.
        order: OrderKey,
        /// The platform's id of the case.
        after_sale_id: String,
        /// What about it.
        facts: RefundFacts,
    },
}

/// A platform whose pushes and records are understood.
pub fn source(platform: Platform) -> Option<&'static dyn Source> {
    Some(match platform {
        Platform::Douyin => &doudian::Doudian,
        Platform::Taobao => &taobao::Taobao,
        Platform::Jd => &jd::Jd,
        Platform::Pinduoduo => &pinduoduo::Pinduoduo,
        Platform::Kuaishou => &kuaishou::Kuaishou,
        Platform::WechatStore => &wechat_store::WechatStore,
        Platform::Xiaohongshu => &xiaohongshu::Xiaohongshu,
        Platform::Youzan => &youzan::Youzan,
        Platform::Weidian => &weidian::Weidian,
        _ => return None,
    })
}

/// A platform that can be asked.
pub fn api(platform: Platform) -> Option<&'static dyn Api> {
    Some(match platform {
        Platform::Douyin => &doudian::Doudian,
        Platform::Taobao => &taobao::Taobao,
        Platform::Jd => &jd::Jd,
        Platform::Pinduoduo => &pinduoduo::Pinduoduo,
        Platform::Kuaishou => &kuaishou::Kuaishou,
        Platform::WechatStore => &wechat_store::WechatStore,
        Platform::Xiaohongshu => &xiaohongshu::Xiaohongshu,
        Platform::Youzan => &youzan::Youzan,
        Platform::Weidian => &weidian::Weidian,
        _ => return None,
    })
}

/// How an app of a platform is configured.
pub fn settings(platform: Platform) -> &'static [Setting] {
    match platform {
        Platform::Douyin => doudian::SETTINGS,
        Platform::Taobao => taobao::SETTINGS,
        Platform::Jd => jd::SETTINGS,
        Platform::Pinduoduo => pinduoduo::SETTINGS,
        Platform::Kuaishou => kuaishou::SETTINGS,
        Platform::WechatStore => wechat_store::SETTINGS,
        Platform::Xiaohongshu => xiaohongshu::SETTINGS,
        Platform::Youzan => youzan::SETTINGS,
        Platform::Weidian => weidian::SETTINGS,
        _ => &[],
    }
}
