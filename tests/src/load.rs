//! Many connections at once, each sending its next request when the last was answered; how many, and how long each took.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How much load.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Connections, each with one request in flight.
    pub connections: usize,
    /// Not measured: caches fill, instances start.
    pub warm_up: Duration,
    /// Measured.
    pub duration: Duration,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Requests answered as wanted within the measured time.
    pub answered: u64,
    /// Requests answered in all, warming up and running out included.
    pub total: u64,
    /// The measured time.
    pub elapsed: Duration,
    /// Latencies in microseconds.
    latency: Histogram<u64>,
}

impl Measured {
    /// Answers per second, rounded down.
    pub fn per_second(&self) -> u64 {
        let micros = self.elapsed.as_micros().max(1);
        u64::try_from(u128::from(self.answered) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }

    /// The latency that `percent` of the requests did not exceed.
    pub fn percentile(&self, percent: u8) -> Duration {
        Duration::from_micros(self.latency.value_at_percentile(f64::from(percent)))
    }
}

/// The request with a number; numbers are never used twice in one run.
pub type MakeRequest = Arc<dyn Fn(u64) -> Result<Request<Full<Bytes>>> + Send + Sync>;

/// Send requests to `address` in the given shape. Every answer must have the status `wanted`.
///
/// # Errors
/// When a connection fails, or an answer has another status; the message holds the answer.
pub async fn run(address: SocketAddr, shape: Shape, wanted: StatusCode, make: MakeRequest) -> Result<Measured> {
    let numbers = Arc::new(AtomicU64::new(0));
    let sent = Arc::clone(&numbers);
    let begin = Instant::now() + shape.warm_up;
    let end = begin + shape.duration;
    let mut connections = JoinSet::new();
    for _ in 0..shape.connections {
        let (numbers, make) = (Arc::clone(&numbers), Arc::clone(&make));
        connections.spawn(connection(address, begin, end, wanted, numbers, make));
    }
    let mut latency = histogram()?;
    while let Some(result) = connections.join_next().await {
        latency.add(result.context("a connection's task failed")??)?;
    }
    Ok(Measured { answered: latency.len(), total: sent.load(Ordering::Relaxed), elapsed: shape.duration, latency })
}

async fn connection(
    address: SocketAddr,
    begin: Instant,
    end: Instant,
    wanted: StatusCode,
    numbers: Arc<AtomicU64>,
    make: MakeRequest,
) -> Result<Histogram<u64>> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends when the sender is dropped; what goes wrong on it also fails the request below.
    let driver = tokio::spawn(connection);
    let mut latency = histogram()?;
    loop {
        let start = Instant::now();
        if start >= end {
            break;
        }
        let request = make(numbers.fetch_add(1, Ordering::Relaxed))?;
        let response = sender.send_request(request).await.context("the connection broke")?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let now = Instant::now();
        ensure!(status == wanted, "answered {status} {}", String::from_utf8_lossy(&body));
        if start >= begin && now <= end {
            latency.record(u64::try_from((now - start).as_micros())?)?;
        }
    }
    drop(sender);
    // Nothing is lost here: all answers have been read.
    let _ = driver.await;
    Ok(latency)
}

/// Microseconds up to a minute, three digits exact.
fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, 60_000_000, 3).context("no histogram")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_are_counted_and_a_wrong_status_is_an_error() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = axum::Router::new().route("/", axum::routing::get(|| async { "hello" }));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let shape = Shape { connections: 4, warm_up: Duration::from_millis(20), duration: Duration::from_millis(200) };
        let get = |path: &'static str| -> MakeRequest {
            Arc::new(move |_| Ok(Request::get(path).header("host", "test").body(Full::default())?))
        };
        let measured = run(address, shape, StatusCode::OK, get("/")).await.unwrap();
        assert!(measured.answered > 0);
        assert!(measured.percentile(99) >= measured.percentile(50));
        assert_eq!(measured.per_second(), measured.answered * 5);
        let error = run(address, shape, StatusCode::OK, get("/nowhere")).await.unwrap_err();
        assert!(error.to_string().contains("404"), "{error}");
        server.abort();
    }
}
