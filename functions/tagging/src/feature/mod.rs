//! Features: figures about customers that slide with the days, over 200 of them.
//!
//! Events become bookings ([`State::book`]); a state is small, adds up with others, and is read by [`Feature::value`].

pub mod activity;
pub mod measure;
pub mod name;
pub mod order;
pub mod rfm;
mod scalar;
mod series;
pub mod state;
mod value;

#[cfg(test)]
mod tests;

pub use name::Feature;
pub use state::{Booking, State};
pub use value::Value;
