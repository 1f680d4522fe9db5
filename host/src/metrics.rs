//! The host's own figures, in Prometheus' text format.

use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the duration histogram's buckets, in seconds.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 30.0];

/// Upper bounds of the buckets for the start of an instance, in seconds.
const START_BUCKETS: [f64; 8] = [0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.01];

/// All figures of one host.
pub struct Metrics {
    registry: Registry,
    /// Client connections that are open.
    pub connections: Gauge,
    requests: Family<RequestLabels, Counter>,
    duration: Family<ComponentLabels, Histogram, fn() -> Histogram>,
    queued: Family<ComponentLabels, Gauge>,
    instances: Family<ComponentLabels, Gauge>,
    started: Family<ComponentLabels, Histogram, fn() -> Histogram>,
    ended: Family<EndLabels, Counter>,
    ticks: Family<TickLabels, Counter>,
}

/// The figures of one component, ready to be counted up without a look-up.
pub struct ComponentMetrics {
    component: String,
    /// By status class: 1xx, 2xx, 3xx, 4xx, 5xx.
    requests: [Counter; 5],
    duration: Histogram,
    /// Requests that wait for an instance.
    pub queued: Gauge,
    /// Instances that exist.
    pub instances: Gauge,
    /// How long it took to make each instance, in seconds.
    started: Histogram,
    ended: Family<EndLabels, Counter>,
    ticks: Family<TickLabels, Counter>,
}

/// Why an instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It had done all that it was given.
    Finished,
    /// Something in it took too long.
    TimedOut,
    /// The guest trapped.
    Trapped,
    /// It never began.
    NotStarted,
}

impl EncodeLabelValue for Cause {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let value = match self {
            Self::Finished => "finished",
            Self::TimedOut => "timed_out",
            Self::Trapped => "trapped",
            Self::NotStarted => "not_started",
        };
        EncodeLabelValue::encode(&value, encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ComponentLabels {
    component: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    component: String,
    /// The class of the status, such as `2xx`.
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    component: String,
    cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TickLabels {
    component: String,
    /// `true` for an answer below 400.
    ok: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All figures, at zero.
    #[must_use]
    pub fn new() -> Self {
        let durations: fn() -> Histogram = || Histogram::new(BUCKETS);
        let starts: fn() -> Histogram = || Histogram::new(START_BUCKETS);
        let mut metrics = Self {
            registry: Registry::with_prefix("siyu"),
            connections: Gauge::default(),
            requests: Family::default(),
            duration: Family::new_with_constructor(durations),
            queued: Family::default(),
            instances: Family::default(),
            started: Family::new_with_constructor(starts),
            ended: Family::default(),
            ticks: Family::default(),
        };
        let Self { registry, connections, requests, duration, queued, .. } = &mut metrics;
        registry.register("connections", "Client connections that are open", connections.clone());
        registry.register("requests", "Requests that components answered", requests.clone());
        registry.register(
            "request_duration_seconds",
            "From a request's arrival to the head of its response",
            duration.clone(),
        );
        registry.register("requests_queued", "Requests that wait for an instance", queued.clone());
        let Self { registry, instances, started, ended, ticks, .. } = &mut metrics;
        registry.register("instances", "Instances that exist", instances.clone());
        registry.register("instance_start_seconds", "The time it took to make an instance", started.clone());
        registry.register("instances_ended", "Instances that ended, by cause", ended.clone());
        registry.register("ticks", "Calls by the host's clock", ticks.clone());
        metrics
    }

    /// The figures of the component `id`.
    #[must_use]
    pub fn component(&self, id: &str) -> ComponentMetrics {
        let labels = ComponentLabels { component: id.to_owned() };
        let requests = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|status| {
            let labels = RequestLabels { component: id.to_owned(), status };
            self.requests.get_or_create_owned(&labels)
        });
        ComponentMetrics {
            component: id.to_owned(),
            requests,
            duration: self.duration.get_or_create_owned(&labels),
            queued: self.queued.get_or_create_owned(&labels),
            instances: self.instances.get_or_create_owned(&labels),
            started: self.started.get_or_create_owned(&labels),
            ended: self.ended.clone(),
            ticks: self.ticks.clone(),
        }
    }

    /// All figures as text.
    ///
    /// # Errors
    /// A figure's own formatting failed, which none does.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl ComponentMetrics {
    /// A request was answered with `status` after `duration`.
    pub fn answered(&self, status: StatusCode, duration: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.requests.get(class) {
            counter.inc();
        }
        self.duration.observe(duration.as_secs_f64());
    }

    /// An instance was made in `duration`.
    pub fn started(&self, duration: Duration) {
        self.started.observe(duration.as_secs_f64());
    }

    /// An instance ended.
    pub fn ended(&self, cause: Cause) {
        let labels = EndLabels { component: self.component.clone(), cause };
        self.ended.get_or_create(&labels).inc();
    }

    /// The clock called the component and got an answer that was `ok`, or was not.
    pub fn ticked(&self, ok: bool) {
        let labels = TickLabels { component: self.component.clone(), ok };
        self.ticks.get_or_create(&labels).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_by_component() {
        let metrics = Metrics::new();
        let orders = metrics.component("orders");
        orders.answered(StatusCode::OK, Duration::from_millis(3));
        orders.answered(StatusCode::BAD_GATEWAY, Duration::from_millis(3));
        orders.ended(Cause::Trapped);
        orders.ticked(true);
        let text = metrics.text().unwrap();
        for line in [
            r#"siyu_requests_total{component="orders",status="2xx"} 1"#,
            r#"siyu_requests_total{component="orders",status="5xx"} 1"#,
            r#"siyu_request_duration_seconds_bucket{le="0.005",component="orders"} 2"#,
            r#"siyu_instances_ended_total{component="orders",cause="trapped"} 1"#,
            r#"siyu_ticks_total{component="orders",ok="true"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
