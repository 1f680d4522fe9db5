//! Rebuilds what is wholly a function of the log: on a copy of a database, such tables are emptied, the functions consume the log from its beginning to where they
//! had come, and row by row all must be as it was.
//!
//! What the functions tell the log while they consume is in it already: it is caught, and compared too. Timers are in the log where they came due, so none is set.
//! [`functions`] says which tables these are, and when one is left out since people had a hand in it.

mod channels;
mod customers;
mod tagging;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use kit::db::Location;
use kit::{App, Client, Native, Variables};
use rusqlite::{Connection, OpenFlags, params};
use serde_json::Value;
use tower::ServiceExt;

use crate::system::{DATA_KEY, DATABASE};

/// How many rows of a difference are shown.
const SHOWN: usize = 3;

/// A function of which something is rebuilt.
struct Function {
    /// Its name as a consumer.
    name: &'static str,
    router: fn(App) -> Router,
    /// Types of events that have no part in this: what it does with them goes to other systems, or needs what came with them and is gone.
    passes: &'static [&'static str],
    /// Empties what is rebuilt, and takes away what would need the merchant's keys.
    empty: &'static str,
    books: &'static [Book],
}

/// A table, or what is rebuilt of it.
struct Book {
    what: &'static str,
    /// One text a row, without the keys that SQLite has given. `told` has type, subject and data of what the function has told the log.
    rows: &'static str,
    /// What it is not compared for.
    unless: &'static [Reason],
}

/// Why a book is left out.
struct Reason {
    why: &'static str,
    /// Yields 1 where that is so.
    sql: &'static str,
}

/// The functions, each after those whose tables its own are emptied with.
const fn functions() -> [&'static Function; 3] {
    [&tagging::FUNCTION, &channels::FUNCTION, &customers::FUNCTION]
}

/// What a book has that the rebuilt one has not, and the other way round.
pub struct Difference {
    /// Which book.
    pub what: String,
    /// Rows that were not rebuilt.
    pub missing: usize,
    /// Rows that are there only when rebuilt.
    pub added: usize,
    /// The first of both.
    pub rows: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} rows not rebuilt, {} others instead: ", self.what, self.missing, self.added)?;
        f.write_str(&self.rows.join("; "))
    }
}

/// What came of it.
#[derive(Default)]
pub struct Rebuilt {
    /// How many events the functions have applied again.
    pub applied: u64,
    /// Books that were compared, with their rows.
    pub compared: Vec<(String, usize)>,
    /// Books that were not, and why.
    pub left_out: Vec<String>,
    /// Where they differ.
    pub differences: Vec<Difference>,
}

/// Where the projections of a state directory are not what the log makes of them, as texts; nothing where they are.
///
/// # Errors
/// As for [`run`].
pub async fn differences(state_dir: &Path) -> Result<Vec<String>> {
    let rebuilt = run(&state_dir.join(DATABASE), None).await?;
    Ok(rebuilt.differences.iter().map(Difference::to_string).collect())
}

/// Rebuilds the projections of a database on a copy, its archive put back first, and compares them. The host may go on serving.
///
/// # Errors
/// When it cannot be copied, or the log is not whole.
pub async fn run(database: &Path, archive: Option<&Path>) -> Result<Rebuilt> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let (kept, again) = (folder.path().join("kept.db"), folder.path().join("again.db"));
    let kept = copied(database, archive, &kept, &again)?;
    let mut rebuilt = Rebuilt::default();
    let copy = Connection::open(&again)?;
    copy.busy_timeout(Duration::from_secs(5))?;
    copy.execute_batch(CATCH)?;
    for function in functions() {
        let buried = "select count(*) from dead_letter where consumer = ?1";
        if kept.query_row(buried, [function.name], |row| row.get::<_, i64>(0))? > 0 {
            rebuilt.left_out.push(format!("{}: it has dead letters", function.name));
            continue;
        }
        rebuilt.applied += again_from_empty(&copy, &again, function).await?;
        compare(&kept, &copy, function, &mut rebuilt)?;
    }
    Ok(rebuilt)
}

/// The state of a database at one moment, twice: to be compared with, and to be rebuilt.
fn copied(database: &Path, archive: Option<&Path>, kept: &Path, again: &Path) -> Result<Connection> {
    let text = |path: &Path| path.to_str().map(str::to_owned).context("a path is no text");
    let served = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .with_context(|| format!("cannot open {}: is this a state directory?", database.display()))?;
    served.busy_timeout(Duration::from_secs(5))?;
    served.execute("vacuum into ?1", [text(kept)?])?;
    let connection = Connection::open(kept)?;
    if let Some(archive) = archive {
        ensure!(archive.is_file(), "there is no {}", archive.display());
        connection.execute("attach ?1 as archive", [text(archive)?])?;
        connection.execute_batch(
            "insert into main.event select * from archive.event where seq not in (select seq from main.event);
             detach archive",
        )?;
    }
    let missing = "select coalesce(max(seq), 0) - count(*) from event";
    let missing: i64 = connection.query_row(missing, [], |row| row.get(0))?;
    ensure!(missing == 0, "{missing} events are not in the log: name the archive");
    std::fs::copy(kept, again).context("no place for a second copy")?;
    connection.execute_batch("create temp view told as select type, subject, data from event")?;
    Ok(connection)
}

/// What consumers tell the log is caught, and timers are not set. Calls to other systems are written and go nowhere.
const CATCH: &str = "
    pragma foreign_keys = off;
    create table told_again (type text not null, subject text not null, data text not null) strict;
    create temp view told as select type, subject, data from told_again;
    create trigger told_again before insert on event begin
        insert into told_again values (new.type, new.subject, new.data);
        select raise(ignore);
    end;
    create trigger set_again before insert on timer begin select raise(ignore); end;
    delete from outbox;";

/// Has a function consume the log from its beginning to where it had come. Tells how many events it has applied.
async fn again_from_empty(copy: &Connection, file: &Path, function: &Function) -> Result<u64> {
    copy.execute_batch(function.empty).with_context(|| format!("{} cannot be emptied", function.name))?;
    let passes = serde_json::to_string(function.passes)?;
    copy.execute("delete from event where type in (select value from json_each(?1))", [passes])?;
    // It follows one who stands where it stood.
    let end = format!("the end of {}", function.name);
    let end_ = "insert into consumer (name, seq) select ?2, seq from consumer where name = ?1";
    copy.execute(end_, params![function.name, end])?;
    let begin = "update consumer set seq = 0, attempts = 0, error = null, follows = ?2 where name = ?1";
    copy.execute(begin, params![function.name, end])?;
    let app = App::native(&Native {
        location: Location::File(file.to_owned()),
        variables: Variables::from_pairs([("data_key", DATA_KEY)]),
        client: Client::default(),
        most_per_commit: 1,
    })?;
    let router = (function.router)(app);
    let mut applied = 0;
    loop {
        let response = router.clone().oneshot(Request::post("/consume").body(Body::from("{}"))?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{}: {status} {}", function.name, String::from_utf8_lossy(&body));
        let consumed: Value = serde_json::from_slice(&body)?;
        applied += consumed["applied"].as_u64().unwrap_or(0);
        if consumed["more"] != true {
            return Ok(applied);
        }
    }
}

fn compare(kept: &Connection, copy: &Connection, function: &Function, rebuilt: &mut Rebuilt) -> Result<()> {
    let buried = "select 'event ' || seq || ': ' || error from dead_letter where consumer = ?1 order by seq";
    let buried: Vec<String> =
        copy.prepare(buried)?.query_map([function.name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    if !buried.is_empty() {
        let what = format!("{}: events that cannot be applied again", function.name);
        let rows = buried.iter().take(SHOWN).cloned().collect();
        rebuilt.differences.push(Difference { what, missing: buried.len(), added: 0, rows });
    }
    'books: for book in function.books {
        let what = format!("{}: {}", function.name, book.what);
        for reason in book.unless {
            let sql = format!("select exists ({})", reason.sql);
            if kept.query_row(&sql, [], |row| row.get(0)).with_context(|| reason.why)? {
                rebuilt.left_out.push(format!("{what}: {}", reason.why));
                continue 'books;
            }
        }
        let (was, is) = (rows(kept, book)?, rows(copy, book)?);
        if was != is {
            rebuilt.differences.push(difference(what.clone(), &was, &is));
        }
        rebuilt.compared.push((what, was.len()));
    }
    Ok(())
}

fn rows(connection: &Connection, book: &Book) -> Result<Vec<String>> {
    let mut rows: Vec<String> = connection
        .prepare(book.rows)
        .with_context(|| format!("cannot read {}", book.what))?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    rows.sort_unstable();
    Ok(rows)
}

fn difference(what: String, was: &[String], is: &[String]) -> Difference {
    let mut counts = BTreeMap::<&str, i64>::new();
    for row in was {
        *counts.entry(row).or_default() += 1;
    }
    for row in is {
        *counts.entry(row).or_default() -= 1;
    }
    let count = |sign: i64| counts.values().map(|count| (sign * count).max(0)).sum::<i64>();
    let shown = |sign: i64, word: &str| -> Vec<String> {
        let rows = counts.iter().filter(|(_, count)| sign * **count > 0);
        rows.take(SHOWN).map(|(row, _)| format!("{word} {row}")).collect()
    };
    let rows = [shown(1, "was"), shown(-1, "is")].concat();
    let size = |count: i64| usize::try_from(count).unwrap_or(0);
    Difference { what, missing: size(count(1)), added: size(count(-1)), rows }
}
