//! The function's router over a database in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

mod membership_card;
mod membership_levels;
mod membership_model;
mod membership_points;
mod membership_rewards;
mod membership_support;
