//! Where membership comes in: what it does with rows of members and of points.

use domain::{CustomerId, ImportedPoints};
use kit::Tx;
use kit::consume::ConsumeError;
use kit::events::Logged;

/// What is done with a row of a member besides the card's identity, which the row itself adds.
pub type Member = fn(&Tx<'_>, &Logged, CustomerId) -> Result<(), ConsumeError>;
/// What is done with a row of points. It has its effect once: the row comes once.
pub type Points = fn(&Tx<'_>, &Logged, CustomerId, &ImportedPoints) -> Result<(), ConsumeError>;

/// Nothing further is to be done for a member.
pub const MEMBER: Option<Member> = None;
/// Nobody keeps points yet: rows of points are refused.
pub const POINTS: Option<Points> = None;
