//! The function's router over a database in memory. All people and numbers are invented.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test as a whole")]

mod follow_ups;
mod hooks;
mod import;
mod privacy;
mod profile;
mod relations;
mod stages;
mod support;
mod who;
