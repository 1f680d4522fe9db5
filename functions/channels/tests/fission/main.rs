//! Fission campaigns at work, over a database in memory. All people are invented.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test as a whole")]

mod api;
mod helps;
mod model;
mod support;
