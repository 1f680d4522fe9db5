//! Runs one statement: binds, steps, collects the rows, and stops it when it takes too long or too much.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, ToSql};

use crate::bindings::spin::sqlite::sqlite::{Error, RowResult, Value};

/// SQLite's virtual machine asks whether to go on after so many of its instructions: some tens of microseconds.
const INSTRUCTIONS_BETWEEN_CHECKS: i32 = 10_000;

/// Columns and rows of a finished statement. The rows count against the instance's budget until this is dropped.
pub(super) struct Rows {
    pub columns: Vec<String>,
    pub rows: Vec<RowResult>,
    pub charge: Charge,
}

/// Runs the first statement of `sql` to its end.
pub(super) fn run(
    connection: &rusqlite::Connection,
    sql: &str,
    parameters: &[Value],
    budget: &Budget,
) -> Result<Rows, Error> {
    let mut statement = connection.prepare_cached(sql).map_err(error)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut charge = budget.charge();
    let mut rows = Vec::new();
    let parameters = rusqlite::params_from_iter(parameters.iter().map(Parameter));
    let mut cursor = statement.query(parameters).map_err(error)?;
    while let Some(row) = cursor.next().map_err(error)? {
        let mut values = Vec::with_capacity(columns.len());
        for (index, column) in columns.iter().enumerate() {
            let value = row.get_ref(index).map_err(error)?;
            charge.add(size_of::<Value>() + payload(value))?;
            values.push(
                owned(value).ok_or_else(|| Error::Io(format!("column {:?} has text that is not UTF-8", column)))?,
            );
        }
        rows.push(RowResult { values });
    }
    drop(cursor);
    Ok(Rows { columns, rows, charge })
}

/// What SQLite's errors are to a guest.
pub(super) fn error(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::DatabaseFull,
        Some(ErrorCode::OperationInterrupted) => Error::Io("the statement took too long and was stopped".to_owned()),
        _ => Error::Io(error.to_string()),
    }
}

/// Binds a guest's value without copying it.
struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(*integer),
            Value::Real(real) => ValueRef::Real(*real),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// The value as the guest gets it; `None` for text that is not UTF-8.
fn owned(value: ValueRef<'_>) -> Option<Value> {
    Some(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => Value::Text(str::from_utf8(text).ok()?.to_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

/// Bytes that a value has outside of itself.
fn payload(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
    }
}

/// How many bytes of rows the host holds for one instance, and may.
#[derive(Clone)]
pub(super) struct Budget {
    used: Arc<AtomicUsize>,
    limit: usize,
}

/// A part of a [`Budget`] in use; given back when dropped.
pub(super) struct Charge {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { used: Arc::default(), limit }
    }

    /// A part of nothing yet.
    fn charge(&self) -> Charge {
        Charge { budget: self.clone(), bytes: 0 }
    }
}

impl Charge {
    fn add(&mut self, bytes: usize) -> Result<(), Error> {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before.saturating_add(bytes) <= self.budget.limit {
            return Ok(());
        }
        Err(Error::Io(format!(
            "the rows that this instance has waiting exceed the limit of {} bytes",
            self.budget.limit
        )))
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Stops a connection's statement at a deadline, or when nobody waits for it any more.
///
/// Nothing else could: a statement runs in native code, where a guest's epoch deadline does not reach.
pub(super) struct Watch {
    start: Instant,
    /// Milliseconds after `start`.
    deadline: AtomicU64,
    abandoned: AtomicBool,
}

impl Default for Watch {
    fn default() -> Self {
        Self { start: Instant::now(), deadline: AtomicU64::new(u64::MAX), abandoned: AtomicBool::new(false) }
    }
}

impl Watch {
    /// Watches over `connection` for good.
    pub fn over(self: &Arc<Self>, connection: &mut rusqlite::Connection) -> rusqlite::Result<()> {
        let watch = Arc::clone(self);
        connection.progress_handler(INSTRUCTIONS_BETWEEN_CHECKS, Some(move || watch.is_over()))
    }

    /// From now on, a statement has `time`.
    pub fn allow(&self, time: Duration) {
        let deadline = (self.start.elapsed() + time).as_millis();
        self.deadline.store(u64::try_from(deadline).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Nobody waits for this connection any more.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// The statement that runs should stop.
    fn is_over(&self) -> bool {
        let deadline = Duration::from_millis(self.deadline.load(Ordering::Relaxed));
        self.abandoned.load(Ordering::Relaxed) || self.start.elapsed() > deadline
    }
}
