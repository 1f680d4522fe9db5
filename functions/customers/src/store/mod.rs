//! The SQL of customers.

pub mod activity;
pub mod conflict;
pub mod customer;
pub mod identity;
pub mod membership;
pub mod privacy;
pub mod profile;
pub mod view;
