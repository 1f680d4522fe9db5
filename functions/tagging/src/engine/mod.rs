//! The engine: which rules hold for whom, and what follows.
//!
//! An event touches keys of figures; the rules that mention one of them are asked again of its customer, and no others. What follows
//! happens on the edge from false to true. A tag that comes or goes makes the rules that mention it be asked in the next round. All
//! that is left behind depends on the log alone: no clock, no chance.

mod asking;
mod carried;
mod run;
mod settle;

pub use carried::Carried;
pub use run::Run;
pub use settle::{Figures, Touched, attributes, settle};

/// Who writes the events.
pub const SOURCE: &str = "/functions/tagging";
