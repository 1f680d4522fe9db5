//! Many costs at once, from a file.

use super::ChannelsWrite;
use super::costs::write;
use super::rows::{self, RowError, Taken};
use crate::store::cost::Cost;
use axum::extract::State;
use domain::{Fen, day};
use jiff::civil::Date;
use kit::auth::Caller;
use kit::extract::{Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::{App, Cx, Problem, audit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};

/// The most rows of a file.
const MOST: usize = 5000;

/// Whether the file is only checked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CostImportQuery {
    /// Whether the file is only checked.
    #[serde(default)]
    dry_run: bool,
}

/// A row of the file, as text: what does not read is that row's mistake, not the file's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    channel: String,
    day: String,
    amount: String,
    #[serde(default)]
    store: Option<String>,
    #[serde(default)]
    note: Option<String>,
}

/// What came of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostsImported {
    /// How many costs were written; of a dry run, would be.
    rows: usize,
    /// What they sum to, in fen.
    amount: Fen,
    /// What is wrong with which rows. Where one is, nothing is written.
    errors: Vec<RowError>,
}

/// Writes costs from a CSV file, all or none: columns `channel`, `day` (`YYYY-MM-DD`), `amount` (yuan, at most two decimals), and where given `store`,
/// `note`. Each row takes the place of what stood there; at most 5,000 rows.
#[utoipa::path(post, path = "/v1/channels/costs/import",
    params(CostImportQuery, ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours")),
    request_body(content = String, content_type = "text/csv"), security(("token" = ["channels:write"])), responses(
    (status = 200, description = "Checked: `errors` tells what to change", body = CostsImported),
    (status = 201, description = "Written", body = CostsImported),
    (status = 400, description = "The query or the file is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 422, description = "At least one row is unfit: `errors` names it; or the key was used for another request", body = Problem),
))]
pub async fn create(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Query(query): Query<CostImportQuery>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let rows = rows::read::<Row>(&body, MOST)?;
    let what = [body.as_ref(), &[u8::from(query.dry_run)]].concat();
    write_once(&app, &cx, caller, key, &what, move |tx, caller| {
        let mut earlier = BTreeSet::new();
        let Taken { status, made, errors } = rows::take(tx, rows, query.dry_run, |tx, row| {
            let unfit = |reason| Problem::unprocessable("row-unfit", reason);
            let cost = read(row, caller.store.as_str()).map_err(unfit)?;
            if !earlier.insert((cost.channel.clone(), cost.day, cost.store.clone())) {
                return Err(unfit("the file has the same channel, day and store in an earlier row".to_owned()));
            }
            write(tx, caller, &cost).map(|()| cost.amount)
        })?;
        let amount = made.iter().try_fold(Fen::ZERO, |sum, amount| sum.try_add(*amount));
        let amount = amount.map_err(|error| Problem::internal(&error))?;
        if !query.dry_run {
            audit::done(tx, caller, "costs")?;
        }
        Answer::json(status, &CostsImported { rows: made.len(), amount, errors })
    })
    .await
}

fn read(row: Row, own: &str) -> Result<Cost, String> {
    let day: Date = row.day.parse().map_err(|_| format!("day: {:?} is not a day such as 2026-02-14", row.day))?;
    let amount = Fen::from_yuan_text(&row.amount).map_err(|error| format!("amount: {error}"))?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let store = given(row.store).unwrap_or_else(|| own.to_owned());
    Ok(Cost { channel: row.channel, day: day::of_date(day), store, amount, note: given(row.note) })
}
