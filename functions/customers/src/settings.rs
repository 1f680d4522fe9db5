//! The function's configuration, read and checked. What is missing makes only what needs it answer 503.

use kit::{ConfigError, Variables, Vault};
use platforms::standard_webhooks::Key;

const WEBHOOK_SECRET: &str = "webhook_secret";
/// Where it is set, WeCom hands its contacts over.
pub const WECOM_CORP_ID: &str = "wecom_corp_id";

/// The variables that this function reads.
pub fn variables() -> Vec<String> {
    vec![kit::DATA_KEY.to_owned(), "public_url".to_owned(), WEBHOOK_SECRET.to_owned(), WECOM_CORP_ID.to_owned()]
}

/// The configuration.
pub struct Settings {
    /// The key by which the merchant's own systems sign.
    pub webhook_key: Result<Key, ConfigError>,
    /// Seals personal data.
    pub vault: Result<Vault, ConfigError>,
}

impl Settings {
    /// Reads the configuration.
    pub fn new(variables: &Variables) -> Self {
        let webhook_key = variables.required(WEBHOOK_SECRET).and_then(|secret| {
            Key::parse(secret).map_err(|error| ConfigError {
                variable: WEBHOOK_SECRET.into(),
                why: format!("is not usable: {error}"),
            })
        });
        Self { webhook_key, vault: Vault::new(variables) }
    }
}
