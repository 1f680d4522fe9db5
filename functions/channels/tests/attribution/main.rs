//! From the touch to the settled order: whom orders are owed to, what channels cost, and the report.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

mod costs;
mod life;
mod model;
mod report;
mod settings;
mod support;
