//! Moves old events out of the log into an archive: a database of its own, which `siyu check` reads beside the log.
//!
//! A batch is written and synced in the archive first, and deleted from the log in a short transaction then. Whatever breaks off in between, every event is in one
//! of the two at the least, and the next run goes on with what is in both. What must stay in the log is said by [`DONE`].

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rusqlite::{Connection, OpenFlags, Row, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

/// How long to wait for the log while others write.
const PATIENCE: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 86_400_000;

/// The archive. `moved`: which stretches of the log were moved, how many events each, and their digests, all by exclusive or: a stretch that overlaps
/// another becomes one with it.
const ARCHIVE: &str = "
    create table if not exists event (
        seq     integer primary key,
        id      text    not null unique,
        type    text    not null,
        subject text    not null,
        source  text    not null,
        time    integer not null,
        data    text    not null,
        trace   text
    ) strict;
    create table if not exists moved (
        first  integer primary key,
        last   integer not null,
        count  integer not null check (count between 1 and last - first + 1),
        digest blob    not null check (length(digest) = 32)
    ) strict;";

/// Events that may go: every consumer has read them, no dead letter points to them, and nobody shows them or reads them again. What stays: an order's and a
/// refund's history; what has personal texts of its own for the timeline; who is who, stages, profiles and people's words on tags, from which rules
/// are tried on the past; the newest, which is the head. The first one goes unless a dead letter keeps it: by that, a trial sees that the log is not whole.
const DONE: &str = "
    select seq, id, type, subject, source, time, data, trace from event
     where seq > ?1 and time < ?2
       and seq <= (select min(seq) from consumer) and seq < (select max(seq) from event)
       and seq not in (select seq from dead_letter)
       and (seq = 1
            or (type not in ('customer.identified', 'customer.merged', 'customer.split', 'customer.erased',
                             'customer.stage_changed', 'customer.attribute_changed')
                and not (type in ('tag.added', 'tag.removed', 'tag.released') and data ->> 'by' is not null)
                and not exists (select 1 from \"order\" where id = event.subject)
                and not exists (select 1 from refund where id = event.subject)
                and not exists (select 1 from intake where event_id = event.id)))
     order by seq limit ?3";

/// An event as it stands in its row.
pub struct Event {
    seq: i64,
    id: String,
    kind: String,
    subject: String,
    source: String,
    time: i64,
    data: String,
    trace: Option<String>,
}

impl Event {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            id: row.get(1)?,
            kind: row.get(2)?,
            subject: row.get(3)?,
            source: row.get(4)?,
            time: row.get(5)?,
            data: row.get(6)?,
            trace: row.get(7)?,
        })
    }

    fn digest(&self) -> Sum {
        let mut hasher = Sha256::new();
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.time.to_be_bytes());
        for text in [&self.id, &self.kind, &self.subject, &self.source, &self.data] {
            hasher.update(text.len().to_be_bytes());
            hasher.update(text);
        }
        hasher.update(self.trace.as_deref().unwrap_or("none"));
        Sum(hasher.finalize().into())
    }
}

/// Digests, each of one event or of several by exclusive or.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sum([u8; 32]);

impl Sum {
    fn add(&mut self, other: Self) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own ^= other;
        }
    }
}

/// A stretch of the log of which events were moved.
#[derive(Clone, Copy)]
struct Moved {
    first: i64,
    last: i64,
    count: i64,
    digest: Sum,
}

impl Moved {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { first: row.get(0)?, last: row.get(1)?, count: row.get(2)?, digest: Sum(row.get(3)?) })
    }

    fn add(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count += other.count;
        self.digest.add(other.digest);
    }
}

/// A log and its archive.
pub struct Archive {
    log: Connection,
    archive: Connection,
    /// Events of before this instant go, Unix ms.
    until: i64,
    /// Looked at already.
    after: i64,
}

impl Archive {
    /// Opens both; the archive is made where there is none. Old is what lies so many days before the newest event, by the application's own clock.
    ///
    /// # Errors
    /// When there is no such database, or the archive is another log's.
    pub fn open(database: &Path, archive: &Path, older_than_days: u32) -> Result<Self> {
        let log = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .with_context(|| format!("cannot open {}: is this a state directory?", database.display()))?;
        log.busy_timeout(PATIENCE)?;
        // Of all that refers to events there are dead letters only, which are looked for by one statement a batch.
        log.pragma_update(None, "foreign_keys", false)?;
        let into = Connection::open(archive).with_context(|| format!("cannot open {}", archive.display()))?;
        into.pragma_update(None, "synchronous", "extra")?;
        into.execute_batch(ARCHIVE)?;
        let newest = "select time from event order by seq desc limit 1";
        let newest: i64 = log.query_row(newest, [], |row| row.get(0)).context("the log is empty")?;
        let opened =
            Self { log, archive: into, until: newest - DAY_MS.saturating_mul(older_than_days.into()), after: 0 };
        opened.ensure_whole().with_context(|| format!("{} is not this log's archive", archive.display()))?;
        Ok(opened)
    }

    /// Each event up to the head is in the log or in the archive.
    fn ensure_whole(&self) -> Result<()> {
        let (count, head): (i64, i64) =
            self.log.query_row("select count(*), max(seq) from event", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut archived = self.archive.prepare("select seq from event order by seq")?;
        let mut both = self.log.prepare("select 1 from event where seq = ?1")?;
        let (mut alone, mut last) = (0, 0);
        let mut rows = archived.query([])?;
        while let Some(row) = rows.next()? {
            last = row.get(0)?;
            alone += i64::from(!both.exists([last])?);
        }
        ensure!(last < head, "it has event {last}, and the log ends with {head}");
        ensure!(count + alone >= head, "of {head} events the log has {count}, and it has {alone} others");
        Ok(())
    }

    /// Writes the next events into the archive, at most so many; they are in the log still.
    ///
    /// # Errors
    /// When one of them is there already and says something else.
    pub fn copy(&mut self, most: u32) -> Result<Vec<Event>> {
        let batch: Vec<Event> = self
            .log
            .prepare_cached(DONE)?
            .query_map(params![self.after, self.until, most], Event::read)?
            .collect::<rusqlite::Result<_>>()?;
        let writing = self.archive.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut moved: Option<Moved> = None;
        for event in &batch {
            if insert(&writing, event)? {
                let one = Moved { first: event.seq, last: event.seq, count: 1, digest: event.digest() };
                moved.get_or_insert(Moved { count: 0, digest: Sum::default(), ..one }).add(one);
            }
        }
        if let Some(moved) = moved {
            note(&writing, moved)?;
        }
        writing.commit()?;
        Ok(batch)
    }

    /// Deletes from the log what was copied.
    ///
    /// # Errors
    /// When a consumer was set back meanwhile, or a dead letter points to one of them: all stay.
    pub fn delete(&mut self, batch: &[Event]) -> Result<()> {
        let Some(last) = batch.last() else { return Ok(()) };
        let places = serde_json::to_string(&batch.iter().map(|event| event.seq).collect::<Vec<_>>())?;
        let writing = self.log.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let needed = "select exists (select 1 from consumer where seq < ?1)
                          or exists (select 1 from dead_letter where seq in (select value from json_each(?2)))";
        if writing.query_row(needed, params![last.seq, places], |row| row.get(0))? {
            bail!("a consumer or a dead letter came to need what was being moved: run this again");
        }
        let gone = writing.execute("delete from event where seq in (select value from json_each(?1))", [&places])?;
        ensure!(
            gone == batch.len(),
            "{gone} of {} events were in the log: does another run move them too?",
            batch.len()
        );
        writing.commit()?;
        self.after = last.seq;
        Ok(())
    }

    /// Moves all that may go, so many events at a time, and leaves the log to others for twice as long in between. Tells how many it moved.
    ///
    /// # Errors
    /// As for [`Archive::copy`] and [`Archive::delete`].
    pub fn run(&mut self, most: u32) -> Result<usize> {
        let mut moved = 0;
        loop {
            let batch = self.copy(most)?;
            if batch.is_empty() {
                return Ok(moved);
            }
            let began = Instant::now();
            self.delete(&batch)?;
            moved += batch.len();
            sleep(2 * began.elapsed());
        }
    }

    /// How many events are as old, and stay in the log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn kept(&self) -> Result<i64> {
        Ok(self.log.query_row("select count(*) from event where time < ?1", [self.until], |row| row.get(0))?)
    }
}

/// Tells whether the event was not there.
fn insert(writing: &Transaction<'_>, event: &Event) -> Result<bool> {
    let sql =
        "insert into event (seq, id, type, subject, source, time, data, trace) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               on conflict (seq) do nothing";
    let Event { seq, id, kind, subject, source, time, data, trace } = event;
    let new = writing
        .prepare_cached(sql)?
        .execute(params![seq, id, kind, subject, source, time, data, trace])
        .with_context(|| format!("event {seq} cannot be archived: is this another log's archive?"))?;
    if new == 0 {
        let sql = "select seq, id, type, subject, source, time, data, trace from event where seq = ?1";
        let known = writing.query_row(sql, [seq], Event::read)?;
        ensure!(known.digest() == event.digest(), "event {seq} is another one in the archive");
    }
    Ok(new > 0)
}

/// Notes what was moved, in one with what it overlaps.
fn note(writing: &Transaction<'_>, mut moved: Moved) -> Result<()> {
    let sql = "delete from moved where first <= ?2 and last >= ?1 returning first, last, count, digest";
    let overlapped: Vec<Moved> =
        writing.prepare(sql)?.query_map([moved.first, moved.last], Moved::read)?.collect::<rusqlite::Result<_>>()?;
    overlapped.into_iter().for_each(|other| moved.add(other));
    let Moved { first, last, count, digest } = moved;
    let sql = "insert into moved (first, last, count, digest) values (?1, ?2, ?3, ?4)";
    writing.execute(sql, params![first, last, count, digest.0])?;
    Ok(())
}

/// Where an archive, attached as `archive`, has not what was moved into it.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn faults(connection: &Connection) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut moved = connection.prepare("select first, last, count, digest from archive.moved order by first")?;
    let sql = "select seq, id, type, subject, source, time, data, trace from archive.event where seq between ?1 and ?2";
    let mut events = connection.prepare(sql)?;
    let mut noted = 0;
    for stretch in moved.query_map([], Moved::read)? {
        let stretch = stretch?;
        let mut found = Moved { count: 0, digest: Sum::default(), ..stretch };
        for event in events.query_map([stretch.first, stretch.last], Event::read)? {
            found.count += 1;
            found.digest.add(event?.digest());
        }
        noted += found.count;
        let (first, last) = (stretch.first, stretch.last);
        if found.count != stretch.count {
            faults.push(format!("{first} to {last}: {} events instead of {}", found.count, stretch.count));
        } else if found.digest != stretch.digest {
            faults.push(format!("{first} to {last}: an event was changed"));
        }
    }
    let all: i64 = connection.query_row("select count(*) from archive.event", [], |row| row.get(0))?;
    if all != noted {
        faults.push(format!("{all} events, of which {noted} lie where something was moved"));
    }
    Ok(faults)
}
