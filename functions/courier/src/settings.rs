//! The function's configuration, read and checked once. What is missing keeps the calls of its destination waiting.

use domain::Platform;
use kit::{ConfigError, Variables, Vault};
use platforms::marketplace::App;
use std::collections::BTreeMap;

/// The variables that this function reads.
pub fn variables() -> Vec<String> {
    let mut names = vec![kit::DATA_KEY.to_owned()];
    for platform in asked() {
        names.push(api_base(platform));
        names.extend(platforms::settings(platform).iter().map(|setting| setting.variable(platform)));
    }
    names
}

/// The platforms that can be asked.
pub fn asked() -> impl Iterator<Item = Platform> {
    Platform::ALL.into_iter().filter(|platform| platforms::api(*platform).is_some())
}

/// The configuration.
pub struct Settings {
    /// The merchant's app on each platform.
    pub marketplaces: BTreeMap<Platform, Result<Configured, ConfigError>>,
    /// Seals answers and tokens.
    pub vault: Result<Vault, ConfigError>,
}

/// An app of a platform, and where the platform's API is.
pub struct Configured {
    /// The app.
    pub app: App,
    /// Scheme, host and port, without a slash at the end.
    pub base: String,
    /// The same of where access tokens are had.
    pub token_base: String,
}

impl Settings {
    /// Reads the configuration.
    pub fn new(variables: &Variables) -> Self {
        let marketplaces = asked().map(|platform| (platform, configured(variables, platform))).collect();
        Self { marketplaces, vault: Vault::new(variables) }
    }
}

fn configured(variables: &Variables, platform: Platform) -> Result<Configured, ConfigError> {
    let app = App::configured(platform, |name| variables.optional(name))
        .map_err(|error| ConfigError { variable: error.variable.into(), why: error.why.to_owned() })?;
    let variable = api_base(platform);
    let (standard, tokens) = platforms::api(platform).map_or(("", ""), |api| (api.base(), api.token_base()));
    let named = variables.optional(&variable).map(|base| base.trim_end_matches('/'));
    let base = named.unwrap_or(standard);
    let uri: Option<http::Uri> = base.parse().ok();
    let whole = uri.is_some_and(|uri| uri.scheme().is_some() && uri.authority().is_some() && uri.path() == "/");
    if !whole {
        return Err(ConfigError::wrong(variable, &format!("scheme, host and port, such as {standard}")));
    }
    Ok(Configured { app, base: base.to_owned(), token_base: named.unwrap_or(tokens).to_owned() })
}

fn api_base(platform: Platform) -> String {
    format!("{platform}_api_base")
}
