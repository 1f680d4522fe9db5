//! The archive of old events, where one is given.

use super::Check;

/// What must hold of a log and its archive.
pub const CHECKS: &[Check] = &[Check {
    what: "an archived event is in the log no longer",
    sql: "select seq || '; archive again' from archive.event
           where seq in (select seq from main.event) or id in (select id from main.event)",
}];

/// What [`crate::archive::faults`] finds otherwise.
pub const WHOLE: &str = "the archive has what was moved into it";

/// Makes the rules read the log and the archive as one.
pub const AS_ONE: &str = "
    create temp view event as
        select seq, id, type, subject, source, time, data, trace from main.event
         union all
        select seq, id, type, subject, source, time, data, trace from archive.event where seq not in (select seq from main.event)";
