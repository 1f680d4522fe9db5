//! The function's configuration, read and checked once. What is missing makes only its own webhook answer 503.

use domain::Platform;
use kit::{ConfigError, Variables, Vault};
use platforms::kuaidi100;
use platforms::marketplace::{App, Setting};
use platforms::standard_webhooks::Key;
use std::collections::BTreeMap;

/// The variables that this function reads.
pub fn variables() -> Vec<String> {
    let mut names = vec!["webhook_secret".to_owned(), kit::DATA_KEY.to_owned()];
    for platform in understood() {
        names.extend(platforms::settings(platform).iter().map(|setting| setting.variable(platform.as_str())));
    }
    names.extend(kuaidi100::SETTINGS.iter().map(|setting| setting.variable(kuaidi100::DESTINATION)));
    names
}

/// The platforms whose pushes and records are understood.
fn understood() -> impl Iterator<Item = Platform> {
    Platform::ALL.into_iter().filter(|platform| platforms::source(*platform).is_some())
}

/// The configuration.
pub struct Settings {
    /// The merchant's app on each platform.
    apps: BTreeMap<Platform, Result<App, ConfigError>>,
    /// The account with Kuaidi100, who watches parcels.
    pub kuaidi100: Result<App, ConfigError>,
    /// The key by which own shops sign.
    pub webhook_key: Result<Key, ConfigError>,
    /// Seals personal data.
    pub vault: Result<Vault, ConfigError>,
}

impl Settings {
    /// Reads the configuration.
    pub fn new(variables: &Variables) -> Self {
        let apps = understood().map(|platform| (platform, app(variables, platform))).collect();
        Self {
            apps,
            kuaidi100: configured(variables, kuaidi100::DESTINATION, kuaidi100::SETTINGS),
            webhook_key: webhook_key(variables),
            vault: Vault::new(variables),
        }
    }

    /// The merchant's app on a platform.
    ///
    /// # Errors
    /// [`ConfigError`] that names the variable.
    pub fn app(&self, platform: Platform) -> Result<&App, ConfigError> {
        match self.apps.get(&platform) {
            Some(app) => app.as_ref().map_err(Clone::clone),
            None => Err(ConfigError::missing(format!("{platform}_app_key"))),
        }
    }
}

/// The merchant's app on a platform as configured.
///
/// # Errors
/// [`ConfigError`] that names the variable.
pub fn app(variables: &Variables, platform: Platform) -> Result<App, ConfigError> {
    configured(variables, platform.as_str(), platforms::settings(platform))
}

/// Whether somebody watches parcels.
pub fn parcels_are_watched(variables: &Variables) -> bool {
    configured(variables, kuaidi100::DESTINATION, kuaidi100::SETTINGS).is_ok()
}

fn configured(variables: &Variables, system: &str, settings: &[Setting]) -> Result<App, ConfigError> {
    App::configured(system, settings, |name| variables.optional(name))
        .map_err(|error| ConfigError { variable: error.variable.into(), why: error.why.to_owned() })
}

fn webhook_key(variables: &Variables) -> Result<Key, ConfigError> {
    let variable = "webhook_secret";
    Key::parse(variables.required(variable)?)
        .map_err(|error| ConfigError { variable: variable.into(), why: format!("is not usable: {error}") })
}
