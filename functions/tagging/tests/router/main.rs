//! The function's router over a database in memory, fed from a log.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

mod api;
mod model;
mod past;
mod reasons;
mod rfm;
mod segments;
mod support;
