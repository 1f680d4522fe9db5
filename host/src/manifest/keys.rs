//! Which keys of a manifest this host knows. Everything else is refused by its full name.

use toml::{Table, Value};

use super::ManifestError;

const TOP: &[&str] = &["spin_manifest_version", "application", "variables", "trigger", "component"];
const APPLICATION: &[&str] = &["name", "version", "description", "authors", "targets", "tool"];
const VARIABLE: &[&str] = &["description", "required", "default", "secret"];
const TRIGGERS: &[&str] = &["http"];
const HTTP_TRIGGER: &[&str] = &["id", "component", "route", "executor"];
const COMPONENT: &[&str] = &[
    "source",
    "description",
    "variables",
    "environment",
    "allowed_outbound_hosts",
    "key_value_stores",
    "sqlite_databases",
    "targets",
    "build",
    "tool",
    "profile",
];
const TOOL_SIYU: &[&str] = &["tick"];

/// Refuses a manifest that is of another version or has keys that this host does not support.
pub(super) fn check(manifest: &Table) -> Result<(), ManifestError> {
    // First of all: another version's keys mean other things.
    if manifest.get("spin_manifest_version").and_then(Value::as_integer) != Some(2) {
        return Err(ManifestError::invalid(
            "spin_manifest_version",
            "must be the number 2; other versions of Spin's manifest are not supported",
        ));
    }
    let mut found = Vec::new();
    unknown(&mut found, "", manifest, TOP);
    if let Some(application) = table(manifest, "application") {
        unknown(&mut found, "application.", application, APPLICATION);
    }
    for (name, variable) in tables(manifest, "variables") {
        unknown(&mut found, &format!("variables.{name}."), variable, VARIABLE);
    }
    if let Some(triggers) = table(manifest, "trigger") {
        unknown(&mut found, "trigger.", triggers, TRIGGERS);
        for trigger in triggers.get("http").and_then(Value::as_array).into_iter().flatten() {
            http_trigger(&mut found, trigger);
        }
    }
    for (id, component) in tables(manifest, "component") {
        unknown(&mut found, &format!("component.{id}."), component, COMPONENT);
        if component.get("source").is_some_and(Value::is_table) {
            found.push(format!("component.{id}.source as a table (only a path is)"));
        }
        let siyu = table(component, "tool").and_then(|tool| table(tool, "siyu"));
        if let Some(siyu) = siyu {
            unknown(&mut found, &format!("component.{id}.tool.siyu."), siyu, TOOL_SIYU);
        }
    }
    if found.is_empty() { Ok(()) } else { Err(ManifestError::Unsupported(found)) }
}

/// A trigger's own keys, and the two whose values have forms that this host does not run.
fn http_trigger(found: &mut Vec<String>, trigger: &Value) {
    let Some(trigger) = trigger.as_table() else { return };
    unknown(found, "trigger.http.", trigger, HTTP_TRIGGER);
    if trigger.get("component").is_some_and(Value::is_table) {
        found.push("trigger.http.component as a table (only an id is)".to_owned());
    }
    let executor = table(trigger, "executor").and_then(|executor| executor.get("type"));
    // Spin took "spin" as another name of "http" once, and still does.
    if let Some(kind) = executor.and_then(Value::as_str)
        && !matches!(kind, "http" | "spin")
    {
        found.push(format!("trigger.http.executor.type = {kind:?}"));
    }
}

/// Notes the keys of `table` that are not among `known`.
fn unknown(found: &mut Vec<String>, prefix: &str, table: &Table, known: &[&str]) {
    found.extend(table.keys().filter(|key| !known.contains(&key.as_str())).map(|key| format!("{prefix}{key}")));
}

fn table<'a>(parent: &'a Table, key: &str) -> Option<&'a Table> {
    parent.get(key).and_then(Value::as_table)
}

/// The tables inside the table `key`, by name.
fn tables<'a>(parent: &'a Table, key: &str) -> impl Iterator<Item = (&'a String, &'a Table)> {
    table(parent, key).into_iter().flatten().filter_map(|(name, value)| Some((name, value.as_table()?)))
}
