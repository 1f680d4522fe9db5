//! The merchant's app on a platform, as configured.

use std::collections::BTreeMap;

use domain::Secret;

/// One thing that a platform's app is configured with. Its variable is `<platform>_<name>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The end of the variable's name: `app_key`.
    pub name: &'static str,
    /// Whether it must be there, and its form.
    pub need: Need,
}

/// Whether a setting must be there, and its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Text that must be there.
    Required,
    /// Text that may be missing.
    Optional,
    /// `on` or `off`; off when missing.
    Switch,
}

/// What every platform has.
pub const KEY: Setting = Setting { name: "app_key", need: Need::Required };
/// What every platform has.
pub const SECRET: Setting = Setting { name: "app_secret", need: Need::Required };

/// The merchant's app on a platform: the settings that it has, by name.
#[derive(Clone, Debug, Default)]
pub struct App {
    settings: BTreeMap<&'static str, Secret<String>>,
}

impl App {
    /// An app of these settings. `find` gives a setting's text, if it has one.
    ///
    /// # Errors
    /// [`AppError`] that names the first setting that is missing or wrong.
    pub fn configured<'a>(
        settings: &[Setting],
        find: impl Fn(&'static str) -> Option<&'a str>,
    ) -> Result<Self, AppError> {
        let mut known = BTreeMap::new();
        for setting in settings {
            match (find(setting.name), setting.need) {
                (Some("on" | "off"), Need::Switch) | (Some(_), Need::Required | Need::Optional) => {}
                (Some(_), Need::Switch) => return Err(AppError::Wrong(setting.name, "on or off")),
                (None, Need::Required) => return Err(AppError::Missing(setting.name)),
                (None, Need::Optional | Need::Switch) => {}
            }
            if let Some(text) = find(setting.name) {
                known.insert(setting.name, Secret::new(text.to_owned()));
            }
        }
        Ok(Self { settings: known })
    }

    /// An app of settings given by hand, for tests and tools.
    pub fn of<const N: usize>(settings: [(&'static str, &str); N]) -> Self {
        let settings = settings.into_iter().map(|(name, text)| (name, Secret::new(text.to_owned())));
        Self { settings: settings.collect() }
    }

    /// A setting's text; empty when it has none.
    pub fn text(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", |text| text.expose())
    }

    /// The public key (id) of the app.
    pub fn key(&self) -> &str {
        self.text(KEY.name)
    }

    /// The app's secret.
    pub fn secret(&self) -> &str {
        self.text(SECRET.name)
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.text(name) == "on"
    }
}

/// Why there is no app.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    /// A setting is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A setting has a wrong form.
    #[error("{0} is not usable: expected {1}")]
    Wrong(&'static str, &'static str),
}
