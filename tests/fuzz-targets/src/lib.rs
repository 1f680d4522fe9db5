//! What must hold of everything that reads what others send, whatever the bytes: one target a decoder, a signature or a canonical form.
//!
//! `cargo fuzz` looks for bytes by which something does not (`fuzz/`); `tests/bounded.rs` plays the corpora and mutations of them in every run of the tests.

mod answer;
mod callback;
mod form;
mod own;
mod push;
mod read;

use domain::Platform::{Douyin, Jd, Kuaishou, Pinduoduo, Taobao, WechatStore, Weidian, Xiaohongshu, Youzan};
use domain::UnixMs;

/// A name, and what panics when something does not hold of these bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("answer_douyin", |bytes| answer::hold(Douyin, bytes)),
    ("answer_jd", |bytes| answer::hold(Jd, bytes)),
    ("answer_kuaishou", |bytes| answer::hold(Kuaishou, bytes)),
    ("answer_pinduoduo", |bytes| answer::hold(Pinduoduo, bytes)),
    ("answer_taobao", |bytes| answer::hold(Taobao, bytes)),
    ("answer_wechat_store", |bytes| answer::hold(WechatStore, bytes)),
    ("answer_weidian", |bytes| answer::hold(Weidian, bytes)),
    ("answer_xiaohongshu", |bytes| answer::hold(Xiaohongshu, bytes)),
    ("answer_youzan", |bytes| answer::hold(Youzan, bytes)),
    ("push_unsigned", push::unsigned),
    ("push_douyin", push::douyin),
    ("push_kuaidi100", push::kuaidi100),
    ("push_kuaishou", push::kuaishou),
    ("push_wechat_store", push::wechat_store),
    ("push_xiaohongshu", push::xiaohongshu),
    ("push_youzan", push::youzan),
    ("standard_webhooks", push::standard_webhooks),
    ("callback_crypto", callback::crypto),
    ("callback_envelope", callback::envelope),
    ("callback_wecom", callback::wecom),
    ("callback_official_account", callback::official_account),
    ("answer_wechat", callback::answer),
    ("own_order", own::order),
    ("own_stock", own::stock),
    ("own_events", own::events),
    ("canonical_json", form::canonical_json),
    ("event", form::event),
    ("money", form::money),
    ("phone", form::phone),
    ("time", form::time),
];

/// Plays one by its name.
///
/// # Panics
/// When there is none, or something does not hold.
pub fn play(name: &str, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let Some((_, target)) = found else { unreachable!("no target {name}") };
    target(bytes);
}

/// When all of it happens.
fn now() -> UnixMs {
    UnixMs::from_seconds(1_771_032_600).unwrap_or(UnixMs::EPOCH)
}
