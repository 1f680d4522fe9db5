//! How the log is consumed and calls go out, in Prometheus's text format.

use kit::{DbError, Tx, params};
use std::fmt::Write;

/// A metric. `sql` yields its samples: the `value` of the one label, and the `count`; `?1` is now.
struct Metric {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    label: &'static str,
    sql: &'static str,
}

const METRICS: [Metric; 9] = [
    Metric {
        name: "siyu_consumer_lag_events",
        kind: "gauge",
        help: "Events that a function has not looked at.",
        label: "consumer",
        sql: "select name as value, coalesce((select max(seq) from event), 0) - seq as count from consumer order by name",
    },
    Metric {
        name: "siyu_consumer_attempts",
        kind: "gauge",
        help: "How often a function has tried its next event in vain.",
        label: "consumer",
        sql: "select name as value, attempts as count from consumer order by name",
    },
    Metric {
        name: "siyu_dead_letters",
        kind: "gauge",
        help: "Events that a function could not apply and that wait to be replayed.",
        label: "consumer",
        sql: "select name as value, (select count(*) from dead_letter where consumer = name and replayed_at is null) as count
                from consumer order by name",
    },
    Metric {
        name: "siyu_timer_overdue_milliseconds",
        kind: "gauge",
        help: "For how long the oldest timer has been due.",
        label: "timer",
        sql: "select 'oldest' as value, coalesce(max(0, ?1 - (select min(due) from timer)), 0) as count",
    },
    Metric {
        name: "siyu_calls_due",
        kind: "gauge",
        help: "Calls to other systems that should go out now.",
        label: "destination",
        sql: "select destination as value, count(*) as count from outbox where state = 'pending' and due <= ?1
               group by +destination order by 1",
    },
    Metric {
        name: "siyu_calls_overdue_milliseconds",
        kind: "gauge",
        help: "For how long the oldest of them has been due.",
        label: "destination",
        sql: "select destination as value, ?1 - min(due) as count from outbox where state = 'pending' and due <= ?1
               group by +destination order by 1",
    },
    Metric {
        name: "siyu_pull_failures",
        kind: "gauge",
        help: "How often a shop was asked in vain since it last answered.",
        label: "shop",
        sql: "select platform || '/' || shop || '/' || kind as value, failures as count from pull order by 1",
    },
    Metric {
        name: "siyu_calls_failed_total",
        kind: "counter",
        help: "Calls to other systems that have failed for good.",
        label: "destination",
        sql: "select coalesce(data ->> 'destination', '') as value, count(*) as count from event where type = 'outbox.failed'
               group by 1 order by 1",
    },
    Metric {
        name: "siyu_counted_total",
        kind: "counter",
        help: "What functions count, messages refused among it.",
        label: "name",
        sql: "select name as value, sum(value) as count from counter group by name order by name",
    },
];

/// All of them as they are now.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn text(tx: &Tx<'_>) -> Result<String, DbError> {
    let now = params![tx.cx().now.millis()];
    let mut text = String::new();
    for Metric { name, kind, help, label, sql } in &METRICS {
        let params = if sql.contains("?1") { now.as_slice() } else { &[] };
        // Writing to a text never fails.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for row in tx.query(sql, params)? {
            let (value, count): (String, i64) = (row.get("value")?, row.get("count")?);
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = writeln!(text, "{name}{{{label}=\"{value}\"}} {count}");
        }
    }
    Ok(text)
}
