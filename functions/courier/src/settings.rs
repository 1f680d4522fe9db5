//! The function's configuration, read and checked once. What is missing keeps the calls of its destination waiting.

use domain::Platform;
use kit::{ConfigError, Variables, Vault};
use platforms::marketplace::{App, Setting};
use platforms::{kuaidi100, official_account, wecom};
use std::collections::BTreeMap;

/// Where the outside world reaches this application: what others are told to call back.
const PUBLIC_URL: &str = "public_url";

/// The variables that this function reads.
pub fn variables() -> Vec<String> {
    let mut names = vec![kit::DATA_KEY.to_owned()];
    for platform in asked() {
        names.push(api_base(platform.as_str()));
        names.extend(platforms::settings(platform).iter().map(|setting| setting.variable(platform.as_str())));
    }
    names.extend([PUBLIC_URL.to_owned(), api_base(kuaidi100::DESTINATION)]);
    names.extend(kuaidi100::SETTINGS.iter().map(|setting| setting.variable(kuaidi100::DESTINATION)));
    for (system, settings) in [WECOM, OFFICIAL_ACCOUNT] {
        names.push(api_base(system));
        names.extend(settings.iter().map(|setting| setting.variable(system)));
    }
    names
}

const WECOM: (&str, &[Setting]) = (wecom::DESTINATION, wecom::SETTINGS);
const OFFICIAL_ACCOUNT: (&str, &[Setting]) = (official_account::DESTINATION, official_account::SETTINGS);

/// The platforms that can be asked.
pub fn asked() -> impl Iterator<Item = Platform> {
    Platform::ALL.into_iter().filter(|platform| platforms::api(*platform).is_some())
}

/// The configuration.
pub struct Settings {
    /// The merchant's app on each platform.
    pub marketplaces: BTreeMap<Platform, Result<Configured, ConfigError>>,
    /// The account with Kuaidi100, who watches parcels.
    pub kuaidi100: Result<Watcher, ConfigError>,
    /// The merchant's app at WeCom.
    pub wecom: Result<Account, ConfigError>,
    /// The merchant's Official Account.
    pub official_account: Result<Account, ConfigError>,
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

/// An account that is asked with an access token of its own.
pub struct Account {
    /// The account.
    pub app: App,
    /// Scheme, host and port, without a slash at the end.
    pub base: String,
}

/// An account with Kuaidi100.
pub struct Watcher {
    /// The account.
    pub app: App,
    /// Scheme, host and port, without a slash at the end.
    pub base: String,
    /// Where news of parcels goes.
    pub callback_url: String,
}

impl Settings {
    /// Reads the configuration.
    pub fn new(variables: &Variables) -> Self {
        let marketplaces = asked().map(|platform| (platform, configured(variables, platform))).collect();
        Self {
            marketplaces,
            kuaidi100: watcher(variables),
            wecom: wechat(variables, WECOM, wecom::BASE),
            official_account: wechat(variables, OFFICIAL_ACCOUNT, official_account::BASE),
            vault: Vault::new(variables),
        }
    }
}

fn configured(variables: &Variables, platform: Platform) -> Result<Configured, ConfigError> {
    let app = account(variables, platform.as_str(), platforms::settings(platform))?;
    let (standard, tokens) = platforms::api(platform).map_or(("", ""), |api| (api.base(), api.token_base()));
    // The manifest names the standard address too: that is no other one.
    let named = address(variables, &api_base(platform.as_str()), standard)?.filter(|named| named != standard);
    let or = |standard: &str| named.clone().unwrap_or_else(|| standard.to_owned());
    Ok(Configured { app, base: or(standard), token_base: or(tokens) })
}

fn watcher(variables: &Variables) -> Result<Watcher, ConfigError> {
    let named = address(variables, &api_base(kuaidi100::DESTINATION), kuaidi100::BASE)?;
    let public_url = address(variables, PUBLIC_URL, "https://siyu.example.com")?;
    Ok(Watcher {
        app: account(variables, kuaidi100::DESTINATION, kuaidi100::SETTINGS)?,
        base: named.unwrap_or_else(|| kuaidi100::BASE.to_owned()),
        callback_url: format!("{}/hooks/kuaidi100", public_url.ok_or_else(|| ConfigError::missing(PUBLIC_URL))?),
    })
}

fn wechat(
    variables: &Variables,
    (system, settings): (&str, &[Setting]),
    standard: &str,
) -> Result<Account, ConfigError> {
    let named = address(variables, &api_base(system), standard)?;
    let app = account(variables, system, settings)?;
    Ok(Account { app, base: named.unwrap_or_else(|| standard.to_owned()) })
}

fn account(variables: &Variables, system: &str, settings: &[Setting]) -> Result<App, ConfigError> {
    App::configured(system, settings, |name| variables.optional(name))
        .map_err(|error| ConfigError { variable: error.variable.into(), why: error.why.to_owned() })
}

/// An address without a path and without a slash at the end, if the variable is set.
fn address(variables: &Variables, variable: &str, example: &str) -> Result<Option<String>, ConfigError> {
    let Some(base) = variables.optional(variable) else { return Ok(None) };
    let base = base.trim_end_matches('/');
    let uri: Option<http::Uri> = base.parse().ok();
    if uri.is_some_and(|uri| uri.scheme().is_some() && uri.authority().is_some() && uri.path() == "/") {
        return Ok(Some(base.to_owned()));
    }
    Err(ConfigError::wrong(variable.to_owned(), &format!("scheme, host and port, such as {example}")))
}

fn api_base(system: &str) -> String {
    format!("{system}_api_base")
}
