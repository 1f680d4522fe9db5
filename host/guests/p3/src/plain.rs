//! What an ordinary component does: answer, look at itself, say something, wait.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use futures_channel::oneshot;
use http::Request;
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::http_compat::IncomingRequestBody;

use crate::answer::{Answer, Problem, stream, text};

/// The request's body, back as it comes.
pub fn echo(request: Request<IncomingRequestBody>) -> Answer {
    stream(request.into_body())
}

/// The request line and headers that arrived.
pub fn headers(request: &Request<IncomingRequestBody>) -> Answer {
    let mut lines = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        lines += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    text(lines)
}

/// The process environment.
pub fn environment() -> Answer {
    text(std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect::<String>())
}

/// A number that tells this instance from others, and how often it was asked.
pub fn instance() -> Answer {
    static NUMBER: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("instance"));
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let asked = ASKED.fetch_add(1, Ordering::Relaxed) + 1;
    text(format!("{:016x} {asked}\n", *NUMBER))
}

/// Writes a line to each of the outputs.
pub fn output() -> Answer {
    println!("a line on stdout");
    eprintln!("a line on stderr");
    text("")
}

/// Answers after so many milliseconds.
pub async fn sleep(milliseconds: &str) -> Result<Answer, Problem> {
    let milliseconds: u64 = milliseconds.parse().map_err(|_| Problem::BadRequest)?;
    wait_for(milliseconds * 1_000_000).await;
    Ok(text("slept\n"))
}

/// Waits until a second request comes to this instance; then both answer.
pub async fn meet() -> Result<Answer, Problem> {
    static WAITING: Mutex<Option<oneshot::Sender<()>>> = Mutex::new(None);
    let arrived = {
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.take() {
            Some(first) => {
                first.send(()).map_err(|()| Problem::refused("the first one has gone"))?;
                return Ok(text("second\n"));
            }
            None => {
                let (sender, receiver) = oneshot::channel();
                *waiting = Some(sender);
                receiver
            }
        }
    };
    arrived.await.map_err(Problem::refused)?;
    Ok(text("first\n"))
}

static TICKS: AtomicU64 = AtomicU64::new(0);
static RUNNING: AtomicU64 = AtomicU64::new(0);
static MOST_AT_ONCE: AtomicU64 = AtomicU64::new(0);

/// A tick that takes longer than the test's interval between ticks.
pub async fn tick() -> Answer {
    let running = RUNNING.fetch_add(1, Ordering::Relaxed) + 1;
    MOST_AT_ONCE.fetch_max(running, Ordering::Relaxed);
    wait_for(250_000_000).await;
    RUNNING.fetch_sub(1, Ordering::Relaxed);
    TICKS.fetch_add(1, Ordering::Relaxed);
    text("")
}

/// How many ticks ended, and how many ran at the same time at most.
pub fn ticks() -> Answer {
    text(format!("{} {}\n", TICKS.load(Ordering::Relaxed), MOST_AT_ONCE.load(Ordering::Relaxed)))
}
