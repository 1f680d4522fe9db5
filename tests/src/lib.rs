//! End to end: start a host, speak HTTP to it, as a platform or a person would.
//!
//! - [`host`] starts the real binary on a temporary state folder, and stops or kills it.
//! - [`http`] is the client of a person or of the merchant's own systems.
//! - [`marketplace`] simulates the platforms: they keep orders, push signed messages, answer their signed APIs, and misbehave
//!   on demand. They share no code with what they test, signatures included.
//! - [`kuaidi100`] simulates the parcel service: parcels watched and couriers called, with news of both.
//! - [`standard_webhooks`] signs what own shops and tills send.
//! - [`merchant`] makes up the morning of a tea chain, and keeps the books that the system's answers are compared with.
//! - [`person`] plays one person's way through all channels.
//! - [`system`] starts platforms and application together.
//! - [`load`] drives many connections at once and measures.
//!
//! The programs `siyu-demo` and `siyu-bench` stand on the same parts; `cargo xtask demo` and `cargo xtask bench` run them.
//! Everyone in here is invented.

pub mod host;
pub mod http;
pub mod kuaidi100;
pub mod load;
pub mod manifest;
pub mod marketplace;
pub mod merchant;
pub mod person;
pub mod standard_webhooks;
pub mod system;
pub mod table;
