//! The application's variables: where their values come from, and `{{ templates }}` over them.
//!
//! A value comes from the command line, else from the environment (`SPIN_VARIABLE_NAME`), else from the
//! manifest's default. All of them are settled once, when the application starts: a required
//! variable without a value stops the start, and no request pays for the resolution.

mod host;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

pub use host::{VariablesState, add_to_linker};

use crate::manifest::App;

/// The prefix of environment variables that set application variables; the rest is the name in upper case.
pub const ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE_";

/// Why the application's variables cannot be settled. No variant carries a value, since it may be secret.
#[derive(Debug, thiserror::Error)]
pub enum VariableError {
    /// Required variables that have no value.
    #[error(
        "no value for the required variable(s) {}: give --variable NAME=VALUE or set {ENVIRONMENT_PREFIX}<NAME>",
        .0.join(", ")
    )]
    Missing(Vec<String>),
    /// The command line names a variable that the manifest does not have.
    #[error("--variable {0}: the manifest has no variable of this name in [variables]")]
    Undeclared(String),
    /// A template names a variable that the manifest does not have.
    #[error("{place}: unknown variable {name:?} in the template")]
    UnknownInTemplate {
        /// The manifest's key that holds the template.
        place: String,
        /// The unknown name.
        name: String,
    },
    /// A template with `{{` and no `}}`.
    #[error("{place}: unmatched '{{{{' in the template")]
    Unmatched {
        /// The manifest's key that holds the template.
        place: String,
    },
    /// A value of `--variable` that is neither `NAME=VALUE` nor a file.
    #[error("--variable takes NAME=VALUE, NAME=@FILE, @FILE.json or @FILE.toml")]
    Flag,
    /// A file named by `--variable` cannot be read or understood.
    #[error("--variable: {path}: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// One value of the flag `--variable`, in any of Spin's forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `NAME=VALUE`
    Literal(String, String),
    /// `NAME=@FILE`: the file's content is the value.
    Content(String, PathBuf),
    /// `@FILE.json` or `@FILE.toml`: a map of names to values.
    Map(PathBuf),
}

impl FromStr for Flag {
    type Err = VariableError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix('@') {
            let path = PathBuf::from(path);
            return match path.extension().and_then(|extension| extension.to_str()) {
                Some("json" | "toml") => Ok(Self::Map(path)),
                _ => Err(VariableError::Flag),
            };
        }
        let (name, value) = text.split_once('=').ok_or(VariableError::Flag)?;
        Ok(match value.strip_prefix('@') {
            Some(path) => Self::Content(name.to_owned(), PathBuf::from(path)),
            None => Self::Literal(name.to_owned(), value.to_owned()),
        })
    }
}

impl Flag {
    /// The names and values that the flag gives; reads its file, if it names one.
    ///
    /// # Errors
    /// [`VariableError::File`]: the file cannot be read, or is not a map of names to strings.
    pub fn values(self) -> Result<BTreeMap<String, String>, VariableError> {
        let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|error| (path.clone(), error.to_string()));
        let result = match self {
            Self::Literal(name, value) => Ok(BTreeMap::from([(name, value)])),
            Self::Content(name, path) => read(&path).map(|value| BTreeMap::from([(name, value)])),
            Self::Map(path) => read(&path).and_then(|text| {
                let json = path.extension().is_some_and(|extension| extension == "json");
                // The parsers' messages quote the text around an error, and that may be a secret.
                let bad = |what: &str| (path.clone(), format!("not {what} with strings only"));
                if json {
                    serde_json::from_str(&text).map_err(|_| bad("a JSON object"))
                } else {
                    toml::from_str(&text).map_err(|_| bad("a TOML table"))
                }
            }),
        };
        result.map_err(|(path, problem)| VariableError::File { path, problem })
    }
}

/// All application variables with their values, for templates; and each component's own.
pub struct Resolver {
    values: BTreeMap<String, String>,
    components: BTreeMap<String, Arc<BTreeMap<String, String>>>,
}

impl Resolver {
    /// Settles the variables of `app` from `flags` (the command line, merged: the last of a name counts) and from
    /// `environment`, which answers the name of an environment variable.
    ///
    /// # Errors
    /// [`VariableError`]: a required variable has no value, a flag or a template names an undeclared one.
    pub fn new(
        app: &App,
        mut flags: BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, VariableError> {
        if let Some(name) = flags.keys().find(|name| !app.variables.contains_key(*name)) {
            return Err(VariableError::Undeclared(name.clone()));
        }
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in &app.variables {
            let from_environment = || environment(&format!("{ENVIRONMENT_PREFIX}{}", name.to_ascii_uppercase()));
            let value = flags.remove(name).or_else(from_environment).or_else(|| variable.default.clone());
            match value {
                Some(value) => drop(values.insert(name.clone(), value)),
                None => missing.push(name.clone()),
            }
        }
        if !missing.is_empty() {
            return Err(VariableError::Missing(missing));
        }
        let mut resolver = Self { values, components: BTreeMap::new() };
        for (id, component) in &app.components {
            let own = component.variables.iter().map(|(name, template)| {
                let place = format!("component.{id}.variables.{name}");
                Ok((name.clone(), resolver.expand(&place, template)?))
            });
            let own = own.collect::<Result<_, _>>()?;
            resolver.components.insert(id.clone(), Arc::new(own));
        }
        Ok(resolver)
    }

    /// The variables of the component `id`, as `spin:variables` gives them to it; empty for an unknown id.
    #[must_use]
    pub fn component(&self, id: &str) -> Arc<BTreeMap<String, String>> {
        self.components.get(id).cloned().unwrap_or_default()
    }

    /// Fills the `{{ variable }}`s of `template`; `place` is the manifest's key that holds it, for the error.
    ///
    /// # Errors
    /// [`VariableError::UnknownInTemplate`], [`VariableError::Unmatched`].
    pub fn expand(&self, place: &str, template: &str) -> Result<String, VariableError> {
        let mut text = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((literal, expression)) = rest.split_once("{{") {
            let (name, after) =
                expression.split_once("}}").ok_or_else(|| VariableError::Unmatched { place: place.to_owned() })?;
            let name = name.trim();
            let value = self
                .values
                .get(name)
                .ok_or_else(|| VariableError::UnknownInTemplate { place: place.to_owned(), name: name.to_owned() })?;
            text.push_str(literal);
            text.push_str(value);
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// Checks that `name` is a variable's name: words of lower-case ASCII letters and digits joined by single
/// underscores, beginning with a letter, so that its upper case is the name of an environment variable.
///
/// # Errors
/// A sentence that says what a name must be.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let words = name.split('_').all(|word| !word.is_empty() && word.bytes().all(allowed));
    if words && name.starts_with(|first: char| first.is_ascii_lowercase()) {
        Ok(())
    } else {
        Err("a name is lower-case ASCII letters and digits in words joined by '_', beginning with a letter")
    }
}

#[cfg(test)]
mod tests;
