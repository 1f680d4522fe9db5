//! End to end: start a host, speak HTTP to it, as a platform or a person would.
//!
//! - [`host`] starts the real binary on a temporary state folder, and stops or kills it.
//! - [`http`] is the client of a person or of the merchant's own systems.
//! - [`marketplace`] simulates the platforms: they keep orders, push signed messages, answer their signed APIs, and misbehave
//!   on demand. They share no code with what they test, signatures included.
//! - [`kuaidi100`] simulates the parcel service: parcels watched and couriers called, with news of both.
//! - [`wecom`] and [`official_account`] simulate the two sides of WeChat that a merchant talks to customers on; [`wechat`] is what
//!   they have in common.
//! - [`standard_webhooks`] signs what own shops and tills send.
//! - [`merchant`] makes up the morning of a tea chain, and keeps the books that the system's answers are compared with.
//! - [`person`] plays one person's way through all channels.
//! - [`system`] starts platforms and application together.
//! - [`sim`] plays a merchant's month in virtual time, with faults, against models of its own.
//! - [`check`] says what must hold of a state directory, and where it does not.
//! - [`archive`] moves old events out of the log.
//! - [`rebuild`] compares what functions made of the log with what they make of it again.
//! - [`python`] makes programs that others have written in Python ready.
//! - [`database`] looks into the application's database.
//! - [`disk`] makes the host's disk fail.
//! - [`load`] drives many connections at once and measures.
//!
//! The programs `siyu-demo`, `siyu-bench`, `siyu-check`, `siyu-archive` and `siyu-sim` stand on the same parts; `cargo xtask` runs them.
//! Everyone in here is invented.

pub mod archive;
pub mod check;
pub mod database;
pub mod disk;
pub mod host;
pub mod http;
pub mod kuaidi100;
pub mod load;
pub mod manifest;
pub mod marketplace;
pub mod merchant;
pub mod official_account;
pub mod person;
pub mod python;
pub mod rebuild;
pub mod sim;
pub mod standard_webhooks;
pub mod system;
pub mod table;
pub mod wechat;
pub mod wecom;
