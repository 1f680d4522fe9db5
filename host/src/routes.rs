//! Which component answers a path, by Spin's rules, and the headers that tell it how it was reached.
//!
//! Routes are compared segment by segment: a literal goes before a `:name`, that before a trailing wildcard (`/...`),
//! so that an exact route wins, and among wildcards the longest prefix. The matching itself is `routefinder`'s, as in
//! Spin.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use routefinder::Captures;

use crate::manifest::{App, Route};

/// The application's public routes.
pub struct Router {
    routes: routefinder::Router<Target>,
}

/// What a route leads to.
struct Target {
    component: String,
    told: Told,
}

/// What a component is told of the route that led to it; as header values, once made for all requests. What cannot stand in a
/// header is left out.
#[derive(Clone)]
struct Told {
    /// The route as the manifest has it.
    raw: Option<HeaderValue>,
    /// The route in its full form: absolute, without a trailing slash.
    full: Option<HeaderValue>,
    /// The route as the manifest has it, without a trailing wildcard.
    component: Option<HeaderValue>,
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
    told: Told,
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
        // Component, route in its full form, and as the manifest has it.
        let mut all: Vec<(&str, String, &str)> = Vec::new();
        for trigger in &app.triggers {
            let Route::Path(raw) = &trigger.route else { continue };
            let route = (trigger.component.as_str(), full_form(raw), raw.as_str());
            match all.iter_mut().find(|(_, full, _)| *full == route.1) {
                Some(other) => {
                    let (shadowed, serves) = (other.0, route.0);
                    tracing::warn!(route = %raw, %shadowed, %serves, "two triggers have the same route");
                    *other = route;
                }
                None => all.push(route),
            }
        }
        let mut routes = routefinder::Router::new();
        for (component, full, raw) in all {
            let pattern = match full.strip_suffix(WILDCARD) {
                Some(prefix) => format!("{prefix}/*"),
                None => full.clone(),
            };
            let target = Target { component: component.to_owned(), told: Told::of(raw, &full) };
            let (route, component) = (raw.to_owned(), component.to_owned());
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
        let Target { component, told } = found.handler();
        Some(RouteMatch { component, told: told.clone(), path_info: path_info.into(), captures })
    }
}

impl Told {
    fn of(raw: &str, full: &str) -> Self {
        let value = |text| HeaderValue::from_str(text).ok();
        let component = raw.strip_suffix(WILDCARD).unwrap_or(raw);
        Self { raw: value(raw), full: value(full), component: value(component) }
    }

    /// What is told where no route was taken: as if one led all paths to the component.
    fn of_wildcard() -> Self {
        let value = |text| Some(HeaderValue::from_static(text));
        Self { raw: value(WILDCARD), full: value(WILDCARD), component: value("") }
    }
}

impl<'a> RouteMatch<'a> {
    /// The match of a call by service chaining: as if `component` answered all paths.
    #[must_use]
    pub fn chained(component: &'a str, path: &'a str) -> Self {
        Self { component, told: Told::of_wildcard(), path_info: Cow::Borrowed(path), captures: Captures::new() }
    }

    /// The id of the component that answers.
    #[must_use]
    pub fn component(&self) -> &'a str {
        self.component
    }

    /// What the log names instead of the path: the route, where it has `:name` segments. What stands there may be a secret,
    /// such as the unguessable end of a webhook's address.
    #[must_use]
    pub fn instead_of_path(&self) -> Option<HeaderValue> {
        self.captures.iter().next().and(self.told.full.clone())
    }

    /// Adds the headers that tell the component how it was reached: `spin-path-info`, `spin-path-match-NAME`, the
    /// routes, and `spin-full-url` and `spin-client-addr` from the arguments.
    ///
    /// A value that cannot stand in a header (a path may have any bytes once decoded) is left out.
    pub fn tell(self, headers: &mut HeaderMap, full_url: &str, client: &HeaderValue) {
        let value = |text: &str| HeaderValue::from_str(text).ok();
        let Told { raw, full, component } = self.told;
        let fixed = [
            (PATH_INFO, value(&self.path_info)),
            (FULL_URL, value(full_url)),
            (MATCHED_ROUTE, full),
            (BASE_PATH, Some(HeaderValue::from_static("/"))),
            (RAW_COMPONENT_ROUTE, raw),
            (COMPONENT_ROUTE, component),
            (CLIENT_ADDR, Some(client.clone())),
        ];
        headers.reserve(fixed.len() + self.captures.iter().count() + 1);
        for (name, value) in fixed {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        for (name, found) in self.captures.iter() {
            let name = format!("spin-path-match-{}", name.replace('_', "-"));
            if let (Ok(name), Some(value)) = (HeaderName::try_from(name.to_ascii_lowercase()), value(found)) {
                headers.insert(name, value);
            }
        }
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
