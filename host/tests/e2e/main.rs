//! The host from end to end: the program `siyu` with real components, spoken to over HTTP.
//!
//! The components are `host/guests`; `cargo xtask build` makes them. Each test has a host of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod database;
mod hostile;
mod lifecycle;
mod observing;
mod serving;
mod support;
