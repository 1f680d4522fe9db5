//! Webhooks in: verify, decode, write down, answer after COMMIT.

pub mod kuaidi100;
pub mod marketplace;
pub mod own;
