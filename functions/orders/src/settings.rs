//! The function's configuration, read and checked once. What is missing makes only its own webhook answer 503.

use kit::{ConfigError, Variables, Vault};
use platforms::doudian;
use platforms::standard_webhooks::Key;

/// The variables that this function reads.
pub const VARIABLES: [&str; 5] = ["douyin_app_key", "douyin_app_secret", "douyin_md5", "webhook_secret", kit::DATA_KEY];

/// The configuration.
pub struct Settings {
    /// The Doudian app whose pushes are taken.
    pub doudian: Result<doudian::App, ConfigError>,
    /// The key by which own shops sign.
    pub webhook_key: Result<Key, ConfigError>,
    /// Seals personal data.
    pub vault: Result<Vault, ConfigError>,
}

impl Settings {
    /// Reads the configuration.
    pub fn new(variables: &Variables) -> Self {
        Self { doudian: doudian(variables), webhook_key: webhook_key(variables), vault: Vault::new(variables) }
    }
}

/// The Doudian app as configured.
///
/// # Errors
/// [`ConfigError`] that names the variable.
pub fn doudian(variables: &Variables) -> Result<doudian::App, ConfigError> {
    Ok(doudian::App {
        key: variables.required("douyin_app_key")?.to_owned(),
        secret: variables.secret("douyin_app_secret")?,
        allow_md5: variables.switch("douyin_md5", false)?,
    })
}

fn webhook_key(variables: &Variables) -> Result<Key, ConfigError> {
    Key::parse(variables.required("webhook_secret")?)
        .map_err(|error| ConfigError { variable: "webhook_secret", why: format!("is not usable: {error}") })
}
