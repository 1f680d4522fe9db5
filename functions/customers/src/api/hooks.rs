//! The open door: events of sources of all kinds.

use crate::State as Shared;
use crate::intake::{self, Merchant, Outcome};
use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use kit::extract::RawBody;
use kit::{Cx, Problem};
use platforms::activity::{self, Envelope};
use platforms::standard_webhooks;
use serde::Serialize;
use utoipa::ToSchema;

/// What a source hears.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsTaken {
    /// What became of each event, in the order of the batch.
    events: Vec<Outcome>,
}

/// One event or a batch of at most 500 (CloudEvents 1.0, JSON), signed by Standard Webhooks 1.0.0. An event is its `source` and `id`: one that
/// comes again changes nothing. Each event stands for itself: where one is unusable the answer is 422, and the others are taken.
#[utoipa::path(post, path = "/hooks/events", request_body = Vec<Envelope>,
    params(
        ("webhook-id" = String, Header, description = "The message's id, the same on every attempt"),
        ("webhook-timestamp" = String, Header, description = "Unix seconds of this attempt, within 5 minutes"),
        ("webhook-signature" = String, Header, description = "`v1,` and Base64 of HMAC-SHA-256 over `id.timestamp.body`"),
    ),
    responses(
    (status = 200, description = "Taken", body = EventsTaken),
    (status = 401, description = "Not authentic, or too old", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 422, description = "Authentic, and at least one event is not usable: `events` says which and what to change. It is kept; the others are taken", body = Problem),
    (status = 503, description = "Not configured, or the database is busy: repeat", body = Problem),
))]
pub async fn events(
    State(shared): State<Shared>,
    cx: Cx,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Json<EventsTaken>, Problem> {
    let key = shared.settings.webhook_key.as_ref()?;
    let signed = standard_webhooks::Headers::of(&headers);
    standard_webhooks::verify(key, signed, &body, cx.now).map_err(|error| {
        shared.app.count(&cx, "hooks.events.refused".to_owned());
        Problem::unauthorized(error.to_string())
    })?;
    let vault = shared.settings.vault.as_ref()?.clone();
    let now = cx.now;
    let events = shared
        .app
        .db()
        .write(&cx, move |tx| match activity::decode(&body, now) {
            Ok(read) => {
                let merchant = Merchant::read(tx)?;
                read.into_iter().map(|(json, read)| intake::take(tx, &vault, &merchant, &json, read)).collect()
            }
            Err(reason) => intake::keep_whole(tx, &vault, &body, reason),
        })
        .await?;
    answer(events)
}

fn answer(events: Vec<Outcome>) -> Result<Json<EventsTaken>, Problem> {
    if events.iter().all(|outcome| outcome.status != "unusable") {
        return Ok(Json(EventsTaken { events }));
    }
    let list = serde_json::to_value(&events).map_err(|error| Problem::internal(&error))?;
    let detail = "at least one event is not usable: change what its reason says and send it again";
    Err(Problem::unprocessable("events-unusable", detail).with("events", list))
}
