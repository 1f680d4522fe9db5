//! Contents whose links tell when they are read, over a database in memory. All people are invented.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test as a whole")]

mod pages;
mod reports;
mod support;
mod told;
