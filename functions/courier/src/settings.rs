//! The function's configuration, read and checked once. What is missing keeps the calls of its destination waiting.

use domain::Secret;
use kit::{ConfigError, Variables, Vault};
use platforms::doudian;

/// The variables that this function reads.
pub const VARIABLES: [&str; 4] = ["douyin_app_key", "douyin_app_secret", "douyin_api_base", kit::DATA_KEY];

/// The configuration.
pub struct Settings {
    /// The Doudian app that asks.
    pub doudian: Result<Doudian, ConfigError>,
    /// Seals answers.
    pub vault: Result<Vault, ConfigError>,
}

/// The Doudian app, and where its API is.
pub struct Doudian {
    /// Key and secret.
    pub app: doudian::App,
    /// Scheme, host and port, without a slash at the end.
    pub base: String,
}

impl Settings {
    /// Reads the configuration.
    pub fn new(variables: &Variables) -> Self {
        Self { doudian: doudian(variables), vault: Vault::new(variables) }
    }
}

fn doudian(variables: &Variables) -> Result<Doudian, ConfigError> {
    let base = variables.optional("douyin_api_base").unwrap_or(doudian::api::BASE).trim_end_matches('/');
    let uri: Option<http::Uri> = base.parse().ok();
    let whole = uri.is_some_and(|uri| uri.scheme().is_some() && uri.authority().is_some() && uri.path() == "/");
    if !whole {
        return Err(ConfigError::wrong(
            "douyin_api_base",
            "scheme, host and port, such as https://openapi-fxg.jinritemai.com",
        ));
    }
    Ok(Doudian {
        app: doudian::App {
            key: variables.required("douyin_app_key")?.to_owned(),
            secret: Secret::new(variables.required("douyin_app_secret")?.to_owned()),
            allow_md5: false,
        },
        base: base.to_owned(),
    })
}
