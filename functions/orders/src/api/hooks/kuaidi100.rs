//! News of parcels, by Kuaidi100.

use crate::State as Shared;
use crate::{parcels, receive, store};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use kit::extract::RawBody;
use kit::{Cx, DbError, Problem};
use platforms::kuaidi100;
use platforms::marketplace::JSON;

const SOURCE: &str = kuaidi100::DESTINATION;

/// News of a parcel that is watched: a form with `param` (JSON text) and `sign`, upper-case hex of MD5 over `param` and
/// `kuaidi100_salt`. Parcels that are none of ours are passed by.
#[utoipa::path(post, path = "/hooks/kuaidi100", request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
    (status = 200, description = "Taken: `{\"result\":true,\"returnCode\":\"200\",\"message\":\"成功\"}`"),
    (status = 401, description = "Not authentic", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 503, description = "Not configured, or the database is busy: repeat", body = Problem),
))]
pub async fn push(State(shared): State<Shared>, cx: Cx, RawBody(body): RawBody) -> Result<Response, Problem> {
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
            if !store::remember(tx, SOURCE, "", push.param.as_bytes())? {
                return Ok(());
            }
            match kuaidi100::tracking(&push.param) {
                Ok(tracking) => parcels::told(tx, &tracking.tracking_number, tracking.facts),
                Err(_) => {
                    receive::quarantine(tx, &vault, SOURCE, push.param.as_bytes(), "news of a parcel is not understood")
                }
            }
        })
        .await
        .map_err(|error: DbError| Problem::from(error))?;
    Ok(([(header::CONTENT_TYPE, JSON)], kuaidi100::ACKNOWLEDGEMENT).into_response())
}
