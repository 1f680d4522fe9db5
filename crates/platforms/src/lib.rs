//! Platforms, pure: each platform's signatures and payloads on one side, domain types on the other.
//!
//! Every platform is one module with the same face, so that a handler for one reads like a handler for any other:
//!
//! - `verify`: is this delivery authentic? Over the raw bytes, in constant time, before anything is parsed;
//! - `decode`: bytes to the platform's own messages, unknown fields and kinds kept;
//! - `map`: one message to [`Fact`]s, exact in money (fen) and ids (text);
//! - `sign`: what the platform (or its simulator) would put on a delivery, and what our own requests carry.
//!
//! Nothing here does I/O; the current time is an argument.

pub mod doudian;
pub mod own;
pub mod standard_webhooks;

mod gmt8;
mod lenient;
mod mac;

use domain::{OrderFacts, OrderKey, RefundFacts};

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
