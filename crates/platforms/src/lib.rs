//! Platforms, pure: each platform's signatures and payloads on one side, domain types on the other.
//!
//! Every marketplace is one module with the same face ([`marketplace`]) and the same rooms:
//!
//! - `verify`: is this delivery authentic? Over the raw bytes, in constant time, before anything is parsed;
//! - `decode`: bytes to the platform's own messages, unknown fields and kinds kept;
//! - `map`: one message or record to [`Fact`]s, exact in money (fen) and ids (text);
//! - `sign`: what the platform (or its simulator) would put on a delivery, and what our own requests carry.
//!
//! Nothing here does I/O; the current time is an argument. A new marketplace is a module and its row in the table below.

pub mod activity;
pub mod doudian;
pub mod jd;
pub mod kuaidi100;
pub mod kuaishou;
pub mod marketplace;
pub mod official_account;
pub mod own;
pub mod pinduoduo;
pub mod standard_webhooks;
pub mod taobao;
pub mod warehouse;
pub mod wechat;
pub mod wechat_store;
pub mod wecom;
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

/// Three functions and not one, since a component holds what it may call: the courier no reading of records, orders no requests.
macro_rules! marketplaces {
    ($($platform:ident => $module:ident::$name:ident,)+) => {
        /// A platform whose pushes and records are understood.
        pub fn source(platform: Platform) -> Option<&'static dyn Source> {
            match platform {
                $(Platform::$platform => Some(&$module::$name),)+
                _ => None,
            }
        }

        /// A platform that can be asked.
        pub fn api(platform: Platform) -> Option<&'static dyn Api> {
            match platform {
                $(Platform::$platform => Some(&$module::$name),)+
                _ => None,
            }
        }

        /// How an app of a platform is configured.
        pub fn settings(platform: Platform) -> &'static [Setting] {
            match platform {
                $(Platform::$platform => $module::SETTINGS,)+
                _ => &[],
            }
        }
    };
}

marketplaces! {
    Douyin => doudian::Doudian,
    Taobao => taobao::Taobao,
    Jd => jd::Jd,
    Pinduoduo => pinduoduo::Pinduoduo,
    Kuaishou => kuaishou::Kuaishou,
    WechatStore => wechat_store::WechatStore,
    Xiaohongshu => xiaohongshu::Xiaohongshu,
    Youzan => youzan::Youzan,
    Weidian => weidian::Weidian,
}
