//! Simulated marketplaces, on real HTTP: one engine for all, and one short dialect for each.
//!
//! - [`shop`] is what every platform has: orders, after-sale cases, how they may change, stock as last set, and the books.
//! - [`dialect`] is what tells one platform from another: signatures, questions, records, pushes.
//! - [`server`] answers a dialect's API on a port of its own, keeps tokens and a log of calls, and has trouble on demand.
//! - [`push`] is what a platform sends to the merchant's webhook, with the mishaps of a real network.
//!
//! A dialect signs by itself and is checked against the same public vectors as the code under test, with which it shares
//! nothing, so that an error common to both cannot hide.

pub mod dialect;
pub mod doudian;
pub mod jd;
pub mod kuaishou;
pub mod pinduoduo;
pub mod push;
pub mod server;
pub mod shop;
pub mod taobao;
pub mod wechat_store;
pub mod weidian;
pub mod xiaohongshu;
pub mod youzan;

#[cfg(test)]
mod testing;

use std::sync::Arc;

/// All platforms but Doudian.
pub fn others() -> Vec<Arc<dyn dialect::Dialect>> {
    vec![
        Arc::new(taobao::Taobao),
        Arc::new(jd::Jd),
        Arc::new(pinduoduo::Pinduoduo),
        Arc::new(kuaishou::Kuaishou),
        Arc::new(wechat_store::WechatStore),
        Arc::new(xiaohongshu::Xiaohongshu),
        Arc::new(youzan::Youzan),
        Arc::new(weidian::Weidian),
    ]
}
