//! Tags that are kept at WeCom too, over a database in memory. All people and ids are invented.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test as a whole")]

mod follow_ups;
mod groups;
mod house;
mod marks;
mod news;
#[path = "../router/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the router, which use the rest")]
mod support;
mod transfers;
