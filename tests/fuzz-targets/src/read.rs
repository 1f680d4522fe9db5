//! What is common to targets.

use platforms::Fact;
use platforms::marketplace::{Answer, Message, Received, Says};
use serde_json::Value;

/// The text that the bytes are, if they are one.
pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Whether a value has a number that is no integer of 64 bits: `serde_json` reads such to within one unit in the last place, and no amount and no id is one.
pub fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_float),
        Value::Object(fields) => fields.values().any(has_float),
        _ => false,
    }
}

/// A fact says in the database what it said.
pub fn keeps(fact: &Fact) {
    let json = match fact {
        Fact::Order { facts, .. } => serde_json::to_string(facts).map(|json| (json.clone(), same(facts, &json))),
        Fact::Refund { facts, .. } => serde_json::to_string(facts).map(|json| (json.clone(), same(facts, &json))),
    };
    let (json, is_same) = json.unwrap_or_else(|error| unreachable!("{fact:?} cannot be kept: {error}"));
    assert!(is_same, "{fact:?} is kept as {json}");
}

fn same<T: PartialEq + serde::de::DeserializeOwned>(value: &T, json: &str) -> bool {
    serde_json::from_str::<T>(json).is_ok_and(|read| read == *value)
}

/// The facts of what was received.
pub fn facts(received: &Received) -> Vec<&Fact> {
    match received {
        Received::Messages(messages) => of_messages(messages),
        Received::Echo(_) | Received::Unreadable => Vec::new(),
    }
}

/// The facts of an answer.
pub fn answered(answer: &Answer) -> Vec<&Fact> {
    match answer {
        Answer::Facts(facts) => facts.iter().collect(),
        Answer::Messages(messages) => of_messages(messages),
        Answer::Changed { .. } | Answer::Done => Vec::new(),
    }
}

fn of_messages(messages: &[Message]) -> Vec<&Fact> {
    let facts = messages.iter().filter_map(|message| match &message.says {
        Says::Fact(fact) => Some(fact.as_ref()),
        _ => None,
    });
    facts.collect()
}
