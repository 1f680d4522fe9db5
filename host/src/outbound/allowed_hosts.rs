//! `allowed_outbound_hosts`: where a component may connect to, in Spin's syntax.
//!
//! An entry is `SCHEME://HOST[:PORT]`: scheme and port may be `*`, a port may be a range `FROM..TO` (TO excluded), the
//! host `*`, `*.example.com`, a name, an address, a network (`10.0.0.0/8`) or `self` (the application's own
//! address). Whatever no entry allows is refused.

use std::net::IpAddr;
use std::ops::Range;

use http::Uri;
use ipnet::IpNet;
use url::Host;

/// The domain under which components reach each other inside the host: `COMPONENT.spin.internal`.
pub const CHAINING_SUFFIX: &str = ".spin.internal";

/// Where one component may connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Entry>);

/// An entry that cannot be understood: the entry, and what is wrong with it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{entry:?} is not an allowed outbound host (SCHEME://HOST[:PORT], '*' stands for any): {problem}")]
pub struct EntryError {
    entry: String,
    problem: &'static str,
}

impl AllowedHosts {
    /// Reads entries whose `{{ variables }}` have been filled in. An entry that a variable left empty (``, `http://`, `https://`) is
    /// skipped, so that an optional system may stay unset.
    ///
    /// # Errors
    /// [`EntryError`]: the first entry that cannot be understood.
    pub fn parse(entries: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, EntryError> {
        let entries = entries.into_iter();
        let read = entries.filter_map(|entry| match entry.as_ref().trim() {
            "" | "http://" | "https://" => None,
            text => Some(Entry::parse(text).map_err(|problem| EntryError { entry: text.to_owned(), problem })),
        });
        read.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a request to the absolute `uri` is allowed.
    #[must_use]
    pub fn allow(&self, uri: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else { return false };
        let Ok(host) = Host::parse(host) else { return false };
        let port = uri.port_u16().or_else(|| default_port(scheme));
        self.0.iter().any(|entry| entry.allows_scheme(scheme) && entry.host.allows(&host) && entry.ports.allow(port))
    }

    /// Whether a request to the application itself, at whatever address it listens, is allowed.
    #[must_use]
    pub fn allow_self(&self) -> bool {
        let to_self = |entry: &Entry| matches!(entry.host, HostPattern::Any | HostPattern::ToSelf);
        let http = |entry: &Entry| entry.allows_scheme("http") || entry.allows_scheme("https");
        self.0.iter().any(|entry| to_self(entry) && http(entry))
    }
}

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// `None` stands for any.
    scheme: Option<String>,
    host: HostPattern,
    ports: Ports,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// The domain with its leading dot.
    Subdomains(String),
    ToSelf,
    Exactly(Host),
    Network(IpNet),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Ports {
    Any,
    Only(u16),
    Between(Range<u16>),
}

impl Entry {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("it has no scheme")?;
        let letters = scheme.chars().all(char::is_alphabetic);
        if scheme != "*" && (scheme.is_empty() || !letters) {
            return Err("the scheme must be letters or '*'");
        }
        // A colon may also stand in an IPv6 address, which is tried first.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if HostPattern::parse(rest).is_err() => (host, port.strip_suffix('/').unwrap_or(port)),
            _ => (rest.strip_suffix(':').unwrap_or(rest), ""),
        };
        let ports = match port {
            "" => default_port(scheme).map(Ports::Only).ok_or("the scheme has no default port")?,
            "*" => Ports::Any,
            port => Ports::parse(port)?,
        };
        let scheme = (scheme != "*").then(|| scheme.to_owned());
        Ok(Self { scheme, host: HostPattern::parse(host)?, ports })
    }

    fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme.as_ref().is_none_or(|own| own == scheme)
    }
}

impl HostPattern {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network));
        }
        let host = text.strip_suffix('/').unwrap_or(text);
        let name = |name| Host::parse(name).map_err(|_| "the host is not a name or an address");
        match (host, host.strip_prefix("*.")) {
            ("*", _) => Ok(Self::Any),
            ("self" | "self.alt", _) => Ok(Self::ToSelf),
            _ if host.contains('/') => Err("it must not have a path"),
            (_, Some(domain)) => match name(domain)? {
                Host::Domain(domain) if !domain.contains('*') => Ok(Self::Subdomains(format!(".{domain}"))),
                _ => Err("'*.' must be followed by a domain"),
            },
            _ if host.contains('*') => Err("'*' may stand for the whole host or its first part only"),
            _ => name(host).map(Self::Exactly),
        }
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Exactly(own), host) => own == host,
            (Self::Network(network), Host::Ipv4(address)) => network.contains(&IpAddr::from(*address)),
            (Self::Network(network), Host::Ipv6(address)) => network.contains(&IpAddr::from(*address)),
            (Self::Subdomains(_) | Self::Network(_) | Self::ToSelf, _) => false,
        }
    }
}

impl Ports {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let number = |text: &str| text.parse().map_err(|_| "the port is not a number, a range or '*'");
        match text.split_once("..") {
            Some((from, to)) => Ok(Self::Between(number(from)?..number(to)?)),
            None => Ok(Self::Only(number(text)?)),
        }
    }

    fn allow(&self, port: Option<u16>) -> bool {
        match (self, port) {
            (Self::Any, _) => true,
            (Self::Only(own), Some(port)) => *own == port,
            (Self::Between(range), Some(port)) => range.contains(&port),
            (_, None) => false,
        }
    }
}

/// The port that a URL of this scheme means when it names none.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, uri: &str) -> bool {
        AllowedHosts::parse([entry]).unwrap().allow(&uri.parse().unwrap())
    }

    #[test]
    fn an_entry_allows_what_it_names_and_nothing_else() {
        for (entry, uri, allowed) in [
            ("https://example.com", "https://example.com/path", true),
            ("https://example.com/", "https://example.com:443/", true),
            ("https://example.com", "http://example.com/", false),
            ("https://example.com", "https://example.com:8443/", false),
            ("https://example.com", "https://sub.example.com/", false),
            ("https://example.com", "https://EXAMPLE.com/", true),
            ("http://localhost:3000..3010", "http://localhost:3000/", true),
            ("http://localhost:3000..3010", "http://localhost:3010/", false),
            ("*://example.com:*", "http://example.com:8080/", true),
            ("https://*.example.com", "https://a.b.example.com/", true),
            ("https://*.example.com", "https://example.com/", false),
            ("https://*.example.com", "https://badexample.com/", false),
            ("*://*:*", "http://10.1.2.3:99/", true),
            ("http://10.0.0.0/8:80", "http://10.1.2.3/", true),
            ("http://10.0.0.0/8:80", "http://11.1.2.3/", false),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/", true),
            ("http://[::1]", "http://[::1]/", true),
            ("http://[::1]:8080", "http://[::1]:8080/", true),
            ("http://[::1]:8080", "http://[::2]:8080/", false),
            ("http://self", "http://example.com/", false),
            ("http://*.spin.internal", "http://orders.spin.internal/consume", true),
            ("http://pump.spin.internal", "http://orders.spin.internal/", false),
        ] {
            assert_eq!(allows(entry, uri), allowed, "{entry} and {uri}");
        }
    }

    #[test]
    fn requests_to_the_application_itself_need_an_entry_of_their_own() {
        for (entry, allowed) in
            [("http://self", true), ("*://*:*", true), ("http://example.com", false), ("redis://self", false)]
        {
            assert_eq!(AllowedHosts::parse([entry]).unwrap().allow_self(), allowed, "{entry}");
        }
    }

    #[test]
    fn entries_that_nobody_can_mean_are_refused() {
        for entry in [
            "*",
            "example.com",
            "://example.com",
            "https://example.com/path",
            "https://ex*mple.com",
            "https://*.*.com",
            "https://*.10.0.0.1",
            "https://example.com:port",
            "gopher://example.com",
            "*://example.com",
        ] {
            let error = AllowedHosts::parse([entry]).unwrap_err();
            assert!(error.to_string().contains(entry), "{error}");
        }
    }

    #[test]
    fn an_entry_left_empty_by_a_variable_allows_nothing() {
        assert_eq!(AllowedHosts::parse(["", "https://", " http:// "]), Ok(AllowedHosts::default()));
    }
}
