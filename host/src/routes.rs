//! Which component answers a path, by Spin's rules, and the headers that tell it how it was reached.
//!
//! Routes are compared segment by segment: a literal goes before a `:name`, that before a trailing wildcard (`/...`),
//! so that an exact route wins, and among wildcards the longest prefix. The matching itself is `routefinder`'s, as in
//! Spin.

use std::borrow::Cow;
use std::net::SocketAddr;

use http::{HeaderName, HeaderValue};
use routefinder::Captures;

use crate::manifest::{App, Route};

/// The application's public routes.
pub struct Router {
    routes: routefinder::Router<Target>,
}

/// What a route leads to.
struct Target {
    component: String,
    /// The route as the manifest has it.
    raw: String,
    /// The route in its full form: absolute, without a trailing slash.
    full: String,
}

/// A route that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("trigger.http.route {route:?} of component {component:?}: {problem}")]
pub struct RouteError {
    route: String,
    component: String,
    problem: String,
}

/// A component that answers a path, and how the path led to it.
pub struct RouteMatch<'a> {
    component: &'a str,
    /// The route as the manifest has it.
    raw: &'a str,
    /// The route in its full form.
    full: &'a str,
    /// What `/...` stood for: empty, or beginning with `/`.
    path_info: Cow<'a, str>,
    /// What each `:name` stood for.
    captures: Captures<'a, 'a>,
}

impl Router {
    /// The router of the application's public routes. Of two equal routes the later one counts, as in Spin, and
    /// the log says so.
    ///
    /// # Errors
    /// [`RouteError`]: a route has a form that cannot be matched, such as a wildcard with a name.
    pub fn new(app: &App) -> Result<Self, RouteError> {
        let mut targets: Vec<Target> = Vec::new();
        for trigger in &app.triggers {
            let Route::Path(raw) = &trigger.route else { continue };
            let target = Target { component: trigger.component.clone(), raw: raw.clone(), full: full_form(raw) };
            match targets.iter_mut().find(|other| other.full == target.full) {
                Some(other) => {
                    let (shadowed, serves) = (&other.component, &target.component);
                    tracing::warn!(route = %raw, %shadowed, %serves, "two triggers have the same route");
                    *other = target;
                }
                None => targets.push(target),
            }
        }
        let mut routes = routefinder::Router::new();
        for target in targets {
            let pattern = match target.full.strip_suffix(WILDCARD) {
                Some(prefix) => format!("{prefix}/*"),
                None => target.full.clone(),
            };
            let (route, component) = (target.raw.clone(), target.component.clone());
            routes.add(pattern, target).map_err(|problem| RouteError { route, component, problem })?;
        }
        Ok(Self { routes })
    }

    /// The component that answers `path` (without the query), if any does.
    #[must_use]
    pub fn find<'a>(&'a self, path: &'a str) -> Option<RouteMatch<'a>> {
        let found = self.routes.best_match(path)?;
        let captures = found.captures();
        let path_info = captures.wildcard().map_or_else(String::new, |rest| path_info(rest, path));
        let Target { component, raw, full } = found.handler();
        Some(RouteMatch { component, raw, full, path_info: path_info.into(), captures })
    }
}

impl<'a> RouteMatch<'a> {
    /// The match of a call by service chaining: as if `component` answered all paths.
    #[must_use]
    pub fn chained(component: &'a str, path: &'a str) -> Self {
        let (raw, path_info) = (WILDCARD, Cow::Borrowed(path));
        Self { component, raw, full: raw, path_info, captures: Captures::new() }
    }

    /// The id of the component that answers.
    #[must_use]
    pub fn component(&self) -> &'a str {
        self.component
    }

    /// The headers that tell the component how it was reached: `spin-path-info`, `spin-path-match-NAME`, the
    /// routes, and `spin-full-url` and `spin-client-addr` from the arguments.
    ///
    /// A value that cannot stand in a header (a path may have any bytes once decoded) is left out.
    pub fn headers(&self, full_url: &str, client: SocketAddr) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let component_route = self.raw.strip_suffix(WILDCARD).unwrap_or(self.raw);
        let client = client.to_string();
        let fixed = [
            (PATH_INFO, &*self.path_info),
            (FULL_URL, full_url),
            (MATCHED_ROUTE, self.full),
            (BASE_PATH, "/"),
            (RAW_COMPONENT_ROUTE, self.raw),
            (COMPONENT_ROUTE, component_route),
            (CLIENT_ADDR, &*client),
        ];
        let fixed = fixed.map(|(name, value)| (Ok(name), HeaderValue::from_str(value)));
        let named = self.captures.iter().map(|(name, value)| {
            let name = format!("spin-path-match-{}", name.replace('_', "-"));
            (HeaderName::try_from(name.to_ascii_lowercase()), HeaderValue::from_str(value))
        });
        let all: Vec<_> = fixed.into_iter().chain(named).collect();
        all.into_iter().filter_map(|(name, value)| Some((name.ok()?, value.ok()?)))
    }
}

const WILDCARD: &str = "/...";

const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

/// The route with a leading and without a trailing slash: `/` becomes empty.
fn full_form(raw: &str) -> String {
    let trimmed = raw.strip_suffix('/').unwrap_or(raw);
    match raw.starts_with('/') {
        true => trimmed.to_owned(),
        false => format!("/{trimmed}"),
    }
}

/// What stands for `/...`, with the slashes at both ends that `routefinder` takes off and Spin keeps.
fn path_info(rest: &str, path: &str) -> String {
    match (rest.is_empty(), path.ends_with('/')) {
        (true, false) => String::new(),
        (true, true) => "/".to_owned(),
        (false, false) => format!("/{rest}"),
        (false, true) => format!("/{rest}/"),
    }
}

#[cfg(test)]
mod tests;
