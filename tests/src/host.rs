//! The embedded host as a child process: started on a state folder, asked to stop, or killed as a power cut would.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// Compiling all components for the first time on a slow machine takes a while.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// A host that is asked to stop finishes its requests first.
/// The host itself waits half a minute for the requests that it has begun.
const STOP_TIMEOUT: Duration = Duration::from_secs(45);

/// What to start.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The application's manifest.
    pub manifest: PathBuf,
    /// Its variables, as `--variable`.
    pub variables: Vec<(String, String)>,
    /// Any other flags of `siyu up`.
    pub flags: Vec<String>,
    /// Environment variables of the process.
    pub environment: Vec<(String, OsString)>,
}

impl Setup {
    /// The checkout's own application, with no variables.
    pub fn application() -> Self {
        Self::of_manifest(root().join("spin.toml"))
    }

    /// Any application.
    pub fn of_manifest(manifest: PathBuf) -> Self {
        Self { manifest, variables: Vec::new(), flags: Vec::new(), environment: Vec::new() }
    }

    /// The same with a variable set, whatever it was before.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// The same with more flags.
    #[must_use]
    pub fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|&flag| flag.to_owned()));
        self
    }

    /// The same with an environment variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }
}

/// A running host. Dropped, it is killed: a failing test leaves no process behind.
pub struct Host {
    child: Child,
    url: String,
    log: PathBuf,
    started_in: Duration,
}

impl Host {
    /// Start `setup` with its state in `state`, on a free port; returns once it serves. Its log, and all else that it prints, goes to
    /// `host.log` there.
    ///
    /// # Errors
    /// When the host is not built, ends, or does not serve within two minutes; the message holds the end of its log.
    pub fn start(setup: &Setup, state: &Path) -> Result<Self> {
        let binary = binary()?;
        let log = state.join("host.log");
        let mut command = Command::new(&binary);
        command.arg("up").arg("--from").arg(&setup.manifest);
        command.args(["--listen", "127.0.0.1:0", "--state-dir"]).arg(state);
        for (name, value) in &setup.variables {
            command.arg("--variable").arg(format!("{name}={value}"));
        }
        command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
        command.args(&setup.flags).stdin(Stdio::null()).stdout(Stdio::piped());
        let file = File::options().create(true).append(true).open(&log)?;
        command.stderr(file.try_clone()?);
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        let stdout = child.stdout.take().context("the host has no stdout")?;
        let mut host = Self { child, url: String::new(), log, started_in: Duration::ZERO };
        match first_line(stdout, file).recv_timeout(START_TIMEOUT) {
            Ok(line) => {
                host.started_in = start.elapsed();
                host.url = line.strip_prefix("Serving ").map(str::to_owned).unwrap_or_default();
                ensure!(
                    !host.url.is_empty(),
                    "the host's first line is {line:?}, not `Serving http://…`\n{}",
                    host.tail()
                );
                Ok(host)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let status = host.child.wait()?;
                bail!("the host ended with {status} before it served\n{}", host.tail())
            }
            Err(mpsc::RecvTimeoutError::Timeout) => bail!("the host did not serve in time\n{}", host.tail()),
        }
    }

    /// Start `setup` with all components compiled already: what is measured on it is not the compiler.
    ///
    /// # Errors
    /// As for [`Host::start`], and when it does not stop.
    pub async fn start_warm(setup: &Setup, state: &Path) -> Result<Self> {
        Self::start(setup, state)?.stop().await?;
        Self::start(setup, state)
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A path of the application as a full URL.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended, or was killed.
    ///
    /// # Errors
    /// When nobody can say.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// From its start until it said that it serves.
    pub fn started_in(&self) -> Duration {
        self.started_in
    }

    /// Resident memory now, in kB.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn resident_kb(&self) -> Result<u64> {
        status_kb(self.pid(), "VmRSS:")
    }

    /// The most resident memory that it has had so far, in kB.
    ///
    /// # Errors
    /// Where there is no `/proc`.
    pub fn peak_kb(&self) -> Result<u64> {
        peak_kb(self.pid())
    }

    /// All that it has logged so far, on both its streams.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> Result<String> {
        std::fs::read_to_string(&self.log).with_context(|| format!("cannot read {}", self.log.display()))
    }

    /// Ask it to stop (SIGTERM), as an operator does.
    ///
    /// # Errors
    /// When it does not end within three quarters of a minute.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, Signal::TERM).context("cannot signal the host")?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("the host does not stop\n{}", self.tail())
    }

    /// Kill it at once (SIGKILL), as a power cut does.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().context("cannot kill the host")?;
        self.child.wait().context("cannot wait for the host")?;
        Ok(())
    }

    fn tail(&self) -> String {
        let log = self.log().unwrap_or_else(|error| format!("{error:#}"));
        let lines: Vec<_> = log.lines().collect();
        let mut text = String::from("the end of its log:\n");
        for line in lines.iter().skip(lines.len().saturating_sub(20)) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {line}");
        }
        text
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Let a host with this state folder share compiled components with all other hosts of the tests: compiling them takes longer
/// than most tests. The cache is the host's own, and safe to share; it lies beside the host's binary.
///
/// # Errors
/// When the folders cannot be made.
pub fn share_compiled(state: &Path) -> Result<()> {
    let shared = binary()?.with_file_name("siyu-tests-compiled");
    std::fs::create_dir_all(&shared).with_context(|| format!("cannot make {}", shared.display()))?;
    std::os::unix::fs::symlink(&shared, state.join("cache")).context("cannot link the cache of compiled components")
}

/// The most resident memory that a process has had so far, in kB.
///
/// # Errors
/// When there is no such process, or no `/proc`.
pub fn peak_kb(pid: u32) -> Result<u64> {
    status_kb(pid, "VmHWM:")
}

/// The processor time that a process has had so far, in user and kernel mode.
///
/// # Errors
/// When there is no such process, or no `/proc`.
pub fn processor_time(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold blanks; utime and stime are the 12th and 13th fields after it (proc(5)).
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>().with_context(|| format!("{stat:?} has no times"))?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_millis(ticks * 1000 / per_second.max(1)))
}

fn status_kb(pid: u32, field: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).with_context(|| format!("no {field}"))?;
    let number = line.trim().trim_end_matches("kB").trim();
    number.parse().with_context(|| format!("{field} {number:?} is no number"))
}

/// The folder of the checkout in which cargo runs this program. (Where it was compiled may have been another one with the same target folder.)
pub fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    package.as_deref().and_then(Path::parent).unwrap_or(Path::new(".")).to_path_buf()
}

/// The host's binary: where `cargo xtask` says it is, else beside the program that is running.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("SIYU_HOST_BIN") {
        let path = PathBuf::from(path);
        ensure!(path.is_file(), "SIYU_HOST_BIN is {}, which is not there; run `cargo xtask build`", path.display());
        return Ok(path);
    }
    let this = std::env::current_exe()?;
    let found = this.ancestors().skip(1).take(2).map(|folder| folder.join("siyu")).find(|path| path.is_file());
    found.with_context(|| format!("no host beside {}; run `cargo xtask build`", this.display()))
}

/// The first line, sent when it comes; what follows goes to `rest`, so that the writer never blocks.
fn first_line(stdout: impl Read + Send + 'static, mut rest: impl Write + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
            // The receiver is gone only after a time-out that has been reported.
            let _ = sender.send(line.trim_end().to_owned());
        }
        drop(sender);
        // Fails when the disk is full; the host's own log would be cut off then, too.
        let _ = std::io::copy(&mut reader, &mut rest);
    });
    receiver
}
