//! News of parcels, and of couriers who fetch returns, by Kuaidi100.

use crate::State as Shared;
use crate::{parcels, pickup};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::PickupId;
use http::header;
use kit::extract::{Query, RawBody};
use kit::{Cx, DbError, Problem, inbox};
use platforms::kuaidi100;
use platforms::marketplace::JSON;
use serde::Deserialize;
use utoipa::IntoParams;

const SOURCE: &str = kuaidi100::DESTINATION;

/// What news is about.
#[derive(Debug, Deserialize, IntoParams)]
pub struct About {
    /// The pickup in our books; without it, news is about a parcel.
    pickup: Option<PickupId>,
}

/// News of a parcel that is watched, or of a courier who fetches a return (`pickup` in the query): a form with `param` (JSON text)
/// and `sign`, upper-case hex of MD5 over `param` and `kuaidi100_salt`. What is about none of ours is passed by, or kept in quarantine where it cannot be understood.
#[utoipa::path(post, path = "/hooks/kuaidi100", params(About), request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
    (status = 200, description = "Taken: `{\"result\":true,\"returnCode\":\"200\",\"message\":\"成功\"}`"),
    (status = 401, description = "Not authentic", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 503, description = "Not configured, or the database is busy: repeat", body = Problem),
))]
pub async fn push(
    State(shared): State<Shared>,
    cx: Cx,
    Query(about): Query<About>,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    let app = shared.settings.kuaidi100.as_ref()?;
    let vault = shared.settings.vault.as_ref()?.clone();
    let push = kuaidi100::verify(app, &body).map_err(|error| {
        shared.app.count(&cx, "hooks.kuaidi100.refused");
        Problem::unauthorized(error.to_string())
    })?;
    shared
        .app
        .db()
        .write(&cx, move |tx| {
            let subject = about.pickup.map(|id| id.to_string()).unwrap_or_default();
            if !inbox::remember(tx, SOURCE, &subject, push.param.as_bytes())? {
                return Ok(());
            }
            let quarantine = |why| inbox::quarantine(tx, &vault, SOURCE, push.param.as_bytes(), why);
            match about.pickup {
                Some(id) => match kuaidi100::pickup::news(&push.param) {
                    Ok(news) if pickup::told(tx, id, &news)? => Ok(()),
                    Ok(_) => quarantine("news of a courier whom nobody has called"),
                    Err(_) => quarantine("news of a courier is not understood"),
                },
                None => match kuaidi100::tracking(&push.param) {
                    Ok(tracking) => parcels::told(tx, &tracking.tracking_number, tracking.facts),
                    Err(_) => quarantine("news of a parcel is not understood"),
                },
            }
        })
        .await
        .map_err(|error: DbError| Problem::from(error))?;
    Ok(([(header::CONTENT_TYPE, JSON)], kuaidi100::ACKNOWLEDGEMENT).into_response())
}
