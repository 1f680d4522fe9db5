//! The manifest as TOML has it, and its way into [`App`].
//!
//! Unknown keys were refused before (`keys`), so these shapes name only what the host uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::{App, Component, HttpTrigger, ManifestError, Route, Variable};
use crate::variables::check_name;

#[derive(Deserialize)]
pub(super) struct Document {
    application: Application,
    #[serde(default)]
    variables: BTreeMap<String, VariableTable>,
    trigger: Triggers,
    #[serde(default)]
    component: BTreeMap<String, ComponentTable>,
}

#[derive(Deserialize)]
struct Application {
    name: String,
}

#[derive(Deserialize)]
struct VariableTable {
    #[serde(default)]
    required: bool,
    default: Option<String>,
    #[serde(default)]
    secret: bool,
}

#[derive(Deserialize)]
struct Triggers {
    http: Vec<TriggerTable>,
}

#[derive(Deserialize)]
struct TriggerTable {
    component: String,
    route: RouteValue,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a path pattern or { private = true }")]
enum RouteValue {
    Path(String),
    Private { private: bool },
}

#[derive(Deserialize)]
struct ComponentTable {
    source: String,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    key_value_stores: BTreeSet<String>,
    #[serde(default)]
    sqlite_databases: BTreeSet<String>,
    #[serde(default)]
    tool: Tools,
}

#[derive(Default, Deserialize)]
struct Tools {
    #[serde(default)]
    siyu: SiyuTool,
}

#[derive(Default, Deserialize)]
struct SiyuTool {
    tick: Option<String>,
}

impl Document {
    /// The application, once the parts are checked against each other.
    pub(super) fn into_app(self, folder: &Path) -> Result<App, ManifestError> {
        let mut components = BTreeMap::new();
        for (id, table) in self.component {
            components.insert(id.clone(), component(id, table, folder)?);
        }
        let triggers = self.trigger.http.into_iter().map(|table| {
            if components.contains_key(&table.component) {
                trigger(table)
            } else {
                let problem = format!("there is no component {:?}", table.component);
                Err(ManifestError::invalid("trigger.http.component", problem))
            }
        });
        let triggers = triggers.collect::<Result<_, _>>()?;
        let variables = self.variables.into_iter().map(variable).collect::<Result<_, _>>()?;
        Ok(App { name: self.application.name, components, triggers, variables })
    }
}

fn component(id: String, table: ComponentTable, folder: &Path) -> Result<Component, ManifestError> {
    if !is_kebab(&id) {
        return Err(ManifestError::invalid(
            format!("component.{id}"),
            "an id is words of ASCII letters and digits, each beginning with a letter, joined by '-'",
        ));
    }
    for name in table.variables.keys() {
        check_name(name)
            .map_err(|problem| ManifestError::invalid(format!("component.{id}.variables.{name}"), problem))?;
    }
    let tick = table.tool.siyu.tick;
    if tick.as_ref().is_some_and(|path| !path.starts_with('/')) {
        let key = format!("component.{id}.tool.siyu.tick");
        return Err(ManifestError::invalid(key, "must be a path that begins with '/'"));
    }
    Ok(Component {
        source: folder.join(table.source),
        environment: table.environment,
        allowed_outbound_hosts: table.allowed_outbound_hosts,
        variables: table.variables,
        key_value_stores: table.key_value_stores,
        sqlite_databases: table.sqlite_databases,
        tick,
        id,
    })
}

fn trigger(table: TriggerTable) -> Result<HttpTrigger, ManifestError> {
    let route = match table.route {
        RouteValue::Path(pattern) => Route::Path(pattern),
        RouteValue::Private { private: true } => Route::Private,
        RouteValue::Private { private: false } => {
            let problem = "must be a path pattern or { private = true }";
            return Err(ManifestError::invalid("trigger.http.route", problem));
        }
    };
    Ok(HttpTrigger { component: table.component, route })
}

fn variable((name, table): (String, VariableTable)) -> Result<(String, Variable), ManifestError> {
    let key = format!("variables.{name}");
    check_name(&name).map_err(|problem| ManifestError::invalid(key.clone(), problem))?;
    match (table.required, &table.default) {
        (false, None) => Err(ManifestError::invalid(key, "needs either required = true or a default")),
        (true, Some(_)) => Err(ManifestError::invalid(key, "a required variable cannot have a default")),
        _ => Ok((name, Variable { default: table.default, secret: table.secret })),
    }
}

/// Spin's form of a component id; it also makes the id a valid host name label.
fn is_kebab(id: &str) -> bool {
    id.split('-').all(|word| {
        word.starts_with(|first: char| first.is_ascii_alphabetic())
            && word.chars().all(|char| char.is_ascii_alphanumeric())
    })
}
