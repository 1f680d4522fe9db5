//! All that a function needs from its host: HTTP, SQL, key-value, events, outbox, clock, authorisation.
//!
//! A function is a [`router`](service!) over an [`App`]. Inside a component the app stands on Spin's interfaces; outside, in
//! tests, on rusqlite in memory, with the same SQL. Handlers take a [`Cx`] (time and trace of the call) and change
//! state through [`Db::write`] only, events and outgoing calls included.

mod app;
pub mod audit;
pub mod auth;
pub mod client;
pub mod clock;
#[cfg(target_family = "wasm")]
pub mod component;
pub mod consume;
mod counter;
mod cx;
pub mod db;
pub mod events;
pub mod extract;
pub mod host;
pub mod idempotency;
pub mod inbox;
mod kv;
pub mod lease;
mod nudge;
#[cfg(not(target_family = "wasm"))]
pub mod openapi;
pub mod outbox;
pub mod page;
mod problem;
mod service;
mod variables;
mod vault;

pub use app::App;
#[cfg(not(target_family = "wasm"))]
pub use app::{Native, NativeError};
pub use client::Client;
pub use cx::{Cx, Trace};
pub use db::{Db, DbError, Tx};
pub use host::{random, unique};
pub use kv::{Kv, KvError};
pub use problem::Problem;
pub use service::{complete, description};
pub use variables::{ConfigError, Variables};
pub use vault::{DATA_KEY, Vault, VaultError};
