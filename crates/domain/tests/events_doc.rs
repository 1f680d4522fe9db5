//! docs/events.md is written from the types, doc comments included. This test fails while the file is stale;
//! `UPDATE_DOCS=1 cargo test -p domain --test events_doc` rewrites it.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use domain::{CloudEvent, Event};
use serde_json::Value;
use utoipa::ToSchema;

#[test]
fn docs_events_md_is_up_to_date() {
    let path = Path::new("../../docs/events.md");
    let written = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == written, "docs/events.md is stale: run `UPDATE_DOCS=1 cargo test -p domain --test events_doc`");
}

const HEAD: &str = "# Events

<!-- Written from crates/domain by `UPDATE_DOCS=1 cargo test -p domain --test events_doc`. Do not edit by hand. -->

Events are the only way in which one capability tells another something. Each is a CloudEvents 1.0 envelope around a
payload; the envelope's `type` names the payload, the payload's `v` is its version. A reader that meets a type or a version
it does not know stops there: it never guesses. Money is integer fen (1/100 yuan), times are RFC 3339 in UTC, a platform's ids
are text. No event carries personal data in clear.
";

fn document() -> String {
    let schemas = schemas();
    let mut text = HEAD.to_owned();
    text.push_str("\n| type | version | data | what happened |\n|---|---|---|---|\n");
    for event in Event::TYPES {
        let anchor = event.payload.to_lowercase();
        let doc = one_line(event.doc);
        writeln!(text, "| `{}` | {} | [{}](#{anchor}) | {doc} |", event.name, event.version, event.payload).unwrap();
    }

    text.push_str("\n## Envelope\n");
    section(&mut text, &schemas, "CloudEvent", "###");
    text.push_str("\n## Payloads\n");
    let payloads: BTreeSet<&str> = Event::TYPES.iter().map(|event| event.payload).collect();
    for &payload in &payloads {
        section(&mut text, &schemas, payload, "###");
    }
    text.push_str("\n## What they are made of\n");
    let mut parts = BTreeSet::new();
    for payload in payloads.iter().copied().chain(["CloudEvent"]) {
        collect(&schemas, payload, &mut parts);
    }
    for part in parts.iter().filter(|part| !payloads.contains(part.as_str())) {
        section(&mut text, &schemas, part, "###");
    }
    text
}

fn schemas() -> BTreeMap<String, Value> {
    let mut list = vec![(CloudEvent::name().into_owned(), <CloudEvent as utoipa::PartialSchema>::schema())];
    CloudEvent::schemas(&mut list);
    Event::schemas(&mut list);
    list.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap())).collect()
}

/// Names of all that the schema refers to, directly or not.
fn collect(schemas: &BTreeMap<String, Value>, name: &str, found: &mut BTreeSet<String>) {
    for reference in references(&schemas[name]) {
        if found.insert(reference.clone()) {
            collect(schemas, &reference, found);
        }
    }
}

fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(target) if key == "$ref" => vec![last(target).to_owned()],
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn section(text: &mut String, schemas: &BTreeMap<String, Value>, name: &str, level: &str) {
    let schema = &schemas[name];
    writeln!(text, "\n{level} {name}\n\n{}", doc_of(schema)).unwrap();
    if let Some(fields) = schema["properties"].as_object() {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        text.push_str("\n| field | type | |\n|---|---|---|\n");
        for (field, schema) in fields {
            let optional = if required.contains(&field.as_str()) { "" } else { ", optional" };
            writeln!(text, "| `{field}` | {}{optional} | {} |", type_of(schema), doc_of(schema)).unwrap();
        }
    } else {
        writeln!(text, "\n{}", type_of(schema)).unwrap();
    }
}

fn type_of(schema: &Value) -> String {
    if let Some(target) = schema["$ref"].as_str() {
        let name = last(target);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    for alternatives in ["oneOf", "allOf", "anyOf"] {
        if let Some(options) = schema[alternatives].as_array() {
            let real: Vec<String> = options.iter().filter(|option| option["type"] != "null").map(type_of).collect();
            return real.join(" or ");
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return values.iter().map(|value| format!("`{}`", shown(value))).collect::<Vec<_>>().join(", ");
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    match kinds.as_slice() {
        ["array"] => format!("list of {}", type_of(&schema["items"])),
        ["object"] if schema["additionalProperties"].is_object() => {
            let key = &schema["propertyNames"];
            let key = if key.is_object() { type_of(key) } else { "string".to_owned() };
            format!("map from {key} to {}", type_of(&schema["additionalProperties"]))
        }
        [kind] => schema["format"].as_str().map_or_else(|| (*kind).to_owned(), |format| format!("{kind} ({format})")),
        _ => "any JSON".to_owned(),
    }
}

/// An optional reference carries its description on the alternative that is not null.
fn doc_of(schema: &Value) -> String {
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    let mut docs = std::iter::once(schema).chain(alternatives).filter_map(|schema| schema["description"].as_str());
    one_line(docs.next().unwrap_or_default())
}

/// A doc comment as a table cell: up to its first example, without rustdoc's link brackets.
fn one_line(doc: &str) -> String {
    let prose = doc.split("```").next().unwrap_or_default();
    let line = prose.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}

fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}
