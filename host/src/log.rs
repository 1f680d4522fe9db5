//! The log, on standard error: one record a line, for people or for machines.
//!
//! A thread of its own writes the lines, as many at once as there are: a write to a file or a terminal for each would be a
//! good part of what a request costs. The line about a request is put together here, without the means that `tracing` has for
//! records of any form, and looks like the others.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write, stderr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::trace_context::TraceContext;

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text for people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// After each write the thread lets lines come together for so long. The first line after a pause is written at once.
const PAUSE: Duration = Duration::from_millis(5);

/// Bytes that may wait to be written. Whoever wants to log beyond that waits, as for a write of its own.
const MOST_WAITING: usize = 1 << 20;

/// Where lines about requests go, once the process logs.
static REQUESTS: OnceLock<(Format, Arc<Lines>)> = OnceLock::new();

/// Keeps the log going; what is still waiting is written when it is dropped.
pub struct Log {
    lines: Arc<Lines>,
    thread: Option<JoinHandle<()>>,
}

/// Starts logging in `format`: information and worse, or what the environment variable `RUST_LOG` says. Returns nothing when
/// the process already logs.
///
/// # Errors
/// The thread that writes cannot be started.
pub fn start(format: Format) -> io::Result<Option<Log>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = Arc::<Lines>::default();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(ToLines(lines.clone()));
    let started = match format {
        Format::Pretty => builder.with_ansi(stderr().is_terminal()).try_init(),
        Format::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    if started.is_err() {
        tracing::debug!("the process logs already");
        return Ok(None);
    }
    // Set once: the subscriber was set just now, for the first time.
    drop(REQUESTS.set((format, lines.clone())));
    let thread = std::thread::Builder::new().name("log".to_owned()).spawn({
        let lines = lines.clone();
        move || lines.write_to(stderr())
    })?;
    Ok(Some(Log { lines, thread: Some(thread) }))
}

impl Drop for Log {
    fn drop(&mut self) {
        self.lines.lock().closed = true;
        self.lines.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It has no way to panic; and there is nowhere left to tell of it.
            drop(thread.join());
        }
    }
}

/// A request that is over.
pub struct Request<'a> {
    /// Its place in its trace.
    pub trace: TraceContext,
    /// Its method, which is a token.
    pub method: &'a str,
    /// Its path, without the query.
    pub path: &'a str,
    /// The component that answered; empty if none did.
    pub component: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// Bytes of the answer's body.
    pub bytes: u64,
    /// From its arrival to the end of the answer's body.
    pub duration: Duration,
}

impl Request<'_> {
    /// Writes the request's line.
    pub fn log(&self) {
        if !tracing::enabled!(target: "request", tracing::Level::INFO) {
            return;
        }
        if let Some((format, lines)) = REQUESTS.get() {
            lines.add(|text| {
                // Writing to a string cannot fail.
                let _ = match format {
                    Format::Pretty => self.pretty(SystemTime::now(), text),
                    Format::Json => self.json(SystemTime::now(), text),
                };
            });
        }
    }

    fn pretty(&self, now: SystemTime, text: &mut String) -> std::fmt::Result {
        let Self { trace, method, path, component, status, bytes, duration } = self;
        timestamp(now, text)?;
        text.push_str("  INFO request: request=\"");
        text.push_str(trace.span_hex().as_str());
        text.push_str("\" trace=\"");
        text.push_str(trace.trace_hex().as_str());
        text.push_str("\" method=");
        text.push_str(method);
        write!(text, " path={path:?} component={component:?} status={status} bytes={bytes} duration_ms=")?;
        millis(*duration, text)?;
        text.push('\n');
        Ok(())
    }

    fn json(&self, now: SystemTime, text: &mut String) -> std::fmt::Result {
        let Self { trace, method, path, component, status, bytes, duration } = self;
        text.push_str("{\"timestamp\":\"");
        timestamp(now, text)?;
        text.push_str("\",\"level\":\"INFO\",\"request\":\"");
        text.push_str(trace.span_hex().as_str());
        text.push_str("\",\"trace\":\"");
        text.push_str(trace.trace_hex().as_str());
        text.push_str("\",\"method\":\"");
        text.push_str(method);
        text.push_str("\",\"path\":");
        json_string(path, text)?;
        text.push_str(",\"component\":");
        json_string(component, text)?;
        write!(text, ",\"status\":{status},\"bytes\":{bytes},\"duration_ms\":")?;
        millis(*duration, text)?;
        text.push_str(",\"target\":\"request\"}\n");
        Ok(())
    }
}

/// RFC 3339 in UTC with microseconds, as in the other lines.
fn timestamp(now: SystemTime, text: &mut String) -> std::fmt::Result {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Days to a date of the Gregorian calendar, by eras of 400 years that begin in March
    // (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let micros = since.subsec_micros();
    write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

fn millis(duration: Duration, text: &mut String) -> std::fmt::Result {
    let micros = duration.as_micros();
    write!(text, "{}.{:03}", micros / 1_000, micros % 1_000)
}

fn json_string(value: &str, text: &mut String) -> std::fmt::Result {
    if value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\') {
        write!(text, "\"{value}\"")
    } else {
        write!(text, "{}", serde_json::Value::from(value))
    }
}

/// Lines that wait to be written.
#[derive(Default)]
struct Lines {
    state: Mutex<State>,
    /// There are lines again, or room again, or the end has come.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    text: String,
    /// The thread sleeps until it is told of the next line.
    asleep: bool,
    closed: bool,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `line` add a line to those that wait.
    fn add(&self, line: impl FnOnce(&mut String)) {
        let full = |state: &mut State| state.text.len() >= MOST_WAITING && !state.closed;
        let waited = self.changed.wait_while(self.lock(), full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        line(&mut state.text);
        if std::mem::take(&mut state.asleep) {
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Writes lines to `output` as they come, until the end.
    fn write_to(&self, mut output: impl Write) {
        let mut text = String::new();
        loop {
            let mut state = self.lock();
            while state.text.is_empty() && !state.closed {
                state.asleep = true;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.asleep = false;
            let closed = state.closed;
            std::mem::swap(&mut state.text, &mut text);
            drop(state);
            self.changed.notify_all();
            // Who reads the log may have gone; the requests go on.
            drop(output.write_all(text.as_bytes()));
            text.clear();
            if closed {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// Takes what `tracing` writes, one record by one call.
#[derive(Clone)]
struct ToLines(Arc<Lines>);

impl<'a> MakeWriter<'a> for ToLines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for ToLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.add(|text| text.push_str(&String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_micros(1_763_790_302_000_045);

    fn request() -> Request<'static> {
        let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        let duration = Duration::from_micros(12_034);
        Request { trace, method: "GET", path: "/a\"b", component: "guest", status: 200, bytes: 6, duration }
    }

    fn at(after_epoch: u64) -> String {
        let mut text = String::new();
        timestamp(UNIX_EPOCH + Duration::from_secs(after_epoch), &mut text).unwrap();
        text
    }

    #[test]
    fn a_request_is_an_object_on_a_line() {
        let mut text = String::new();
        request().json(UNIX_EPOCH + NOW, &mut text).unwrap();
        let line = text.strip_suffix('\n').unwrap();
        let expected = serde_json::json!({
            "timestamp": "2025-11-22T05:45:02.000045Z", "level": "INFO", "target": "request",
            "request": "00f067aa0ba902b7", "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
            "method": "GET", "path": "/a\"b", "component": "guest", "status": 200, "bytes": 6, "duration_ms": 12.034,
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(line).unwrap(), expected);
    }

    #[test]
    fn a_request_is_a_line_like_the_others() {
        let mut text = String::new();
        request().pretty(UNIX_EPOCH + NOW, &mut text).unwrap();
        assert_eq!(
            text,
            "2025-11-22T05:45:02.000045Z  INFO request: request=\"00f067aa0ba902b7\" \
             trace=\"4bf92f3577b34da6a3ce929d0e0e4736\" method=GET path=\"/a\\\"b\" component=\"guest\" status=200 bytes=6 \
             duration_ms=12.034\n"
        );
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(at(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59.000000Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000000Z");
        assert_eq!(at(1_767_225_599), "2025-12-31T23:59:59.000000Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.000000Z");
    }

    #[test]
    fn lines_are_written_in_order_and_the_last_ones_at_the_end() {
        let lines = Lines::default();
        let mut written = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| lines.write_to(&mut written));
            for number in 0..1000 {
                lines.add(|text| writeln!(text, "{number}").unwrap());
            }
            lines.lock().closed = true;
            lines.changed.notify_all();
        });
        let expected: String = (0..1000).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }
}
