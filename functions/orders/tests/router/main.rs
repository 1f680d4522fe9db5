//! The function's router over a database in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

mod api;
mod buyers;
mod hooks;
mod marketplaces;
mod parcels;
mod pickups;
mod support;
mod warehouse;
