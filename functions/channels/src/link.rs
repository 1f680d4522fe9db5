//! Links: where a code leads, with what, and on which device.

use crate::mistake::{Mistake, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The longest address, in bytes.
const LONGEST: usize = 2048;
/// The longest value of a UTM parameter, in bytes.
const LONGEST_UTM: usize = 100;
/// Schemes of apps that a code may lead to: WeChat, WeCom, Alipay, Taobao, Tmall, JD, Pinduoduo, Douyin, Kuaishou, Xiaohongshu.
const APPS: [&str; 11] = [
    "weixin",
    "wxwork",
    "alipays",
    "taobao",
    "tbopen",
    "tmall",
    "openapp.jdmobile",
    "pinduoduo",
    "snssdk1128",
    "kwai",
    "xhsdiscover",
];

/// What a link tells the analytics of the page that it leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Utm {
    /// `utm_source`, at most 100 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `utm_medium`, at most 100 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// `utm_campaign`, at most 100 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// `utm_term`, at most 100 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// `utm_content`, at most 100 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl Utm {
    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let Self { source, medium, campaign, term, content } = self;
        [
            ("utm_source", source),
            ("utm_medium", medium),
            ("utm_campaign", campaign),
            ("utm_term", term),
            ("utm_content", content),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// Whether it can go into a link.
    ///
    /// # Errors
    /// [`Mistake`] with the place and what to change.
    pub fn check(&self) -> Result<(), Mistake> {
        for (name, value) in self.pairs() {
            let fits = !value.trim().is_empty() && value.len() <= LONGEST_UTM && !value.chars().any(char::is_control);
            let field = name.trim_start_matches("utm_");
            ensure(fits, &format!("utm.{field}"), "write 1 to 100 bytes, or leave it out")?;
        }
        Ok(())
    }
}

/// Where a code leads: one address, and others for some devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Where it leads: `https://…`.
    pub url: String,
    /// Where it leads on some devices instead: `https://…` or an app's own scheme.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub devices: BTreeMap<Device, String>,
}

/// What opens a link, as far as its User-Agent tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// WeChat's own browser, on whatever it runs.
    Wechat,
    /// WeCom's own browser.
    Wecom,
    /// Another browser on an iPhone or iPad.
    Ios,
    /// Another browser on Android or HarmonyOS.
    Android,
    /// Everything else.
    Desktop,
}

impl Device {
    /// The device of a User-Agent. WeCom calls itself WeChat too, so it is asked for first.
    pub fn of(user_agent: &str) -> Self {
        let agent = user_agent.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| agent.contains(word));
        if says(&["wxwork"]) {
            Self::Wecom
        } else if says(&["micromessenger"]) {
            Self::Wechat
        } else if says(&["iphone", "ipad", "ipod"]) {
            Self::Ios
        } else if says(&["android", "harmony"]) {
            Self::Android
        } else {
            Self::Desktop
        }
    }
}

impl Target {
    /// Where it leads on a device.
    pub fn on(&self, device: Device) -> &str {
        self.devices.get(&device).unwrap_or(&self.url)
    }

    /// Whether it may be led to.
    ///
    /// # Errors
    /// [`Mistake`] with the place and what to change.
    pub fn check(&self) -> Result<(), Mistake> {
        check_web_address(&self.url).map_err(|what| Mistake { path: "url".to_owned(), what: what.to_owned() })?;
        for (device, url) in &self.devices {
            let path = format!(
                "devices.{}",
                serde_json::to_value(device).ok().as_ref().and_then(|name| name.as_str()).unwrap_or("?")
            );
            check_address(url).map_err(|what| Mistake { path: path.clone(), what: what.to_owned() })?;
            let foreign = match device {
                Device::Wechat => {
                    scheme(url).is_some_and(|scheme| !matches!(scheme.as_str(), "http" | "https" | "weixin"))
                }
                Device::Wecom => {
                    scheme(url).is_some_and(|scheme| !matches!(scheme.as_str(), "http" | "https" | "wxwork"))
                }
                Device::Ios | Device::Android | Device::Desktop => false,
            };
            ensure(!foreign, &path, "it does not open other apps: write https://…")?;
        }
        Ok(())
    }
}

fn scheme(url: &str) -> Option<String> {
    url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase())
}

/// Whether an address may be led to: `https://…`, `http://…` or the scheme of an app that is known here; never a script, a file, or a host that
/// hides behind another's name.
///
/// # Errors
/// What to change.
pub fn check_address(url: &str) -> Result<(), &'static str> {
    if url.len() > LONGEST {
        return Err("it is longer than 2048 bytes");
    }
    // Browsers drop tabs and line ends inside an address, and take a backslash for a slash.
    if url.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\') {
        return Err("it has blanks, control characters or backslashes: percent-encode them");
    }
    let Some((_, rest)) = url.split_once("://") else { return Err("write the whole address: https://…") };
    match scheme(url).as_deref() {
        Some("http" | "https") => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            if authority.contains('@') {
                return Err("it has a user name before the host: remove it");
            }
            let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
            // Hosts are checked as they are sent, so names in Chinese are written in Punycode.
            let parsed: Result<http::uri::Authority, _> = authority.parse();
            if host.is_empty() || parsed.is_err() { Err("it has no valid host") } else { Ok(()) }
        }
        Some(scheme) if APPS.contains(&scheme) => Ok(()),
        _ => Err("its scheme is not known here: write https://…, or the scheme of a known app"),
    }
}

/// Whether an address may be led to, and any browser opens it: as [`check_address`], without the schemes of apps.
///
/// # Errors
/// What to change.
pub fn check_web_address(url: &str) -> Result<(), &'static str> {
    check_address(url)?;
    let is_web = scheme(url).is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https"));
    if is_web { Ok(()) } else { Err("write https://…: an app's scheme does not open everywhere") }
}

/// The address that a visitor is sent to: the code's, with the visitor's parameters and the code's own UTM.
///
/// - UTM parameters of the visit win over those in the address, and these over the code's own, which fill what is missing.
/// - Other parameters of the visit are added where the address has none of their name. They never change what the merchant wrote.
/// - What makes the address longer than 2048 bytes is left out.
///
/// The rest of the address stays byte for byte, the fragment too.
pub fn merge(url: &str, given: &[(String, String)], own: &Utm) -> String {
    let (rest, fragment) = url.split_once('#').map_or((url, None), |(rest, fragment)| (rest, Some(fragment)));
    let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
    let pieces = || query.split('&').filter(|piece| !piece.is_empty());
    let name_of = |piece: &str| form_urlencoded::parse(piece.as_bytes()).next().map(|(name, _)| name.into_owned());

    let is_utm = |name: &str| name.starts_with("utm_");
    let mut room = LONGEST.saturating_sub(url.len());
    let mut added: Vec<(&str, String)> = Vec::new();
    let mut replaced: Vec<&str> = Vec::new();
    let own = own.pairs().filter(|(name, _)| !given.iter().any(|(other, _)| other == name));
    let given = given.iter().map(|(name, value)| (name.as_str(), value.as_str(), true));
    for (name, value, may_replace) in given.chain(own.map(|(name, value)| (name, value, false))) {
        let stands = pieces().any(|piece| name_of(piece).as_deref() == Some(name));
        let piece = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        let is_twice = added.iter().any(|(other, _)| *other == name);
        let wanted = !name.is_empty() && !is_twice && (!stands || (may_replace && is_utm(name)));
        if wanted && piece.len() < room {
            room -= piece.len() + 1;
            added.push((name, piece));
            if stands {
                replaced.push(name);
            }
        }
    }
    let kept = pieces().filter(|piece| !name_of(piece).is_some_and(|name| replaced.contains(&name.as_str())));
    let query: Vec<&str> = kept.chain(added.iter().map(|(_, piece)| piece.as_str())).collect();
    let mut merged = base.to_owned();
    if !query.is_empty() {
        merged.push('?');
        merged.push_str(&query.join("&"));
    }
    if let Some(fragment) = fragment {
        merged.push('#');
        merged.push_str(fragment);
    }
    merged
}

#[cfg(test)]
mod tests;
