//! What stands in the database of the application under load, read beside it.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags, params};

/// The application's database, read only.
pub struct State(Connection);

impl State {
    /// Opens it.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(Self(connection))
    }

    /// Its size.
    pub fn bytes(&self) -> Result<u64> {
        self.number("select page_count * page_size from pragma_page_count(), pragma_page_size()")
    }

    /// Whether every consumer stands at the head.
    pub fn is_settled(&self) -> Result<bool> {
        let behind = "select count(*) from consumer where seq < (select coalesce(max(seq), 0) from event)";
        Ok(self.number(behind)? == 0)
    }

    /// The head of the log.
    pub fn head(&self) -> Result<u64> {
        self.number("select coalesce(max(seq), 0) from event")
    }

    /// Merges so far.
    pub fn merges(&self) -> Result<u64> {
        self.number("select count(*) from customer_merge where what = 'merged'")
    }

    /// Milliseconds from each webhook to the tag that it gave, by the log's own times, of what happened after this place. Both carry the trace of
    /// the webhook; those of one batch share it, so the first and the last of a batch are what is told apart.
    pub fn times_to_tag(&self, after: u64) -> Result<Vec<u64>> {
        let mut statement = self.0.prepare(
            "select tagged.time - told.told from event tagged
               join (select substr(trace, 4, 32) as trace, min(time) as told from event
                      where seq > ?1 and type = 'activity.recorded' group by 1) told
                 on told.trace = substr(tagged.trace, 4, 32)
              where tagged.seq > ?1 and tagged.type = 'tag.added'",
        )?;
        let times = statement.query_map(params![i64::try_from(after)?], |row| row.get::<_, i64>(0))?;
        times.map(|time| u64::try_from(time?.max(0)).context("a time before")).collect()
    }

    fn number(&self, sql: &str) -> Result<u64> {
        let number: i64 = self.0.query_row(sql, [], |row| row.get(0))?;
        u64::try_from(number).context("a negative number")
    }
}
