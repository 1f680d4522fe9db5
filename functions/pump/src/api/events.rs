//! The log to read.

use super::EventsRead;
use crate::store;
use axum::Json;
use axum::extract::State;
use domain::{CloudEvent, SPEC_VERSION};
use kit::auth::Caller;
use kit::events::Logged;
use kit::extract::Query;
use kit::{App, Cx, Problem, page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which events to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// After this place in the log; from the beginning unless given.
    #[serde(default)]
    after: i64,
    /// Of this type only, such as `order.paid`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Items a page, 1 to 500; 50 unless given.
    limit: Option<u32>,
}

/// An event with its place in the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoggedEvent {
    /// Its place in the log: give it as `after` to go on from here.
    seq: i64,
    /// The event, CloudEvents 1.0.
    #[serde(flatten)]
    event: CloudEvent,
    /// The W3C `traceparent` of the call that it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
}

/// Part of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Events {
    /// Oldest first.
    items: Vec<LoggedEvent>,
    /// Give this as `after` to go on; absent when the end of the log was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<i64>,
}

/// The event log, oldest first, as CloudEvents 1.0.
#[utoipa::path(get, path = "/v1/events", params(ListQuery), security(("token" = ["events:read"])), responses(
    (status = 200, description = "Events", body = Events),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees some stores only", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<EventsRead>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Events>, Problem> {
    if !caller.store.is_root() {
        return Err(Problem::forbidden("the log is of all stores, the token of some: use a token without a store"));
    }
    let limit = page::limit(query.limit)?;
    let mut found = app
        .db()
        .read(&cx, |tx| store::events(tx, query.after, query.kind.as_deref(), limit + 1))
        .await
        .map_err(Problem::from)?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    let next_after = if more { found.last().map(|event| event.seq) } else { None };
    let items = found.into_iter().map(logged).collect::<Result<_, _>>()?;
    Ok(Json(Events { items, next_after }))
}

fn logged(event: Logged) -> Result<LoggedEvent, Problem> {
    Ok(LoggedEvent {
        seq: event.seq,
        event: CloudEvent {
            id: event.id,
            source: event.source,
            specversion: SPEC_VERSION.to_owned(),
            type_name: event.type_name,
            subject: Some(event.subject),
            time: event.time,
            datacontenttype: "application/json".to_owned(),
            data: serde_json::from_str(&event.data).map_err(|error| Problem::internal(&error))?,
        },
        traceparent: event.trace,
    })
}
