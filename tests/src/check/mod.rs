//! What must hold of a state directory at any moment, asked in SQL beside the host, which may go on serving.
//!
//! One file a capability. A [`Check`] finds what is wrong; a [`Notice`] counts what a person may want to look at and is no mistake. What compares two
//! functions' books holds only where both have read the log to its end: such checks say so themselves, by the table `settled`.

mod archive;
mod channels;
mod customers;
mod log;
mod orders;
mod tagging;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

/// How many rows of a finding are shown.
const SHOWN: usize = 5;

/// Something that must hold.
pub struct Check {
    /// What holds.
    pub what: &'static str,
    /// Finds where it does not: one text a row. `settled` has a row where every consumer stands at the head of the log.
    pub sql: &'static str,
}

/// Something to look at, which is no mistake.
pub struct Notice {
    /// What is counted.
    pub what: &'static str,
    /// One text a row.
    pub sql: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

/// What was found.
pub struct Found {
    /// What does not hold, or was counted.
    pub what: &'static str,
    /// How many rows.
    pub count: usize,
    /// The first of them.
    pub rows: Vec<String>,
}

/// All checks, by capability.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    [log::CHECKS, orders::CHECKS, customers::CHECKS, tagging::CHECKS, channels::CHECKS].into_iter().flatten()
}

/// All notices.
pub fn notices() -> impl Iterator<Item = &'static Notice> {
    log::NOTICES.iter()
}

/// A database that nothing is written to.
pub struct Books {
    connection: Connection,
    archived: bool,
}

impl Books {
    /// Opens the database of a state directory.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(database: &Path) -> Result<Self> {
        Self::open_with(database, None)
    }

    /// Opens it with the archive of its old events: rules that ask the log read both.
    ///
    /// # Errors
    /// When there is none.
    pub fn open_with(database: &Path, archive: Option<&Path>) -> Result<Self> {
        // Not read only: of such a database SQLite does not check the constraints of its rows.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(database, flags)
            .with_context(|| format!("cannot open {}: is this a state directory?", database.display()))?;
        connection.busy_timeout(Duration::from_secs(5))?;
        if let Some(file) = archive {
            let path = file.to_str().context("the archive's path is no text")?;
            let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            connection
                .execute("attach ?1 as archive", [format!("file:{path}?mode=ro")])
                .with_context(|| format!("cannot open {}: is this an archive?", file.display()))?;
            connection.execute_batch(archive::AS_ONE)?;
        }
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self { connection, archived: archive.is_some() })
    }

    /// How many questions [`Books::violations`] asks.
    #[must_use]
    pub fn asked(&self) -> usize {
        checks().count() + if self.archived { archive::CHECKS.len() + 1 } else { 0 }
    }

    /// Asks in one state of the database, whoever writes meanwhile.
    ///
    /// # Errors
    /// When a statement fails: the database is another release's, or broken.
    pub fn violations(&self) -> Result<Vec<Found>> {
        self.connection.execute_batch("begin")?;
        let found = self.all();
        self.connection.execute_batch("rollback")?;
        Ok(found?.into_iter().filter(|found| found.count > 0).collect())
    }

    fn all(&self) -> Result<Vec<Found>> {
        let archived: &[Check] = if self.archived { archive::CHECKS } else { &[] };
        let asked = checks().chain(archived);
        let mut found: Vec<Found> = asked.map(|check| self.ask(check.what, check.sql)).collect::<Result<_>>()?;
        if self.archived {
            let mut rows = crate::archive::faults(&self.connection)?;
            let count = rows.len();
            rows.truncate(SHOWN);
            found.push(Found { what: archive::WHOLE, count, rows });
        }
        Ok(found)
    }

    /// What a person may want to look at, with what to do about it.
    ///
    /// # Errors
    /// As for [`Books::violations`].
    pub fn notices(&self) -> Result<Vec<(Found, &'static str)>> {
        let asked = notices().map(|notice| Ok((self.ask(notice.what, notice.sql)?, notice.advice)));
        let found: Result<Vec<_>> = asked.collect();
        Ok(found?.into_iter().filter(|(found, _)| found.count > 0).collect())
    }

    fn ask(&self, what: &'static str, sql: &str) -> Result<Found> {
        let sql = if sql.starts_with("pragma") {
            sql.to_owned()
        } else {
            format!("with settled as (select 1 where (select min(seq) from consumer) >= ({HEAD})) {sql}")
        };
        let mut statement = self.connection.prepare(&sql).with_context(|| format!("cannot check that {what}"))?;
        let (mut count, mut shown) = (0, Vec::new());
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = match row.get_ref(0)? {
                rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                other => format!("{other:?}"),
            };
            // What SQLite says of a whole database.
            if text == "ok" {
                continue;
            }
            count += 1;
            if shown.len() < SHOWN {
                shown.push(text);
            }
        }
        Ok(Found { what, count, rows: shown })
    }
}

/// The head of the log, which is never archived.
const HEAD: &str = "select coalesce(max(seq), 0) from main.event";

/// What is wrong with the database of a state directory, as one text; nothing where all holds.
///
/// # Errors
/// As for [`Books::violations`].
pub fn complaint(database: &Path) -> Result<Option<String>> {
    let lines: Vec<String> = Books::open(database)?
        .violations()?
        .iter()
        .map(|found| format!("{}: {} times not: {}", found.what, found.count, found.rows.join(", ")))
        .collect();
    Ok((!lines.is_empty()).then(|| lines.join("\n")))
}
