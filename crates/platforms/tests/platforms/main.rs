//! Each platform's messages and records to facts, and what is asked of it. Shops, orders and buyers are invented.
//!
//! A new platform is a module.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

mod doudian;
mod jd;
mod kuaidi100;
mod kuaishou;
mod official_account;
mod own;
mod pinduoduo;
mod support;
mod taobao;
mod wechat_store;
mod wecom;
mod weidian;
mod xiaohongshu;
mod youzan;
