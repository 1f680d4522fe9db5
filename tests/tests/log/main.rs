//! The log of a database that the functions have grown natively: old events are archived, and what it makes is made again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

mod archive;
mod grown;
mod rebuild;
