//! The SQL of customers.

pub mod membership;
