//! Doudian (抖店), the merchants' side of Douyin's shops: pushes, and the open API behind `openapi-fxg.jinritemai.com`.
//!
//! A push tells little (ids, status, time), so after it the full record is fetched ([`order::DETAIL`],
//! [`aftersale::DETAIL`]); both become [`crate::Fact`]s that merge. Money is fen, times are Unix seconds, ids exceed 2^53.
//! Buyers are known by `doudian_open_id` only: names, phones and addresses are ciphertext and are dropped here.

pub mod aftersale;
pub mod api;
pub mod order;
mod push;
mod sign;
mod status;

use domain::Secret;

pub use push::{DecodeError, MapError, Mapped, Push, decode, map};
pub use sign::{Headers, Method, VerifyError, sign, verify};

/// An app of the open platform, as configured.
#[derive(Clone, Debug)]
pub struct App {
    /// The app key (`app_key`, 19 digits).
    pub key: String,
    /// The app secret: signs pushes and requests.
    pub secret: Secret<String>,
    /// Whether pushes signed with MD5 are accepted too. Off unless the console still sends them: otherwise a forger could
    /// choose the weaker method.
    pub allow_md5: bool,
}
