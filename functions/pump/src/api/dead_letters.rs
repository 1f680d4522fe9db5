//! Events that a consumer could not apply.

use super::{EventsRead, EventsWrite};
use crate::{State as Shared, store};
use axum::Json;
use axum::extract::State;
use domain::{DeadLetterId, UnixMs};
use http::StatusCode;
use kit::auth::Caller;
use kit::consume::Request as ConsumeRequest;
use kit::db::Row;
use kit::extract::{Path, Query};
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, DbError, Problem, audit};
use serde::Serialize;
use utoipa::ToSchema;

/// An event that a consumer could not apply in three tries.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetter {
    /// Its id.
    id: DeadLetterId,
    /// The function that could not apply it.
    consumer: String,
    /// The event's place in the log.
    seq: i64,
    /// The event's type.
    #[serde(rename = "type")]
    kind: String,
    /// What the event is about.
    subject: String,
    /// What went wrong.
    error: String,
    /// How often it was tried.
    attempts: i64,
    /// When it was given up.
    failed_at: UnixMs,
}

impl DeadLetter {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            consumer: row.get("consumer")?,
            seq: row.get("seq")?,
            kind: row.get("type")?,
            subject: row.get("subject")?,
            error: row.get("error")?,
            attempts: row.get("attempts")?,
            failed_at: row.instant("failed_at")?,
        })
    }
}

/// Dead letters that have not been replayed, oldest first.
#[utoipa::path(get, path = "/v1/events/dead-letters", params(PageQuery), security(("token" = ["events:read"])), responses(
    (status = 200, description = "One page of dead letters", body = Page<DeadLetter>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<EventsRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<DeadLetter>>, Problem> {
    page::list(&app, &cx, &query, store::dead_letters, DeadLetter::from_row, |letter| letter.id).await.map(Json)
}

/// Applies a dead letter again, after its cause is mended. Applied, it leaves the list; failing, it stays as it was.
#[utoipa::path(post, path = "/v1/events/dead-letters/{id}/replay",
    params(("id" = DeadLetterId, Path, description = "The dead letter's id")),
    security(("token" = ["events:write"])), responses(
    (status = 204, description = "Applied"),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such dead letter, or it has been replayed", body = Problem),
    (status = 422, description = "It fails still", body = Problem),
))]
pub async fn replay(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<EventsWrite>,
    Path(id): Path<DeadLetterId>,
) -> Result<StatusCode, Problem> {
    let consumer = shared
        .app
        .db()
        .write(&cx, move |tx| {
            let consumer = store::dead_letter_consumer(tx, id)?
                .ok_or_else(|| Problem::not_found("there is no such dead letter, or it has been replayed"))?;
            audit::done(tx, &caller, &id.to_string())?;
            Ok::<_, Problem>(consumer)
        })
        .await?;
    let request = ConsumeRequest { careful: false, replay: Some(id) };
    let answer = shared
        .pump
        .call(&cx, &consumer, "/consume", &request)
        .await
        .map_err(|error| Problem::unavailable(format!("{consumer} cannot be reached: {error}")))?;
    match answer.status() {
        StatusCode::OK => Ok(StatusCode::NO_CONTENT),
        status if status.is_client_error() => {
            let said: Option<serde_json::Value> = serde_json::from_slice(answer.body()).ok();
            let detail = said.and_then(|body| body["detail"].as_str().map(str::to_owned));
            Err(Problem::new(status, "replay-failed", detail.unwrap_or_else(|| format!("{consumer} refused it"))))
        }
        status => Err(Problem::unavailable(format!("{consumer} answered {status}: repeat the call"))),
    }
}
