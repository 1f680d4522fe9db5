//! The function's configuration, read and checked. What is missing makes only what needs it answer 503.

use kit::{ConfigError, Variables, Vault};

/// The variables that this function reads.
pub fn variables() -> Vec<String> {
    let mut names = vec![kit::DATA_KEY.to_owned(), PUBLIC_URL.to_owned()];
    names.extend(WECOM.names().map(str::to_owned));
    names.extend(OFFICIAL_ACCOUNT.names().map(str::to_owned));
    names
}

/// Where the outside world reaches this application: what codes and links lead to.
pub const PUBLIC_URL: &str = "public_url";

/// The account's AppID.
pub const OFFICIAL_ACCOUNT_APP_ID: &str = "official_account_app_id";

/// The names of the variables of a receiver of callbacks.
struct Names {
    id: &'static str,
    token: &'static str,
    key: &'static str,
}

/// Where it is set, WeCom is asked.
pub const WECOM_CORP_ID: &str = "wecom_corp_id";
const WECOM: Names = Names { id: WECOM_CORP_ID, token: "wecom_token", key: "wecom_encoding_aes_key" };
const OFFICIAL_ACCOUNT: Names =
    Names { id: OFFICIAL_ACCOUNT_APP_ID, token: "official_account_token", key: "official_account_encoding_aes_key" };

impl Names {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.id, self.token, self.key].into_iter()
    }

    fn receiver(&self, variables: &Variables) -> Result<Receiver, ConfigError> {
        let required = |name| variables.required(name).map(str::to_owned);
        Ok(Receiver { id: required(self.id)?, token: required(self.token)?, key: required(self.key)? })
    }

    fn plain(&self, variables: &Variables) -> Result<Receiver, ConfigError> {
        let required = |name| variables.required(name).map(str::to_owned);
        Ok(Receiver { id: required(self.id)?, token: required(self.token)?, key: String::new() })
    }
}

/// Where callbacks come from, and how they are opened.
pub struct Receiver {
    /// The CorpID or AppID.
    pub id: String,
    /// The token of the platform's console.
    pub token: String,
    /// The `EncodingAESKey` of the platform's console; empty in plain mode.
    pub key: String,
}

/// The configuration.
pub struct Settings {
    /// WeCom's callbacks.
    pub wecom: Result<Receiver, ConfigError>,
    /// The Official Account's callbacks.
    pub official_account: Result<Receiver, ConfigError>,
    /// Scheme, host and port of this application, without a slash at the end.
    pub public_url: Result<String, ConfigError>,
    /// Seals personal data.
    pub vault: Result<Vault, ConfigError>,
}

impl Settings {
    /// Reads the configuration.
    pub fn new(variables: &Variables) -> Self {
        Self {
            wecom: WECOM.receiver(variables),
            // An account in plain mode has no key.
            official_account: match variables.optional(OFFICIAL_ACCOUNT.key) {
                Some(_) => OFFICIAL_ACCOUNT.receiver(variables),
                None => OFFICIAL_ACCOUNT.plain(variables),
            },
            public_url: variables.required(PUBLIC_URL).map(|url| url.trim_end_matches('/').to_owned()),
            vault: Vault::new(variables),
        }
    }
}
