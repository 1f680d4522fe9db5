//! CSV files of many rows, taken all or none.

use http::StatusCode;
use kit::{Problem, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

/// What is wrong with a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowError {
    /// The row as a spreadsheet counts: the header is row 1.
    row: usize,
    /// What to change.
    reason: String,
}

/// What became of a file that was not refused: kept (201), or only checked (200).
pub struct Taken<T> {
    /// Which of the two.
    pub status: StatusCode,
    /// What the rows made; of a check, would make.
    pub made: Vec<T>,
    /// What is wrong with which rows; nothing where it was kept.
    pub errors: Vec<RowError>,
}

/// Reads a file of 1 to `most` rows below its header.
///
/// # Errors
/// 400 where it is not such a file.
pub fn read<R: DeserializeOwned>(body: &[u8], most: usize) -> Result<Vec<R>, Problem> {
    // Spreadsheets begin their files with a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let rows: Result<Vec<R>, _> =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(body).deserialize().collect();
    let rows = rows.map_err(|error| Problem::bad_request(format!("the file is not as documented: {error}")))?;
    if rows.is_empty() || rows.len() > most {
        return Err(Problem::bad_request(format!("a file has 1 to {most} rows below its header")));
    }
    Ok(rows)
}

/// Takes every row; where one is unfit, or the file is only checked, nothing of it is kept.
///
/// # Errors
/// 422 with `errors` where a row is unfit and it is not a check; what `take` fails with other than by the row's fault.
pub fn take<R, T>(
    tx: &Tx<'_>,
    rows: Vec<R>,
    dry_run: bool,
    mut take: impl FnMut(&Tx<'_>, R) -> Result<T, Problem>,
) -> Result<Taken<T>, Problem> {
    let (mut made, mut errors) = (Vec::new(), Vec::new());
    let kept = tx.savepoint(|tx| {
        for (row, given) in (2..).zip(rows) {
            match take(tx, given) {
                Ok(one) => made.push(one),
                Err(problem) if problem.status().is_client_error() => {
                    errors.push(RowError { row, reason: problem.detail().to_owned() });
                }
                Err(problem) => return Err(problem),
            }
        }
        if errors.is_empty() && !dry_run {
            return Ok(());
        }
        let said = serde_json::to_value(&errors).map_err(|error| Problem::internal(&error))?;
        let unfit = Problem::unprocessable(
            "rows-unfit",
            "at least one row is unfit, so nothing was kept: change what errors say",
        );
        // The savepoint is rolled back.
        Err(unfit.with("errors", said))
    });
    match kept {
        Ok(()) => Ok(Taken { status: StatusCode::CREATED, made, errors }),
        Err(problem) if dry_run && problem.status() == StatusCode::UNPROCESSABLE_ENTITY => {
            Ok(Taken { status: StatusCode::OK, made, errors })
        }
        Err(problem) => Err(problem),
    }
}
