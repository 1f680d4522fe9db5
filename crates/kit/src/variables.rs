//! Configuration: the variables that the manifest grants, read once when an instance starts.

use crate::Problem;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Secret;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

/// Variables by name. Those that are missing or empty are not in it.
#[derive(Clone, Debug, Default)]
pub struct Variables(Arc<BTreeMap<String, Secret<String>>>);

/// A variable that is missing or unusable: answered as 503, the rest works.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the variable {variable} {why}")]
pub struct ConfigError {
    /// Its name.
    pub variable: Cow<'static, str>,
    /// What is wrong with it, never its value.
    pub why: String,
}

impl ConfigError {
    /// A variable that has a value of a wrong form.
    #[must_use]
    pub fn wrong(variable: impl Into<Cow<'static, str>>, expected: &str) -> Self {
        Self { variable: variable.into(), why: format!("is not usable: expected {expected}") }
    }

    /// A variable that has no value.
    #[must_use]
    pub fn missing(variable: impl Into<Cow<'static, str>>) -> Self {
        Self { variable: variable.into(), why: "is not set".to_owned() }
    }
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        Self::not_configured(&error.variable, &error.why)
    }
}

impl From<&ConfigError> for Problem {
    fn from(error: &ConfigError) -> Self {
        Self::not_configured(&error.variable, &error.why)
    }
}

/// A value that was read from a file mostly ends with a newline, which is no part of it.
fn without_line_end(value: &str) -> &str {
    value.trim_end_matches(['\r', '\n'])
}

impl Variables {
    /// Variables given by hand, for tests.
    #[must_use]
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(Arc::new(
            pairs
                .into_iter()
                .map(|(name, value)| (name, without_line_end(value)))
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned())))
                .collect(),
        ))
    }

    /// Reads these variables from the host. One that the manifest does not define counts as missing.
    #[cfg(target_family = "wasm")]
    pub(crate) async fn load(names: &[String]) -> Self {
        let mut kept = BTreeMap::new();
        for name in names {
            match spin_sdk::variables::get(name).await {
                Ok(value) if !without_line_end(&value).is_empty() => {
                    kept.insert(name.clone(), Secret::new(without_line_end(&value).to_owned()));
                }
                Ok(_) | Err(spin_sdk::variables::Error::Undefined(_)) => {}
                Err(error) => tracing::warn!(name, %error, "variable"),
            }
        }
        Self(Arc::new(kept))
    }

    /// A variable, if it has a value.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.expose().as_str())
    }

    /// A variable that the caller cannot do without.
    ///
    /// # Errors
    /// [`ConfigError`] that names it.
    pub fn required(&self, name: &'static str) -> Result<&str, ConfigError> {
        self.optional(name).ok_or_else(|| ConfigError::missing(name))
    }

    /// A variable that must be kept secret.
    ///
    /// # Errors
    /// [`ConfigError`] that names it.
    pub fn secret(&self, name: &'static str) -> Result<Secret<String>, ConfigError> {
        self.required(name).map(|value| Secret::new(value.to_owned()))
    }

    /// A variable of another type than text, or its default.
    ///
    /// # Errors
    /// [`ConfigError`] when it is set and does not parse.
    pub fn parsed<T: FromStr>(&self, name: &'static str, default: T, expected: &str) -> Result<T, ConfigError> {
        match self.optional(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| ConfigError::wrong(name, expected)),
        }
    }

    /// A switch: `on` or `off`.
    ///
    /// # Errors
    /// [`ConfigError`] when it is something else.
    pub fn switch(&self, name: &'static str, default: bool) -> Result<bool, ConfigError> {
        match self.optional(name) {
            None => Ok(default),
            Some("on") => Ok(true),
            Some("off") => Ok(false),
            Some(_) => Err(ConfigError::wrong(name, "on or off")),
        }
    }

    /// Keys of 32 bytes in Base64, separated by blanks: the one in use, then those that it has replaced. There is at least one.
    ///
    /// # Errors
    /// [`ConfigError`] when there is none, or one is of another length.
    pub fn keys(&self, name: &'static str) -> Result<Vec<Secret<[u8; 32]>>, ConfigError> {
        let key = |text| STANDARD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(Secret::new);
        let keys: Option<Vec<_>> = self.required(name)?.split_whitespace().map(key).collect();
        keys.filter(|keys| !keys.is_empty())
            .ok_or_else(|| ConfigError::wrong(name, "32 bytes in Base64, such as `openssl rand -base64 32` prints"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newline_at_a_file_s_end_is_no_part_of_a_value() {
        let variables = Variables::from_pairs([("api_token", "secret \r\n"), ("clock", "\n")]);
        assert_eq!((variables.optional("api_token"), variables.optional("clock")), (Some("secret "), None));
    }
}
