//! A running application: its components behind their routes, and the calls between them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use anyhow::Context;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, header};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::{p2, p3};

use crate::call::{Call, Failure};
use crate::guest::{self, Guest, Services, Template};
use crate::limits::Limits;
use crate::manifest::App;
use crate::metrics::{ComponentMetrics, Metrics};
use crate::outbound::allowed_hosts::AllowedHosts;
use crate::outbound::{Client, Outbound};
use crate::pool::Pool;
use crate::routes::{RouteMatch, Router};
use crate::trace_context::TRACEPARENT;
use crate::variables::Resolver;

/// The address of a caller inside the application, as Spin gives it.
const INSIDE: &str = "0.0.0.0:0";

/// All components of an application, ready to be called.
pub struct Application {
    router: Router,
    pools: BTreeMap<String, Arc<Pool>>,
    /// The host's figures.
    pub metrics: Metrics,
    /// The limits that it runs with.
    pub limits: Limits,
    /// Components that the clock calls, with the path.
    pub ticks: Vec<(String, PathAndQuery)>,
}

/// Where a request came from, for the headers that tell the component.
#[derive(Clone, Debug)]
pub struct Origin {
    /// `http` or `https`.
    scheme: Scheme,
    /// The client's address.
    client: HeaderValue,
}

/// What an application is made of, before it runs.
pub struct Parts<'a> {
    /// The manifest.
    pub app: &'a App,
    /// The values of its variables.
    pub variables: &'a Resolver,
    /// Its databases and stores.
    pub services: Services,
    /// The engine that compiles and runs its components.
    pub engine: Engine,
    /// The limits that it runs with.
    pub limits: Limits,
}

impl Application {
    /// Compiles and links all components. No instance is started yet.
    ///
    /// # Errors
    /// A component cannot be read, compiled or linked (it imports what this host does not have), or the manifest's routes or
    /// allowed hosts make no sense; the message names the component.
    pub fn new(parts: Parts<'_>) -> anyhow::Result<Arc<Self>> {
        let Parts { app, variables, services, engine, limits } = parts;
        let metrics = Metrics::new();
        let (client, services) = (Client::new()?, Arc::new(services));
        let this = Arc::new(OnceLock::<Weak<Self>>::new());
        let linker = guest::linker(&engine)?;
        let mut pools = BTreeMap::new();
        for (id, component) in &app.components {
            let place = format!("component.{id}.allowed_outbound_hosts");
            let hosts = component.allowed_outbound_hosts.iter();
            let hosts: Vec<_> = hosts.map(|entry| variables.expand(&place, entry)).collect::<Result<_, _>>()?;
            let allowed = AllowedHosts::parse(hosts).context(place)?;
            let name: Arc<str> = id.as_str().into();
            let environment = component.environment.clone().into_iter().collect();
            let template = Template {
                outbound: Outbound::new(name.clone(), allowed, client.clone(), this.clone()),
                id: name,
                environment,
                variables: variables.component(id),
                databases: Arc::new(component.sqlite_databases.clone()),
                stores: Arc::new(component.key_value_stores.clone()),
                services: services.clone(),
                memory: limits.memory,
                busy_epochs: Template::busy_epochs(&limits),
            };
            let pre = load(&engine, &linker, &component.source)
                .with_context(|| format!("component.{id}: {}", component.source.display()))?;
            let figures = metrics.component(id);
            let pool = Pool::new(engine.clone(), pre, template, limits.clone(), figures);
            pools.insert(id.clone(), pool);
        }
        let ticks = app.components.values().filter_map(|component| {
            let path = component.tick.as_ref()?;
            let path = path.parse().with_context(|| format!("component.{}.tool.siyu.tick", component.id));
            Some(path.map(|path| (component.id.clone(), path)))
        });
        let ticks = ticks.collect::<anyhow::Result<_>>()?;
        let application = Self { router: Router::new(app)?, pools, metrics, limits, ticks };
        let application = Arc::new(application);
        // Set once, here.
        this.get_or_init(|| Arc::downgrade(&application));
        Ok(application)
    }

    /// The component that answers `path`, if a public route leads to one.
    #[must_use]
    pub fn find<'a>(&'a self, path: &'a str) -> Option<RouteMatch<'a>> {
        self.router.find(path)
    }

    /// Has the component of `route` answer a request, after telling it how it was reached.
    ///
    /// # Errors
    /// [`Failure`]: it gave no answer.
    pub async fn call(
        &self,
        route: RouteMatch<'_>,
        origin: &Origin,
        mut request: Request<WasiBody>,
        call: Arc<Call>,
    ) -> Result<Response<WasiBody>, Failure> {
        let pool = self.pools.get(route.component()).ok_or(Failure::NotFound)?;
        let started = Instant::now();
        describe(&mut request, route, origin, &call);
        let answer = pool.call(request, call).await;
        let status = answer.as_ref().map_or_else(|failure| failure.status(), Response::status);
        pool.metrics().answered(status, started.elapsed());
        answer
    }

    /// Answers a request that a component makes to the application's public routes.
    ///
    /// # Errors
    /// [`Failure`]: no route leads to a component, or it gave no answer.
    pub async fn route(&self, request: Request<WasiBody>, call: Arc<Call>) -> Result<Response<WasiBody>, Failure> {
        let path = request.uri().path().to_owned();
        let route = self.find(&path).ok_or(Failure::NotFound)?;
        self.call(route, &Origin::inside(), request, call).await
    }

    /// Answers a request that a component, or the host's clock, makes to `component` by its name.
    ///
    /// # Errors
    /// [`Failure`]: there is no such component, or it gave no answer.
    pub async fn chain(
        &self,
        component: &str,
        request: Request<WasiBody>,
        call: Arc<Call>,
    ) -> Result<Response<WasiBody>, Failure> {
        let path = request.uri().path().to_owned();
        self.call(RouteMatch::chained(component, &path), &Origin::inside(), request, call).await
    }

    /// The figures of `component`.
    #[must_use]
    pub fn component_metrics(&self, component: &str) -> Option<&ComponentMetrics> {
        self.pools.get(component).map(|pool| pool.metrics())
    }

    /// Lets all instances finish what they have, and waits for that.
    pub async fn drain(&self) {
        for pool in self.pools.values() {
            pool.drain().await;
        }
    }
}

impl Origin {
    /// A client at an address that speaks `scheme`.
    #[must_use]
    pub fn client(scheme: Scheme, address: SocketAddr) -> Self {
        let client = HeaderValue::try_from(address.to_string());
        Self { scheme, client: client.unwrap_or_else(|_| HeaderValue::from_static(INSIDE)) }
    }

    /// A caller inside the application.
    fn inside() -> Self {
        Self { scheme: Scheme::HTTP, client: HeaderValue::from_static(INSIDE) }
    }
}

/// Reads, compiles (or takes from the cache) and links the component at `source`.
fn load(engine: &Engine, linker: &Linker<Guest>, source: &Path) -> anyhow::Result<ProxyPre<Guest>> {
    let component = Component::from_file(engine, source)?;
    let pre = linker.instantiate_pre(&component)?;
    match p3::bindings::ServicePre::new(pre.clone()) {
        Ok(pre) => Ok(ProxyPre::P3(pre)),
        Err(not_p3) => p2::bindings::ProxyPre::new(pre).map(ProxyPre::P2).map_err(|not_p2| {
            anyhow::anyhow!("it has no HTTP handler, neither WASI 0.3's ({not_p3:#}) nor 0.2's ({not_p2:#})")
        }),
    }
}

/// Makes the URI absolute, and adds the headers that tell the component how it was reached.
fn describe(request: &mut Request<WasiBody>, route: RouteMatch<'_>, origin: &Origin, call: &Call) {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let authority: Option<Authority> = match request.uri().authority() {
        Some(authority) => Some(authority.clone()),
        None => host.and_then(|host| host.parse().ok()),
    };
    let authority = authority.unwrap_or_else(|| Authority::from_static("localhost"));
    let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let full_url = [origin.scheme.as_str(), "://", authority.as_str(), path.as_str()].concat();
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(origin.scheme.clone());
    parts.authority = Some(authority);
    parts.path_and_query = Some(path);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    let headers = request.headers_mut();
    // Between the client and the host only.
    headers.remove(header::CONNECTION);
    route.tell(headers, &full_url, &origin.client);
    if let Some(value) = call.trace.header() {
        headers.insert(TRACEPARENT, value);
    }
}
