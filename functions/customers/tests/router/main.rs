//! The function's router over a database in memory. All people and numbers are invented.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test as a whole")]

mod follow_ups;
mod handovers_at_wecom;
mod hooks;
mod import;
mod membership_card;
mod membership_levels;
mod membership_model;
mod membership_points;
mod membership_rewards;
mod membership_support;
mod privacy;
mod profile;
mod relations;
mod stages;
mod support;
mod who;
