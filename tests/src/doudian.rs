//! A simulated Doudian (抖店) open platform, on real HTTP.
//!
//! It holds a shop's orders and after-sale cases ([`shop`]), tells of every change by a push message ([`push`]) and answers the
//! signed API by which the full record is fetched ([`api`]). Signing is its own ([`sign`]), checked against the same public
//! vectors as the code under test, so that an error common to both cannot hide.
//! Field names and codes: Doudian open platform, guides 153/99 (push) and 212/1427 (codes), API `order.orderDetail` and
//! `afterSale.Detail`.

pub mod api;
pub mod push;
pub mod shop;
pub mod sign;

/// The merchant's app on the platform, and its shop.
#[derive(Clone, Debug)]
pub struct App {
    /// The app's public key.
    pub key: String,
    /// The secret that signs both directions.
    pub secret: String,
    /// The shop that has authorised the app.
    pub shop_id: u64,
}

impl App {
    /// An invented app for tests.
    pub fn invented() -> Self {
        Self {
            key: "7100000000000000001".to_owned(),
            secret: "11111111-2222-4333-8444-555555555555".to_owned(),
            shop_id: 4_463_798,
        }
    }
}
