//! Siyu's domain, pure: money, identities, calendar, orders, and the vocabulary of events.
//!
//! No I/O, no clock, no randomness: the instant and random bytes are arguments. So every rule here can be tested by
//! calling it, and the same code runs natively and in a Wasm component.

mod activity;
mod calendar;
mod customer;
pub mod day;
mod event;
mod identity;
mod ids;
mod money;
mod order;
mod parcel;
mod phone;
mod pickup;
mod refund;
mod secret;
mod stock;
mod time;

pub use activity::*;
pub use calendar::*;
pub use customer::*;
pub use event::*;
pub use identity::*;
pub use ids::*;
pub use money::*;
pub use order::*;
pub use parcel::*;
pub use phone::*;
pub use pickup::*;
pub use refund::*;
pub use secret::*;
pub use stock::*;
pub use time::*;
