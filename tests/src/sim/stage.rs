//! The built application, the simulated platforms, and the virtual time that is common to all.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::STEPS;
use crate::database;
use crate::disk::Disk;
use crate::host::{Host, Setup};
use crate::http::{Answer, Client};
use crate::marketplace::dialect::Dialect;
use crate::marketplace::jd::Jd;
use crate::marketplace::kuaishou::Kuaishou;
use crate::marketplace::pinduoduo::Pinduoduo;
use crate::marketplace::push::Mishaps;
use crate::marketplace::server::Server;
use crate::marketplace::taobao::Taobao;
use crate::standard_webhooks;
use crate::system::{System, WEBHOOK_SECRET};

/// The first midnight in Shanghai. In the future, for the application's clock never runs backwards.
const BEGIN: &str = "2031-03-02T16:00:00Z";
/// The stores open.
const OPENING: i64 = 9 * 3600;
/// From one step to the next, in seconds.
const STEP: i64 = 20 * 60;
/// Calls that wait longer than this are left to the next step, in milliseconds.
const HORIZON_MS: i64 = 15 * 60 * 1000;
/// How often the host calls the pump: virtual time passes faster than other time.
const TICK: &str = "100ms";
/// Nothing has moved for so long: what waits, waits for time to pass. More than the host's tick, and than an answer takes.
const STILL: Duration = Duration::from_millis(500);
/// The same where nothing is under way: calls are due, and wait for a budget of theirs.
const IDLE: Duration = Duration::from_millis(150);
/// How long all may take to be done, in earnest.
const PATIENCE: Duration = Duration::from_secs(120);

/// A step's place in time.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Which step.
    pub step: u32,
    /// When it begins, Unix seconds.
    pub now: i64,
    /// The day in Shanghai, counted from the first.
    pub day: i64,
    seed: u64,
}

impl Moment {
    /// The dice of a part in this step.
    pub fn dice(&self, part: &str) -> fastrand::Rng {
        dice(self.seed, part, self.step)
    }
}

/// Dice for a part in a step: what one part throws changes nothing for the others.
pub fn dice(seed: u64, part: &str, step: u32) -> fastrand::Rng {
    let name = part.bytes().fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut dice = fastrand::Rng::with_seed(seed ^ name.rotate_left(32));
    fastrand::Rng::with_seed(dice.u64(..) ^ u64::from(step).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// So many of what happens `per_mille` times a day to a thousand of `crowd`, in one step.
pub fn share(dice: &mut fastrand::Rng, crowd: u32, per_mille: u32) -> u32 {
    let whole = 1_000 * u64::from(STEPS);
    let expected = u64::from(crowd) * u64::from(per_mille);
    let count = expected / whole + u64::from(dice.u64(..whole) < expected % whole);
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Platforms and application.
pub struct Stage {
    system: Option<System>,
    second: Option<Host>,
    /// What the hosts' state is on.
    pub disk: Disk,
    /// Unix seconds.
    now: i64,
    begin: i64,
    /// What goes wrong with messages at the moment.
    pub mishaps: Mishaps,
}

/// What the application has left to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Waiting {
    /// Events that a consumer has not read.
    behind: i64,
    /// Calls that are due.
    due: i64,
    /// Calls that are under way, or were when their host died.
    sending: i64,
    /// When the next call is due that is not yet, or a claim on one ends, Unix milliseconds.
    next: Option<i64>,
    /// The head of the log.
    head: i64,
}

impl Stage {
    /// Start all, and connect a shop on every platform.
    ///
    /// # Errors
    /// When something does not start, or a shop is not taken.
    pub async fn open() -> Result<Self> {
        let dialects: Vec<std::sync::Arc<dyn Dialect>> = vec![
            std::sync::Arc::new(Taobao),
            std::sync::Arc::new(Jd),
            std::sync::Arc::new(Pinduoduo),
            std::sync::Arc::new(Kuaishou),
        ];
        let disk = Disk::new()?;
        let change = |setup: Setup| disk.under(setup.variable("clock", "virtual").flags(&["--tick", TICK]));
        let system = System::start_on(dialects, 1, change).await?;
        let begin = BEGIN.parse::<Timestamp>()?.as_second();
        let mut stage = Self { system: Some(system), second: None, disk, now: 0, begin, mishaps: Mishaps::NONE };
        stage.move_to(begin).await?;
        stage.system().wecom.verify_url().await?;
        stage.system().account.verify_url().await?;
        // A host that was killed is away for a second.
        stage.system().wecom.set_pause(Duration::from_secs(1));
        for server in &stage.system().others {
            stage.system().connect(server).await?;
        }
        Ok(stage)
    }

    /// Platforms and application.
    pub fn system(&self) -> &System {
        // Absent only while it is being restarted, inside of `crash`.
        self.system.as_ref().unwrap_or_else(|| unreachable!("a stage without a system"))
    }

    /// Every marketplace.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        std::iter::once(&self.system().platform).chain(&self.system().others)
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The step that is now.
    pub fn moment(&self, seed: u64, step: u32) -> Moment {
        Moment { step, now: self.now, day: self.day(), seed }
    }

    /// The day in Shanghai, counted from the first.
    pub fn day(&self) -> i64 {
        (self.now - self.begin) / 86_400
    }

    /// Let the time of a step come, unless it has passed already.
    ///
    /// # Errors
    /// When the application does not take it.
    pub async fn begin(&mut self, day: u32, slot: u32) -> Result<()> {
        let at = self.begin + i64::from(day) * 86_400 + OPENING + i64::from(slot) * STEP;
        if at > self.now { self.move_to(at).await } else { Ok(()) }
    }

    /// Let time pass.
    ///
    /// # Errors
    /// When the application does not take it.
    pub async fn pass(&mut self, seconds: i64) -> Result<()> {
        self.move_to(self.now + seconds).await
    }

    async fn move_to(&mut self, now: i64) -> Result<()> {
        self.now = now;
        let system = self.system();
        self.servers().for_each(|server| server.set_clock(Some(now)));
        system.wecom.set_clock(Some(now));
        system.account.set_clock(Some(now));
        let then = Timestamp::from_second(now)?;
        let answer = self.call("POST", "/v1/clock", &json!({ "now": format!("{then:.3}") })).await?;
        ensure!(answer.status == 200, "the clock was answered with {answer}");
        Ok(())
    }

    /// Ask the application as its operator.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        self.system().client.json(method, &self.system().host.at(path), body).await
    }

    /// The same, where it has to succeed.
    ///
    /// # Errors
    /// When it does not.
    pub async fn done(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let answer = self.call(method, path, body).await?;
        ensure!(answer.status.is_success(), "{method} {path} was answered with {answer}");
        Ok(answer.json().unwrap_or(Value::Null))
    }

    /// Ask for something that is done once, however often it is asked for with this key.
    ///
    /// # Errors
    /// When it does not succeed.
    pub async fn once(&self, path: &str, key: &str, body: &Value) -> Result<Value> {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", key.parse()?);
        headers.insert("content-type", "application/json".parse()?);
        let (url, body) = (self.system().host.at(path), body.to_string().into_bytes());
        let answer = self.system().client.send("POST", &url, &headers, body).await?;
        ensure!(answer.status.is_success(), "POST {path} was answered with {answer}");
        answer.json()
    }

    /// Read from the application as its operator.
    ///
    /// # Errors
    /// When there is no answer, or not 200.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.system().client.get(&self.system().host.at(path)).await?;
        ensure!(answer.status == 200, "GET {path} was answered with {answer}");
        answer.json()
    }

    /// Send what an own source has signed; every other one goes to the second host, if there is one.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn tell(&self, path: &str, id: &str, body: &Value) -> Result<()> {
        let body = body.to_string().into_bytes();
        let headers = standard_webhooks::headers(WEBHOOK_SECRET, id, self.now, &body)?;
        let host = self.second.as_ref().filter(|_| id.len().is_multiple_of(2)).unwrap_or(&self.system().host);
        let answer = Client::new().send("POST", &host.at(path), &headers, body).await?;
        ensure!(answer.status == 200, "{path} was answered with {answer}");
        Ok(())
    }

    /// The single integer that `sql` yields in the application's database.
    ///
    /// # Errors
    /// When it yields none.
    pub fn number(&self, sql: &str) -> Result<i64> {
        database::number_in(self.system().state(), sql)
    }

    /// Timers that should have come due, once all has settled.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn forgotten(&self) -> Result<Option<String>> {
        let count = self.number(&format!("select count(*) from timer where due <= {}", self.now * 1000))?;
        Ok((count > 0).then(|| format!("{count} timers are forgotten")))
    }

    /// The power goes, and comes back.
    ///
    /// # Errors
    /// When the host does not start again.
    pub fn crash(&mut self) -> Result<()> {
        if let Some(system) = self.system.take() {
            self.system = Some(system.crash_and_restart()?);
        }
        Ok(())
    }

    /// A second host serves the same state from now on, or no longer.
    ///
    /// # Errors
    /// When it does not start or stop.
    pub async fn set_second(&mut self, is_there: bool) -> Result<()> {
        match self.second.take() {
            Some(host) if !is_there => host.stop().await.map(drop),
            None if is_there => {
                self.second = Some(self.system().second_host()?);
                Ok(())
            }
            same => {
                self.second = same;
                Ok(())
            }
        }
    }

    /// Wait until every event is consumed and every call is made that is due soon, letting time pass where calls wait for it.
    ///
    /// # Errors
    /// When it takes too long; the message says what is left.
    pub async fn settle(&mut self) -> Result<()> {
        let begin = Instant::now();
        let (mut last, mut since) = (None, Instant::now());
        loop {
            let waiting = self.waiting()?;
            if last != Some(waiting) {
                (last, since) = (Some(waiting), Instant::now());
            }
            let soon = waiting.next.filter(|next| *next <= self.now * 1000 + HORIZON_MS);
            let still = if waiting.behind == 0 && waiting.sending == 0 { IDLE } else { STILL };
            if waiting.behind == 0 && waiting.due == 0 && waiting.sending == 0 {
                match soon {
                    None => return Ok(()),
                    Some(next) => self.move_to(next / 1000 + 1).await?,
                }
            } else if since.elapsed() > still {
                // Budgets fill up and claims of the dead end with time only.
                let now = self.now;
                self.move_to(soon.map_or(now + 1, |next| (next / 1000 + 1).max(now + 1))).await?;
                since = Instant::now();
            }
            ensure!(begin.elapsed() < PATIENCE, "not all is done after {PATIENCE:?}: {waiting:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn waiting(&self) -> Result<Waiting> {
        let now = self.now * 1000;
        let database = database::open(self.system().state())?;
        let sql = "select (select count(*) from consumer where seq < (select coalesce(max(seq), 0) from event)),
                          (select count(*) from outbox where state = 'pending' and due <= ?1),
                          (select count(*) from outbox where state = 'sending'),
                          (select min(at) from (select due as at from outbox where state = 'pending' and due > ?1
                                                union all select lease_until from outbox where state = 'sending')),
                          (select coalesce(max(seq), 0) from event)";
        database
            .query_row(sql, [now], |row| {
                Ok(Waiting {
                    behind: row.get(0)?,
                    due: row.get(1)?,
                    sending: row.get(2)?,
                    next: row.get(3)?,
                    head: row.get(4)?,
                })
            })
            .context("the database does not say what waits")
    }
}
