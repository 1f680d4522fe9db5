//! The application on the real host, spoken to over HTTP as platforms, tills and people do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test as a whole")]

mod api;
mod backup;
mod channels;
mod clock;
mod configuration;
mod convergence;
mod crash;
mod customers;
mod database;
mod disk;
mod fixtures;
mod hosts;
mod keys;
mod marketplaces;
mod parcels;
mod pickups;
mod records;
mod secrecy;
mod stock;
mod upgrade;
mod webhooks;
