//! Many codes at once: a file with a row for each store.

use super::ChannelsWrite;
use super::code_view::CodeView;
use super::codes::{NewCode, add, seen};
use super::rows::{self, RowError, Taken};
use crate::State as Shared;
use axum::extract::State;
use domain::ChannelCodeId;
use kit::auth::Caller;
use kit::extract::{Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::{Cx, Problem, audit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The most rows of a file.
const MOST: usize = 500;

/// What the rows are copies of.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// The code whose plan the new ones have.
    from: ChannelCodeId,
    /// Whether the file is only checked.
    #[serde(default)]
    dry_run: bool,
}

/// A row of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    store: String,
    #[serde(default)]
    channel: Option<String>,
    /// Who receives, by userids with blanks between, instead of the original's plan.
    #[serde(default)]
    staff: Option<String>,
}

/// What came of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// The codes that were made, in the order of the rows.
    codes: Vec<CodeView>,
    /// What is wrong with which rows. Where one is, nothing is made.
    errors: Vec<RowError>,
}

/// Makes codes from a CSV file, all or none: columns `name`, `store`, and where given `channel`, `staff` (userids with blanks between, on duty always). Each
/// row is a copy of the code `from`, for a store of its own; at most 500 rows.
#[utoipa::path(post, path = "/v1/channel-codes/import",
    params(ImportQuery, ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours")),
    request_body(content = String, content_type = "text/csv"), security(("token" = ["channels:write"])), responses(
    (status = 200, description = "Checked: `errors` tells what to change", body = Imported),
    (status = 201, description = "Made", body = Imported),
    (status = 400, description = "The query or the file is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such code among those that the caller may see", body = Problem),
    (status = 422, description = "At least one row is unfit: `errors` names it; or the key was used for another request", body = Problem),
))]
pub async fn create(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Query(query): Query<ImportQuery>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let rows = rows::read::<Row>(&body, MOST)?;
    let url = shared.public_url().map(str::to_owned);
    let what = [body.as_ref(), query.from.to_string().as_bytes(), &[u8::from(query.dry_run)]].concat();
    write_once(&shared.app, &cx, caller, key, &what, move |tx, caller| {
        let original = seen(tx, caller, query.from)?;
        let Taken { status, made, errors } = rows::take(tx, rows, query.dry_run, |tx, row| {
            let mut plan = original.plan.clone();
            // The name of the original's store is not another's.
            plan.store_name = plan.store_name.filter(|_| row.store == original.store);
            if let (Some(staff), Some(reception)) = (&row.staff, &mut plan.reception) {
                reception.always(staff.split_whitespace());
            }
            let channel = row.channel.filter(|channel| !channel.is_empty());
            let new = NewCode {
                channel: channel.unwrap_or_else(|| original.channel.clone()),
                kind: original.kind,
                name: row.name,
                store: Some(row.store),
                plan,
            };
            add(tx, caller, new)
        })?;
        if query.dry_run {
            return Answer::json(status, &Imported { codes: Vec::new(), errors });
        }
        audit::done(tx, caller, &query.from.to_string())?;
        let now = tx.cx().now;
        let codes = made.into_iter().map(|code| CodeView::new(code, url.as_deref(), now)).collect();
        Answer::json(status, &Imported { codes, errors })
    })
    .await
}
