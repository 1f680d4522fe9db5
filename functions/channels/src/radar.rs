//! Content radar: what can be tracked, and which visit the advisor is told of.

use crate::link::check_address;
use crate::mistake::{Mistake, ensure, mistake};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// At which visit of one person to one content the advisor is told.
pub const TELLING: u32 = 3;
/// How long after the last news of a visit it counts as over, in milliseconds.
pub const SILENCE_MS: i64 = 120_000;
/// The longest visit, in milliseconds: a day. What is left open longer is not read.
pub const LONGEST_MS: i64 = 86_400_000;

/// What a content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentKind {
    /// Something to read.
    Article,
    /// A product's page.
    Product,
    /// A file: a catalogue, a price list.
    File,
    /// Something to watch.
    Video,
}

impl ContentKind {
    const ALL: [Self; 4] = [Self::Article, Self::Product, Self::File, Self::Video];

    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::Product => "product",
            Self::File => "file",
            Self::Video => "video",
        }
    }
}

impl fmt::Display for ContentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ContentKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| format!("{text} is no kind of content"))
    }
}

/// A content as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentBody {
    /// What it is.
    pub kind: ContentKind,
    /// What it is called, 1 to 100 characters: the page's heading.
    pub title: String,
    /// Where it lies: `https://…`, or the scheme of an app.
    pub url: String,
    /// The merchant's product code, where it is about one.
    #[serde(default)]
    pub product: Option<String>,
    /// Whether the page that counts shows it inside itself, so that it counts as long as it is read: for pages that may be framed. Else it leads there.
    #[serde(default)]
    pub embed: bool,
    /// The store that it belongs to, as a path; the caller's own where it is left out.
    #[serde(default)]
    pub store: Option<String>,
}

impl ContentBody {
    /// Whether it can be shown.
    ///
    /// # Errors
    /// [`Mistake`] with the place and what to change.
    pub fn check(&self) -> Result<(), Mistake> {
        check_address(&self.url).or_else(|what| mistake("url", what))?;
        let frames = !self.embed || origin(&self.url).is_some();
        ensure(
            frames,
            "embed",
            "only an https:// address whose host is of letters, digits, dots and hyphens is shown inside",
        )?;
        let fits = |code: &String| (1..=100).contains(&code.len()) && !code.chars().any(char::is_control);
        ensure(self.product.as_ref().is_none_or(fits), "product", "write 1 to 100 bytes, or leave it out")
    }
}

/// Scheme, host and port of an `https://` address, as a policy for frames names them. The host is of letters, digits, dots and hyphens, so that nothing in it
/// ends the policy's directive.
pub fn origin(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_host && is_port).then(|| format!("https://{authority}"))
}

/// How long a visit is taken to have lasted: what the page tells, as far as the clock allows, at most a day. All in milliseconds.
pub fn dwell(told: u64, since_opened: i64) -> i64 {
    i64::try_from(told).unwrap_or(i64::MAX).min(since_opened.max(0)).min(LONGEST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_end_the_directive_that_it_is_named_in() {
        for (url, expected) in [
            ("https://tea.example/a?b#c", Some("https://tea.example")),
            ("https://tea.example:8443/a", Some("https://tea.example:8443")),
            ("https://tea.example;script-src/a", None),
            ("https://tea.example,x/a", None),
            ("https://*/a", None),
            ("https://tea.example:/a", None),
            ("https:///a", None),
            ("http://tea.example/a", None),
            ("weixin://dl/business", None),
        ] {
            assert_eq!(origin(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_visit_lasts_no_longer_than_since_it_began() {
        for (told, since, lasts) in
            [(500, 1_000, 500), (5_000, 1_000, 1_000), (5_000, -3, 0), (u64::MAX, i64::MAX, LONGEST_MS), (0, 9, 0)]
        {
            assert_eq!(dwell(told, since), lasts);
        }
    }

    #[test]
    fn a_content_that_cannot_be_shown_is_refused() {
        let body = |url: &str, embed: bool, product: Option<&str>| ContentBody {
            kind: ContentKind::Article,
            title: "t".to_owned(),
            url: url.to_owned(),
            product: product.map(str::to_owned),
            embed,
            store: None,
        };
        let path = |body: ContentBody| body.check().map_err(|mistake| mistake.path);
        assert_eq!(path(body("https://tea.example/a", true, Some("TEA-1"))), Ok(()));
        assert_eq!(path(body("weixin://dl/business", false, None)), Ok(()));
        assert_eq!(path(body("weixin://dl/business", true, None)), Err("embed".to_owned()));
        assert_eq!(path(body("javascript:alert(1)", false, None)), Err("url".to_owned()));
        assert_eq!(path(body("https://tea.example/a", false, Some(""))), Err("product".to_owned()));
    }
}
