//! What attribution goes by.

use super::{ChannelsRead, ChannelsWrite};
use crate::attribution::Model;
use crate::booking;
use crate::credit::Setting;
use crate::store::attributed;
use axum::Json;
use axum::extract::State;
use kit::auth::Caller;
use kit::extract;
use kit::{App, Cx, DbError, Problem, Tx, audit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What attribution goes by.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttributionView {
    /// How many days of 24 hours before its payment an order is owed to touches.
    window_days: u32,
    /// Of the model `time_decay`: after how many days of 24 hours a touch weighs half as much.
    half_life_days: u16,
    /// `current`, or `recomputing` while orders are worked out anew by it.
    status: &'static str,
}

impl AttributionView {
    fn read(tx: &Tx<'_>) -> Result<Self, DbError> {
        let settings = attributed::settings(tx)?;
        let Setting { window_days, half_life_days } = settings.wanted;
        let current = settings.finished && settings.revision == settings.wanted_revision;
        Ok(Self { window_days, half_life_days, status: if current { "current" } else { "recomputing" } })
    }
}

/// What attribution is to go by.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributionBody {
    /// How many days of 24 hours before its payment an order is owed to touches, 1 to 365.
    #[schema(minimum = 1, maximum = 365)]
    window_days: u32,
    /// Of the model `time_decay`: after how many days of 24 hours a touch weighs half as much, 1 to 365.
    #[schema(minimum = 1, maximum = 365)]
    half_life_days: u16,
}

/// What attribution goes by: 30 days, and a half-life of 7, unless set otherwise.
#[utoipa::path(get, path = "/v1/channels/attribution", security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The settings", body = AttributionView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<ChannelsRead>,
) -> Result<Json<AttributionView>, Problem> {
    Ok(Json(app.db().read(&cx, AttributionView::read).await.map_err(|error: DbError| Problem::from(error))?))
}

/// Sets what attribution goes by. All orders are worked out anew in the background, by every model.
#[utoipa::path(put, path = "/v1/channels/attribution", request_body = AttributionBody,
    security(("token" = ["channels:write"])), responses(
    (status = 200, description = "The settings", body = AttributionView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 422, description = "A number is unfit", body = Problem),
))]
pub async fn set(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    extract::Json(body): extract::Json<AttributionBody>,
) -> Result<Json<AttributionView>, Problem> {
    caller.for_all_stores("attribution is set")?;
    let unfit = |path: &str, what: &str| Problem::unprocessable("days-unfit", what.to_owned()).with("path", path);
    if !(1..=365).contains(&body.window_days) {
        return Err(unfit("window_days", "window_days: write 1 to 365"));
    }
    if let Some(fault) = (Model::TimeDecay { half_life_days: body.half_life_days }).fault() {
        return Err(unfit("half_life_days", fault));
    }
    let wanted = Setting { window_days: body.window_days, half_life_days: body.half_life_days };
    app.db()
        .write(&cx, move |tx| {
            if attributed::settings(tx)?.wanted != wanted {
                booking::want(tx, wanted)?;
            }
            audit::done(tx, &caller, "attribution")?;
            Ok(Json(AttributionView::read(tx)?))
        })
        .await
}
