//! Tags that are kept at WeCom too: groups that the merchant has chosen, marks on each pair of staff and contact, and what staff change there.
//!
//! Names are the merchant's own: what is renamed in WeCom is shown as a difference. Marks are both sides' word, and the newer one stands.

mod groups;
mod marks;
mod news;
mod state;

pub use groups::{added, changed, defined, edited, failed, listed, retired, start};
pub use marks::{bring, contacts, due, failed as marking_failed, marked};
pub use news::{identified, told};
pub use state::State;

/// The longest name of a tag or group at WeCom, in characters.
pub const LONGEST_NAME: usize = 30;
/// How many tags a company may have at WeCom.
pub const MOST_TAGS: i64 = 10_000;
/// How many tags a pair may be marked with at WeCom.
const MOST_MARKS: usize = 3000;
