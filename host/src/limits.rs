//! How much of the machine guests and callers may use. Every limit is a flag of `siyu up`.

use std::time::Duration;

/// The limits of one running application.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Instances of one component that may take requests at the same time.
    pub instances: usize,
    /// Requests that one WASI 0.3 instance serves at the same time. A WASI 0.2 instance serves one.
    pub requests_in_flight: usize,
    /// Requests of one component that may wait for an instance.
    pub queue: usize,
    /// Requests after which a WASI 0.3 instance is replaced. A WASI 0.2 instance serves one.
    pub requests_per_instance: u64,
    /// An instance with nothing to do for this long is dropped.
    pub idle_timeout: Duration,
    /// From a request's arrival to the head of its response, and between two parts of a body.
    pub request_timeout: Duration,
    /// Computing without a pause for this long ends an instance.
    pub busy_timeout: Duration,
    /// Linear memory of one instance, in bytes.
    pub memory: usize,
    /// The body of a request, in bytes.
    pub body: usize,
    /// Client connections open at the same time.
    pub connections: usize,
    /// How long a shutdown waits for requests and for what instances still do.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instances: 1,
            requests_in_flight: 128,
            queue: 1024,
            requests_per_instance: 1_000_000,
            idle_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(5),
            memory: 128 << 20,
            body: 10 << 20,
            connections: 1024,
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}
