//! `/r/{token}`: the page of a tracked link, and what it tells while it is read.

use super::radar_page;
use super::visitor::Visitor;
use crate::State as Shared;
use crate::visits::{self, Opened};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use kit::extract::{self, Path};
use kit::{Cx, DbError, Problem, Tx};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// How a page is read.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Beacon {
    /// The visit, as the page says.
    visit: String,
    /// For how long it has been visible until now, in milliseconds.
    dwell_ms: u64,
    /// How much of it has been seen, 0 to 100 percent.
    #[serde(default)]
    depth_percent: Option<u8>,
}

/// A page is passed on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The visit, as the page says.
    visit: String,
}

/// A link to pass on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Forwarded {
    /// What its address ends with.
    token: String,
    /// Its address, on this host.
    path: String,
}

/// The page of a tracked link: counts that it is opened, and leads to the content or shows it.
#[utoipa::path(get, path = "/r/{token}", params(("token" = String, Path, description = "The link's token")), responses(
    (status = 200, description = "A page, in Chinese, for a phone", body = String, content_type = "text/html"),
    (status = 404, description = "A page that says that there is no such link", body = String, content_type = "text/html"),
    (status = 410, description = "A page that says that the content is retired", body = String, content_type = "text/html"),
    (status = 503, description = "The database is busy: repeat", body = Problem),
))]
pub async fn open(
    State(shared): State<Shared>,
    cx: Cx,
    method: Method,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let visitor = Visitor::of(&headers);
    let hash = hash(&visitor.id);
    let opened = if method == Method::HEAD {
        // Whoever looks whether a link works does not read it.
        let look = |tx: &Tx<'_>| visits::found(tx, &token);
        match shared.app.db().read(&cx, look).await? {
            None => Opened::Unknown,
            Some((_, content)) if content.retired_at.is_some() => Opened::Retired,
            Some((_, content)) => Opened::Content(Box::new(content), String::new()),
        }
    } else {
        let address = token.clone();
        shared.app.db().write(&cx, move |tx| visits::opened(tx, &address, &hash)).await?
    };
    let mut page = match opened {
        Opened::Content(content, visit) => radar_page::content(&content, &token, &visit),
        Opened::Retired => return Ok(radar_page::retired()),
        Opened::Unknown => return Ok(radar_page::unknown()),
    };
    visitor.hand_out(page.headers_mut())?;
    Ok(page)
}

/// How a page has been read until now (`navigator.sendBeacon`). Figures only grow; what an unknown visit tells is dropped without a word.
#[utoipa::path(post, path = "/r/{token}/beacon", request_body = Beacon, params(("token" = String, Path, description = "The link's token")), responses(
    (status = 204, description = "Taken"),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 503, description = "The database is busy", body = Problem),
))]
pub async fn beacon(
    State(shared): State<Shared>,
    cx: Cx,
    Path(token): Path<String>,
    extract::Json(body): extract::Json<Beacon>,
) -> Result<StatusCode, Problem> {
    let Beacon { visit, dwell_ms, depth_percent } = body;
    let write = move |tx: &Tx<'_>| visits::read(tx, &token, &visit, dwell_ms, depth_percent);
    shared.app.db().write(&cx, write).await.map_err(|error: DbError| Problem::from(error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link for whoever reads a page to pass on, by which it shows who came by whom. The same browser gets the same link.
#[utoipa::path(post, path = "/r/{token}/forward", request_body = Forward, params(("token" = String, Path, description = "The link's token")), responses(
    (status = 200, description = "The link", body = Forwarded),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 404, description = "No such visit by this link", body = Problem),
    (status = 503, description = "The database is busy: repeat", body = Problem),
))]
pub async fn forward(
    State(shared): State<Shared>,
    cx: Cx,
    Path(token): Path<String>,
    extract::Json(body): extract::Json<Forward>,
) -> Result<Json<Forwarded>, Problem> {
    let write = move |tx: &Tx<'_>| visits::forwarded(tx, &token, &body.visit);
    let token = shared.app.db().write(&cx, write).await?;
    let token = token.ok_or_else(|| Problem::not_found("there is no such visit by this link"))?;
    Ok(Json(Forwarded { path: format!("/r/{token}"), token }))
}

/// What is kept of a browser's cookie, which is of 128 random bits: whoever reads the table cannot show the cookie.
fn hash(cookie: &str) -> String {
    hex::encode(Sha256::digest(cookie.as_bytes()))
}
