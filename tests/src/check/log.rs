//! The log, its readers and the calls to other systems.

use super::{Check, Notice};

/// What must hold.
pub const CHECKS: &[Check] = &[
    Check { what: "the database is whole", sql: "pragma integrity_check" },
    Check { what: "what rows refer to is there", sql: "pragma foreign_key_check" },
    Check {
        what: "no event is missing, from the log and the archive that is given",
        sql: "select 'after ' || last
                from (select lag(seq, 1, 0) over (order by seq) as last, seq from event where (select count(*) < max(seq) from event))
               where seq > last + 1
              union all
              select 'after ' || (select coalesce(max(seq), 0) from main.event) from sqlite_sequence
               where name = 'event' and seq > (select coalesce(max(seq), 0) from main.event)",
    },
    Check {
        what: "no consumer has read beyond the log",
        sql: "select name from consumer where seq > coalesce((select seq from sqlite_sequence where name = 'event'), 0)",
    },
    Check {
        what: "no consumer is ahead of the one that it follows",
        sql: "select own.name from consumer own join consumer other on other.name = own.follows where own.seq > other.seq",
    },
    Check {
        what: "a dead letter lies behind its consumer",
        sql: "select dead_letter.id from dead_letter join consumer on name = consumer where dead_letter.seq > consumer.seq",
    },
];

/// What a person may want to look at.
pub const NOTICES: &[Notice] = &[
    Notice {
        what: "consumers behind the head of the log",
        sql: "select name || ' by ' || ((select max(seq) from main.event) - seq) from consumer where seq < (select max(seq) from main.event)",
        advice: "start the host, or wait",
    },
    Notice {
        what: "dead letters",
        sql: "select consumer || ' ' || error from dead_letter where replayed_at is null",
        advice: "mend the cause, then POST /v1/events/dead-letters/{id}/replay",
    },
    Notice {
        what: "calls that failed for good",
        sql: "select destination || ' ' || operation || ': ' || coalesce(error, status, '') from outbox where state = 'failed'",
        advice: "`error` says why",
    },
    Notice {
        what: "calls that wait",
        sql: "select destination || ' ' || operation from outbox where state in ('pending', 'sending')",
        advice: "start the host, or wait; `error` says why a call waits long",
    },
    Notice {
        what: "messages that were not understood",
        sql: "select source || ': ' || reason from inbox_quarantine",
        advice: "their bodies are sealed with data_key",
    },
];
