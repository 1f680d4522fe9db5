//! Pushes of marketplaces.

use crate::State as Shared;
use crate::receive;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::Platform;
use http::{HeaderMap, Method, Uri, header};
use kit::extract::RawBody;
use kit::{Cx, Problem, inbox};
use platforms::marketplace::{Delivery, JSON, Received};

/// A marketplace's push. `platform` is the platform's name with `-` for `_`, such as `douyin` or `wechat-store`; Weidian's
/// path ends with the secret `weidian_path`. The platform's own documents say how it is signed and what it holds. What is
/// authentic and not understood is kept in quarantine and answered as success, so that the platform does not repeat it for
/// ever. Where a push proves nothing about its content, it only makes us ask the platform.
#[utoipa::path(post, path = "/hooks/{platform}", params(("platform" = String, Path, description = "The platform")),
    request_body = serde_json::Value, responses(
    (status = 200, description = "Taken, in the words that the platform wants"),
    (status = 401, description = "Not authentic", body = Problem),
    (status = 404, description = "No platform that pushes", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 503, description = "Not configured, or the database is busy: repeat", body = Problem),
))]
pub async fn push(
    State(shared): State<Shared>,
    cx: Cx,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    let pushing = pushing(uri.path()).and_then(|platform| Some((platform, platforms::source(platform)?)));
    let (platform, source) =
        pushing.ok_or_else(|| Problem::not_found("no platform pushes here: see /v1/openapi.json"))?;
    let (app, vault) = (shared.settings.app(platform)?, shared.settings.vault.as_ref()?.clone());
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    let delivery = Delivery { method: &method, path, query, headers: &headers, body: &body, now: cx.now };
    let received = source.receive(app, &delivery).map_err(|error| {
        shared.app.count(&cx, format!("hooks.{platform}.refused"));
        let detail = error.to_string();
        // Doudian reads code and msg; nobody else minds.
        Problem::unauthorized(detail.clone()).with("code", 40041).with("msg", detail)
    })?;
    let messages = match received {
        Received::Echo(text) => return Ok(text.into_response()),
        Received::Messages(messages) => Some(messages),
        Received::Unreadable => None,
    };
    shared
        .app
        .db()
        .write(&cx, move |tx| match messages {
            Some(messages) => {
                messages.into_iter().try_for_each(|message| receive::message(tx, &vault, platform, message))
            }
            None => inbox::quarantine(tx, &vault, platform.as_str(), &body, "not of the platform's form"),
        })
        .await?;
    let acknowledgement = source.acknowledgement();
    let content_type = if acknowledgement.starts_with('{') { JSON } else { "text/plain; charset=utf-8" };
    Ok(([(header::CONTENT_TYPE, content_type)], acknowledgement).into_response())
}

/// The platform of `/hooks/wechat-store` or `/hooks/weidian/…`.
fn pushing(path: &str) -> Option<Platform> {
    path.strip_prefix("/hooks/")?.split('/').next()?.replace('-', "_").parse().ok()
}
