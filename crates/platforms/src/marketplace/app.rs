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

impl Setting {
    /// The variable that holds it.
    pub fn variable(&self, system: &str) -> String {
        format!("{system}_{}", self.name)
    }
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
    /// The app of a system as configured. `find` gives a variable's text, if it has one.
    ///
    /// # Errors
    /// [`AppError`] that names the first variable that is missing or wrong.
    pub fn configured<'a>(
        system: &str,
        settings: &[Setting],
        find: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, AppError> {
        let mut known = BTreeMap::new();
        for setting in settings {
            let variable = setting.variable(system);
            let wrong = |why| AppError { variable: variable.clone(), why };
            match (find(&variable), setting.need) {
                (None, Need::Required) => return Err(wrong("is not set")),
                (None, Need::Optional | Need::Switch) => {}
                (Some(text), Need::Switch) if !matches!(text, "on" | "off") => {
                    return Err(wrong("is not usable: expected on or off"));
                }
                (Some(text), _) => {
                    known.insert(setting.name, Secret::new(text.to_owned()));
                }
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
#[error("the variable {variable} {why}")]
pub struct AppError {
    /// The variable.
    pub variable: String,
    /// What is wrong with it.
    pub why: &'static str,
}

#[cfg(test)]
mod tests {
    use super::{App, AppError};
    use crate::doudian::SETTINGS;

    fn douyin(variables: &[(&str, &'static str)]) -> Result<App, AppError> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        App::configured("douyin", SETTINGS, find)
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let app = douyin(&[("douyin_app_key", "k"), ("douyin_app_secret", "s"), ("douyin_md5", "on")]).unwrap();
        assert_eq!((app.key(), app.secret(), app.is_on("md5")), ("k", "s", true));
        let error = douyin(&[("douyin_app_key", "k")]).unwrap_err();
        assert_eq!(error.to_string(), "the variable douyin_app_secret is not set");
        let error = douyin(&[("douyin_app_key", "k"), ("douyin_app_secret", "s"), ("douyin_md5", "yes")]).unwrap_err();
        assert_eq!(error.to_string(), "the variable douyin_md5 is not usable: expected on or off");
    }
}
