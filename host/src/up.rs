//! `siyu up`: puts the parts together and serves until it is told to stop.

use std::io::Write;
use std::path::absolute;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::application::{Application, Parts};
use crate::cli::Up;
use crate::guest::Services;
use crate::key_value::KeyValueHost;
use crate::limits::Limits;
use crate::manifest::App;
use crate::runtime_config::RuntimeConfig;
use crate::server::{Server, acceptor, serve_metrics};
use crate::sqlite::SqliteHost;
use crate::variables::Resolver;
use crate::{clock, engine, log, sqlite};

/// After so many turns the runtime looks at its sockets, even while there is always a task to run. A guest that computes is
/// such a task, and its turn is an epoch: with tokio's own 61 turns, the others' requests would wait for half a second.
const EVENT_INTERVAL: u32 = 8;

/// Runs the command until a signal ends it.
///
/// # Errors
/// The application cannot be started; the message says which file, key or flag is to blame.
pub fn run(up: Up) -> anyhow::Result<()> {
    let _log = log::start(up.log_format)?;
    // One thread has all in its caches, and no lock is ever contended. More are worth it only beyond one core's work.
    let mut runtime = match up.threads {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.worker_threads(up.threads.max(1)).event_interval(EVENT_INTERVAL).enable_all().build()?;
    runtime.block_on(serve(up))
}

async fn serve(mut up: Up) -> anyhow::Result<()> {
    let application = application(&mut up)?;
    let tls = match (&up.tls_cert, &up.tls_key) {
        (Some(cert), Some(key)) => Some(acceptor(cert, key)?),
        _ => None,
    };
    if let Some(address) = up.metrics_listen {
        tokio::spawn(serve_metrics(address, application.clone()).await?);
    }
    let server = Server::bind(application.clone(), up.listen, tls).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "Serving {}", server.url())?;
    stdout.flush()?;
    let clocks = clock::start(&application, up.tick);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut stop = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let (stopped, stopping) = tokio::sync::oneshot::channel::<()>();
    let serving = server.serve(async {
        // An error means the same: the sender is gone.
        drop(stopping.await);
    });
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        () = &mut serving => return Ok(()),
        () = stop() => {}
    }
    tracing::info!("stopping: finishing requests; once more to stop at once");
    drop(clocks);
    drop(stopped);
    tokio::select! {
        () = serving => {}
        () = stop() => {}
    }
    Ok(())
}

/// The application that the flags describe, with its state folder and databases ready.
fn application(up: &mut Up) -> anyhow::Result<std::sync::Arc<Application>> {
    let app = App::load(&up.from).with_context(|| up.from.display().to_string())?;
    let mut values = std::collections::BTreeMap::new();
    for flag in std::mem::take(&mut up.variables) {
        values.extend(flag.values()?);
    }
    let variables = Resolver::new(&app, values, |name| std::env::var(name).ok())?;
    let state_dir = absolute(&up.state_dir)?;
    std::fs::create_dir_all(&state_dir).with_context(|| format!("--state-dir {}", state_dir.display()))?;
    let config = match &up.runtime_config_file {
        Some(file) => RuntimeConfig::load(file, &state_dir)?,
        None => RuntimeConfig::defaults(&state_dir),
    };
    config.check(&app)?;
    let limits = Limits::from(up.limits.clone());
    let services = Services {
        sqlite: SqliteHost::new(&config, sqlite::Limits::from(&limits))?,
        key_value: KeyValueHost::new(&config)?,
    };
    for statements in &up.sqlite {
        services.sqlite.execute_flag(statements)?;
    }
    let engine = engine::engine(&limits, &state_dir.join("cache"))?;
    Application::new(Parts { app: &app, variables: &variables, services, engine, limits })
}
