//! Figures for alerts.

use super::EventsRead;
use crate::metrics;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use kit::auth::Caller;
use kit::{App, Cx, Problem};

/// Version 0.0.4 of Prometheus's text format.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Figures for alerts, in Prometheus's text format: how far consumers are behind, dead letters, timers and calls that are overdue, shops that do not answer, messages that
/// were refused. Times are milliseconds. Requests and instances are counted by the host.
#[utoipa::path(get, path = "/v1/metrics", security(("token" = ["events:read"])), responses(
    (status = 200, description = "The figures", body = String, content_type = "text/plain"),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn show(State(app): State<App>, cx: Cx, _caller: Caller<EventsRead>) -> Result<impl IntoResponse, Problem> {
    let text = app.db().read(&cx, |tx| metrics::text(tx).map_err(Problem::from)).await?;
    Ok(([(CONTENT_TYPE, FORMAT)], text))
}
