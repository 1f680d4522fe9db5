//! Contents, the links to them, and who opens those.

pub mod content;
pub mod report;
pub mod share;
pub mod visit;
