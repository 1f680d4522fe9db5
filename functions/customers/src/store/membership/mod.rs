//! The SQL of membership: points, levels, rewards and member cards.

pub mod card;
pub mod customer;
pub mod level;
pub mod lot;
pub mod order;
pub mod points;
pub mod privacy;
pub mod redemption;
pub mod reward;
pub mod rules;
