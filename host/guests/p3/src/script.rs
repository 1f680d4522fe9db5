//! Runs a script over one SQLite connection, so that a test can write down any order of doing things, the wrong ones too.
//!
//! One step a line: `async SQL` (rows read to their end), `sync SQL`, `unread SQL` (the rows stay unread until the
//! request ends), `changes`, `rowid`, `sleep MILLISECONDS`, `hang`, `trap`, `loop`. The answer has the rows, one a
//! line, their values joined by `|`. A step that the host refuses ends the script.

use http::Request;
use http_body_util::BodyExt;
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::http_compat::IncomingRequestBody;

use crate::answer::{Answer, Problem, text};
use crate::bindings::spin::sqlite::sqlite::{Connection, RowResult, Value};
use crate::hostile;

/// Runs the request's body on a connection to `database`.
pub async fn run(database: &str, request: Request<IncomingRequestBody>) -> Result<Answer, Problem> {
    let body = request.into_body().collect().await.map_err(Problem::refused)?.to_bytes();
    let script = str::from_utf8(&body).map_err(|_| Problem::BadRequest)?;
    let connection = Connection::open_async(database.to_owned()).await.map_err(Problem::refused)?;
    let mut output = String::new();
    let mut unread = Vec::new();
    for line in script.lines() {
        let (step, argument) = line.split_once(' ').unwrap_or((line, ""));
        match step {
            "async" => {
                let (_, rows, result) =
                    connection.execute_async(argument.to_owned(), Vec::new()).await.map_err(Problem::refused)?;
                show(&mut output, &rows.collect().await);
                result.await.map_err(Problem::refused)?;
            }
            "sync" => {
                let result = connection.execute(argument, &[]).map_err(Problem::refused)?;
                show(&mut output, &result.rows);
            }
            "unread" => {
                let (_, rows, result) =
                    connection.execute_async(argument.to_owned(), Vec::new()).await.map_err(Problem::refused)?;
                result.await.map_err(Problem::refused)?;
                unread.push(rows);
            }
            "changes" => output += &format!("{}\n", connection.changes_async().await),
            "rowid" => output += &format!("{}\n", connection.last_insert_rowid()),
            "sleep" => {
                let milliseconds: u64 = argument.parse().map_err(|_| Problem::BadRequest)?;
                wait_for(milliseconds * 1_000_000).await;
            }
            "hang" => return hostile::hang().await,
            "trap" => hostile::trap(),
            "loop" => hostile::endless_loop(),
            _ => return Err(Problem::BadRequest),
        }
    }
    Ok(text(output))
}

fn show(output: &mut String, rows: &[RowResult]) {
    for row in rows {
        let values: Vec<_> = row.values.iter().map(value).collect();
        *output += &format!("{}\n", values.join("|"));
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) => real.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => format!("{bytes:02x?}"),
        Value::Null => "null".to_owned(),
    }
}
