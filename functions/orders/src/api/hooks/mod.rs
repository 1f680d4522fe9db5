//! Webhooks in: verify, decode, write down, answer after COMMIT.

pub mod marketplace;
pub mod own;
