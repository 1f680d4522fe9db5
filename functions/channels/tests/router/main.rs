//! The function's router over a database in memory. All people and numbers are invented.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test as a whole")]

mod account;
mod callbacks;
mod codes;
mod groups;
mod reception;
mod scans;
mod support;
mod welcomes;
