//! Every platform's module against its simulated server, over HTTP and with no host between: both were written from the
//! platform's documents, and share nothing.
//!
//! A new platform is a row in [`dialects`].

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

mod books;
mod calls;
mod clock;
mod decisions;
mod pair;
mod pulls;
mod pushes;
mod records;

use std::sync::Arc;

use siyu_tests::marketplace::dialect::Dialect;
use siyu_tests::marketplace::doudian::Doudian;
use siyu_tests::marketplace::jd::Jd;
use siyu_tests::marketplace::kuaishou::Kuaishou;
use siyu_tests::marketplace::pinduoduo::Pinduoduo;
use siyu_tests::marketplace::taobao::Taobao;
use siyu_tests::marketplace::wechat_store::WechatStore;
use siyu_tests::marketplace::weidian::Weidian;
use siyu_tests::marketplace::xiaohongshu::Xiaohongshu;
use siyu_tests::marketplace::youzan::Youzan;

/// Some time in the past, Unix seconds.
const THEN: i64 = 1_790_000_000;

/// What a platform's module is configured with beside the app that its server knows: name and text.
type Settings = &'static [(&'static str, &'static str)];

/// Every simulated platform.
fn dialects() -> Vec<(Arc<dyn Dialect>, Settings)> {
    vec![
        (Arc::new(Doudian), &[("return_address_id", "7000001"), ("refuse_reason_code", "20001")]),
        (
            Arc::new(Youzan),
            &[("return_name", "测试仓库"), ("return_phone", "10000000000"), ("return_address", "测试路1号")],
        ),
        (Arc::new(Weidian), &[]),
        (Arc::new(Taobao), &[("return_address_id", "7000001")]),
        (Arc::new(Jd), &[]),
        (Arc::new(Kuaishou), &[]),
        (Arc::new(Pinduoduo), &[]),
        (Arc::new(WechatStore), &[("return_address_id", "7000001"), ("refusal_reason", "1")]),
        (
            Arc::new(Xiaohongshu),
            &[("return_address_id", "7000001"), ("refusal_reason", "5"), ("receipt_refusal_reason", "6")],
        ),
    ]
}
