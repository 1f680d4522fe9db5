//! What the tests stand on: a host in a process of its own, and a client.

mod client;
mod manifest;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub use client::{Client, Reply};
pub use manifest::MANIFEST;

/// Nothing that a test waits for takes this long, except on a machine that is about to fall over.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running host. It is killed when dropped.
pub struct Host {
    child: Child,
    address: SocketAddr,
    client: Client,
    log: Arc<Mutex<Vec<String>>>,
    folder: Arc<TempDir>,
}

/// What a host is started with.
pub struct Setup {
    manifest: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    folder: Arc<TempDir>,
}

impl Setup {
    /// The application of [`MANIFEST`] in a new folder.
    pub fn new() -> Self {
        Self::of(MANIFEST)
    }

    /// An application of this manifest, in which `P3` and `P2` stand for the guests' files.
    pub fn of(manifest: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let (arguments, environment) = Default::default();
        Self { manifest: manifest.to_owned(), arguments, environment, folder }
    }

    /// Flags of `siyu up`.
    pub fn flags<const N: usize>(mut self, flags: [&str; N]) -> Self {
        self.arguments.extend(flags.map(str::to_owned));
        self
    }

    /// Replaces a part of the manifest, which must be there.
    pub fn replacing(mut self, from: &str, to: &str) -> Self {
        assert!(self.manifest.contains(from), "{from} is not in the manifest");
        self.manifest = self.manifest.replace(from, to);
        self
    }

    /// Sets an environment variable of the host.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A path in the test's folder.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A file in the test's folder, for flags that take one.
    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Starts the host and waits until it serves.
    pub fn start(self) -> Host {
        let mut child = self.command().spawn().unwrap();
        let log = follow(child.stderr.take().unwrap());
        let (sender, first_line) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines() {
                // Nobody listens after the first one; the rest is read so that the host does not block.
                let _ = sender.send(line.unwrap());
            }
        });
        let Ok(line) = first_line.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("the host does not serve; its log:\n{}", log.lock().unwrap().join("\n"));
        };
        let url = line.strip_prefix("Serving ").unwrap_or_else(|| panic!("first line: {line}"));
        let client = if url.starts_with("https:") { Client::trusting_all() } else { Client::new() };
        let address = url.rsplit('/').next().unwrap().parse().unwrap();
        Host { child, address, client: client.at(url), log, folder: self.folder }
    }

    /// Runs a host that ought not to start; gives how it ended and what it said.
    pub fn fail(self) -> (ExitStatus, String) {
        let output = self.command().output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn command(&self) -> Command {
        let manifest = self
            .manifest
            .replace("\"P3\"", &format!("{:?}", guest("host_guest_p3.wasm")))
            .replace("\"P2\"", &format!("{:?}", guest("host_guest_p2.wasm")));
        let manifest = self.file("spin.toml", &manifest);
        let state = self.folder.path().join("state");
        share_compiled_components(&state);
        let mut command = Command::new(env!("CARGO_BIN_EXE_siyu"));
        command
            .args(["up", "--from", &manifest, "--listen", "127.0.0.1:0", "--log-format", "json"])
            .arg("--state-dir")
            .arg(state)
            .args(&self.arguments)
            .env_remove("RUST_LOG")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Host {
    /// A client of this host.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// GETs a path.
    pub async fn get(&self, path: &str) -> Reply {
        self.client.get(path).await
    }

    /// POSTs a text to a path.
    pub async fn post(&self, path: &str, body: impl Into<bytes::Bytes>) -> Reply {
        self.client.send("POST", path, body).await
    }

    /// Runs a script on the guest's default database and expects it to succeed; gives its output.
    pub async fn script(&self, script: &str) -> String {
        self.post("/script/default", script.to_owned()).await.ok()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A file in the state directory.
    pub fn state_file(&self, name: &str) -> PathBuf {
        self.folder.path().join("state").join(name)
    }

    /// The log's lines so far.
    pub fn log(&self) -> Vec<serde_json::Value> {
        let lines = self.log.lock().unwrap();
        lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// Waits for a line in the log.
    pub async fn log_line(&self, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        eventually(async || self.log().into_iter().find(|line| wanted(line))).await
    }

    /// The most memory that the host has had, in bytes.
    pub fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
    }

    /// Asks the host to stop.
    pub fn terminate(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits until the host has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        eventually(async || child.try_wait().unwrap()).await
    }

    /// Kills the host as a power cut would, and gives what is needed to start it again on the same state.
    pub fn kill(mut self) -> Setup {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Setup { folder: self.folder.clone(), ..Setup::new() }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is there.
pub async fn eventually<T>(mut there: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = there().await {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "it does not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Collects the log as it comes.
fn follow(stderr: impl std::io::Read + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let log = Arc::<Mutex<Vec<String>>>::default();
    let lines = Arc::clone(&log);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
    log
}

/// The file of a guest, wherever the components have been put.
fn guest(name: &str) -> PathBuf {
    let folder = match std::env::var_os("SIYU_GUESTS_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/wasm32-wasip2/function"),
    };
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing: run `cargo xtask build` first", path.display());
    std::path::absolute(path).unwrap()
}

/// All tests' hosts keep their compiled components in one place: compiling takes longer than most tests.
fn share_compiled_components(state: &Path) {
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    std::fs::create_dir_all(&shared).unwrap();
    std::fs::create_dir_all(state).unwrap();
    let link = state.join("cache");
    if !link.exists() {
        std::os::unix::fs::symlink(shared, link).unwrap();
    }
}
