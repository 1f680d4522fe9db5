//! The command line. Flags that Spin has too are named and behave as Spin's.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::limits::Limits;
use crate::log::Format;
use crate::variables;

/// Runs Spin applications on an embedded host.
#[derive(Debug, Parser)]
#[command(name = "siyu", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the application of a manifest until interrupted
    Up(Box<Up>),
}

/// The flags of `siyu up`.
#[derive(Debug, Args)]
pub struct Up {
    /// The application's manifest
    #[arg(short, long, value_name = "FILE", default_value = "spin.toml")]
    pub from: PathBuf,

    /// Where to serve; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,

    /// Where databases, key-value stores and compiled components are kept
    #[arg(long, value_name = "FOLDER", default_value = ".siyu")]
    pub state_dir: PathBuf,

    /// A variable of the application: NAME=VALUE, NAME=@FILE, @FILE.json or @FILE.toml; repeatable
    #[arg(long = "variable", value_name = "VARIABLE")]
    pub variables: Vec<variables::Flag>,

    /// Where the application's databases and stores lie, as Spin's runtime configuration
    #[arg(long, value_name = "FILE")]
    pub runtime_config_file: Option<PathBuf>,

    /// SQL to run before serving: statements, or @FILE, or @FILE:DATABASE; repeatable
    #[arg(long = "sqlite", value_name = "SQL")]
    pub sqlite: Vec<String>,

    /// How often the components that ask for it are called; 0 for never
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub tick: Duration,

    /// The form of the log on standard error
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub log_format: Format,

    /// Where to serve the host's figures, at /metrics
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Serve HTTPS with the certificates in this PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The private key of the certificate, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Threads that serve. One is fastest up to what one core can do
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub threads: usize,

    /// What guests and clients may use.
    #[command(flatten)]
    pub limits: LimitFlags,
}

/// The flags that set [`Limits`].
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitFlags {
    /// Instances of one component that take requests at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().instances)]
    instances: usize,

    /// Requests that one instance serves at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().requests_in_flight)]
    max_requests_in_flight: usize,

    /// Requests of one component that may wait for an instance; more are answered 503
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().queue)]
    max_queue: usize,

    /// Requests after which an instance is replaced
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().requests_per_instance)]
    max_requests_per_instance: u64,

    /// An instance with nothing to do for this long is dropped
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    idle_timeout: Duration,

    /// A request that has no answer after this long is answered 504
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    request_timeout: Duration,

    /// An instance that computes for this long without a pause is ended
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    busy_timeout: Duration,

    /// How long a shutdown waits for requests
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    shutdown_timeout: Duration,

    /// Memory of one instance
    #[arg(long, value_name = "SIZE", default_value = "128M", value_parser = size)]
    max_memory: usize,

    /// A request's body; a longer one is answered 413
    #[arg(long, value_name = "SIZE", default_value = "10M", value_parser = size)]
    max_body: usize,

    /// Client connections at the same time; more wait
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().connections)]
    max_connections: usize,
}

impl From<LimitFlags> for Limits {
    fn from(flags: LimitFlags) -> Self {
        Self {
            instances: flags.instances,
            requests_in_flight: flags.max_requests_in_flight,
            queue: flags.max_queue,
            requests_per_instance: flags.max_requests_per_instance,
            idle_timeout: flags.idle_timeout,
            request_timeout: flags.request_timeout,
            busy_timeout: flags.busy_timeout,
            memory: flags.max_memory,
            body: flags.max_body,
            connections: flags.max_connections,
            shutdown_timeout: flags.shutdown_timeout,
        }
    }
}

/// Reads `500ms`, `1s`, `2m`, `1h`, or a bare number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let number: u64 = number.parse().map_err(|_| "give a whole number and ms, s, m or h".to_owned())?;
    let seconds = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        unit => return Err(format!("{unit:?} is not one of ms, s, m and h")),
    };
    let seconds = number.checked_mul(seconds).ok_or("that is too long")?;
    Ok(Duration::from_secs(seconds))
}

/// Reads a number of bytes, or of `K`, `M` or `G` (binary).
fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text);
    let number: usize = number.parse().map_err(|_| "give a whole number and K, M or G".to_owned())?;
    let factor = match unit {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        unit => return Err(format!("{unit:?} is not one of K, M and G")),
    };
    number.checked_mul(factor).ok_or_else(|| "that is too much".to_owned())
}

/// The digits at the beginning, and the rest.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_consistent_and_the_defaults_are_the_limits_own() {
        Cli::command().debug_assert();
        let Command::Up(up) = Cli::parse_from(["siyu", "up"]).command;
        assert_eq!(format!("{:?}", Limits::from(up.limits)), format!("{:?}", Limits::default()));
    }

    #[test]
    fn durations_and_sizes_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(size("128M"), Ok(128 << 20));
        for text in ["", "s", "1d", "-1s", "1.5s"] {
            assert!(duration(text).is_err(), "{text}");
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let one = Cli::try_parse_from(["siyu", "up", "--tls-cert", "cert.pem"]);
        assert!(one.unwrap_err().to_string().contains("--tls-key"));
    }
}
