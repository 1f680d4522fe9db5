//! The native servers to compare with, and how they are started: this program again, in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kit::db::Location;
use kit::{App, Client, Native, Variables};
use siyu_tests::host::peak_kb;
use siyu_tests::marketplace::dialect::Dialect;
use siyu_tests::marketplace::doudian::Doudian;
use siyu_tests::system::{API_TOKEN, DATA_KEY, WEBHOOK_SECRET};
use tokio::net::TcpListener;

/// A native server's process; killed when dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Bare hyper that says hello.
    ///
    /// # Errors
    /// When it does not start.
    pub fn hello() -> Result<Self> {
        Self::start(Command::new(std::env::current_exe()?).arg("serve-hello"))
    }

    /// The orders function over a database in `folder`, with so many writes in one transaction at most.
    ///
    /// # Errors
    /// When it does not start.
    pub fn orders(folder: &Path, most_per_commit: usize) -> Result<Self> {
        let database = folder.join(format!("native-{most_per_commit}.db"));
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve-orders").arg("--database").arg(database);
        Self::start(command.arg("--most-per-commit").arg(most_per_commit.to_string()))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has taken so far, in kB.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn peak_kb(&self) -> Result<u64> {
        peak_kb(self.child.id())
    }

    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start myself")?;
        let stdout = child.stdout.take().context("no stdout")?;
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        read?;
        server.address = crate::measure::address(line.trim().trim_start_matches("Serving "))?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serve hello with hyper alone: no router, no framework.
///
/// # Errors
/// When the port cannot be had, or accepting fails.
pub async fn serve_hello() -> Result<()> {
    let listener = listen().await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let hello = service_fn(async |_: Request<Incoming>| {
                Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from_static(b"hello\n"))))
            });
            // A client that goes away is none of our business here.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), hello).await;
        });
    }
}

/// Serve the orders function's own router over a database file.
///
/// # Errors
/// When the database cannot be opened, or the port cannot be had.
pub async fn serve_orders(database: PathBuf, most_per_commit: usize) -> Result<()> {
    let doudian = Doudian.app();
    let variables = Variables::from_pairs([
        ("douyin_app_key", doudian.key.as_str()),
        ("douyin_app_secret", doudian.secret.as_str()),
        ("webhook_secret", WEBHOOK_SECRET),
        ("data_key", DATA_KEY),
        ("api_token", API_TOKEN),
    ]);
    let location = Location::File(database);
    let app = App::native(&Native { location, variables, client: Client::default(), most_per_commit })?;
    let listener = listen().await?;
    axum::serve(listener, orders::router(app)).await.context("serving ended")
}

async fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("Serving http://{}", listener.local_addr()?);
    Ok(listener)
}
