//! What statements read, as tests see it: none may read the whole of a table that grows with customers, orders or events.

use super::Value;
use rusqlite::Connection;
use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Tables that grow with what happens at a merchant.
const GROWING: [&str; 34] = [
    "attributed_order",
    "attribution",
    "channel_person",
    "code_contact",
    "contact",
    "contact_detail",
    "content_revisit",
    "content_visit",
    "customer",
    "customer_activity",
    "customer_order",
    "customer_tag",
    "event",
    "identity",
    "identity_fact",
    "identity_hint",
    "inbound_message",
    "inbox",
    "member_order",
    "message_sent",
    "\"order\"",
    "order_identity",
    "outbox",
    "point_entry",
    "point_lot",
    "reception_turn",
    "refund",
    "relation",
    "segment_member",
    "subject",
    "tagging_customer",
    "tagging_order",
    "touch",
    "touch_time",
];

/// Makes sure that a statement with parameters, which asks for something, does not read a growing table from one end to the other to find it. Where there
/// is a limit it may walk along an index.
///
/// # Panics
/// When it does.
pub(super) fn check(connection: &Connection, sql: &str, params: &[Value]) {
    static SEEN: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    if params.is_empty() || SEEN.lock().unwrap_or_else(PoisonError::into_inner).contains(sql) {
        return;
    }
    let plan = connection.prepare(&format!("explain query plan {sql}"));
    let steps =
        plan.and_then(|mut plan| plan.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>());
    for step in steps.unwrap_or_default() {
        let Some(name) = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()) else { continue };
        let walks = step.contains(" USING ") && sql.contains("limit");
        assert!(walks || !grows(sql, name), "{step}: the statement reads a whole table that grows: {sql}");
    }
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(sql.to_owned());
}

/// Whether `name` stands for a growing table in a statement. Tables that it does not name are those of foreign keys, which are looked at only after
/// a violation.
fn grows(sql: &str, name: &str) -> bool {
    let sql = sql.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> =
        sql.split(|letter: char| letter.is_whitespace() || letter == ',').filter(|word| !word.is_empty()).collect();
    let is_table = |word: &str| GROWING.contains(&word);
    let named = |at: usize| {
        is_table(words[at])
            && (words[at].trim_matches('"') == name
                || words.get(at + 1) == Some(&name)
                || (words.get(at + 1) == Some(&"as") && words.get(at + 2) == Some(&name)))
    };
    (0..words.len()).any(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_known_by_its_name_and_by_another() {
        assert!(grows("select 1 from customer where name = ?1", "customer"));
        assert!(grows("select 1 from customer own join identity as other", "own"));
        assert!(grows("select 1 from customer own join identity as other", "other"));
        assert!(grows("select 1 from \"order\" where total = ?1", "order"));
        assert!(!grows("with own as (select 1) select 1 from own", "own"));
        assert!(!grows("select 1 from (select max(seq) from event) head", "head"));
    }

    #[test]
    #[should_panic(expected = "reads a whole table that grows")]
    fn a_statement_that_reads_all_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute("create table event (seq integer primary key, type text)", []).unwrap();
        let sql = "select seq from event where type = ?1";
        check(&connection, "select seq from event where seq = ?1", &[Value::Null]);
        check(&connection, sql, &[Value::Null]);
    }
}
