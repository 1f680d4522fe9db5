//! The SQL of customers.

pub mod activity;
pub mod belongings;
pub mod conflict;
pub mod customer;
pub mod follow_up;
pub mod handover;
pub mod identity;
pub mod import;
pub mod membership;
pub mod privacy;
pub mod profile;
pub mod relation;
pub mod view;
