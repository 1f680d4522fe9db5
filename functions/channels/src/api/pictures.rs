//! Codes as pictures, and posters.

use super::code_view::target;
use super::codes::seen;
use super::{ChannelsRead, ChannelsWrite};
use crate::State as Shared;
use crate::picture::{Colour, Materials, Picture, PictureError, Poster, QrStyle, Typeface};
use crate::settings::PUBLIC_URL;
use crate::store::poster::{self as store, Kind, Template};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ChannelCodeId;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kit::auth::Caller;
use kit::extract::{self, Path, Query, RawBody};
use kit::{Cx, Problem, Tx, audit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How a code is drawn.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct QrQuery {
    /// Width and height with the margin, in pixels, 100 to 4096; 480 unless given.
    size: Option<u32>,
    /// The dark modules, `#000000` unless given.
    #[param(value_type = Option<String>)]
    dark: Option<Colour>,
    /// The light modules and the margin, `#ffffff` unless given.
    #[param(value_type = Option<String>)]
    light: Option<Colour>,
    /// The picture in the middle, by the name under which it was uploaded.
    logo: Option<String>,
}

/// A poster's template.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PosterBody {
    /// What it looks like.
    poster: Poster,
    /// The picture behind everything, by the name under which it was uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    background: Option<String>,
    /// The picture in the middle of the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logo: Option<String>,
    /// The font of the name; without one a PNG has no name on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    font: Option<String>,
}

/// A poster to draw.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PosterOrder {
    /// The template's name.
    poster: String,
    /// The name on it. Nowhere kept.
    #[serde(default)]
    name: String,
    /// `svg` or `png`.
    form: Form,
}

/// The form of a picture.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Scales without loss.
    Svg,
    /// Pixels.
    Png,
}

/// A code as SVG (`qr.svg`) or PNG (`qr.png`), to print.
#[utoipa::path(get, path = "/v1/channel-codes/{id}/{file}", params(
        ("id" = ChannelCodeId, Path, description = "The code"),
        ("file" = String, Path, description = "`qr.svg` or `qr.png`"),
        QrQuery,
    ), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The picture", content_type = "image/svg+xml"),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such code, file or upload", body = Problem),
    (status = 409, description = "The platform has not made the code yet: try again in a moment", body = Problem),
    (status = 503, description = "The variable public_url is not set, or the database is busy", body = Problem),
    (status = 422, description = "The picture cannot be drawn so: the detail says what to change", body = Problem),
))]
pub async fn qr(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    axum::extract::Path((id, file)): axum::extract::Path<(String, String)>,
    Query(query): Query<QrQuery>,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found("there is no such path: see /v1/openapi.json");
    let id: ChannelCodeId = id.parse().map_err(|_| missing())?;
    let usual = QrStyle::default();
    let style = QrStyle {
        size: query.size.unwrap_or(usual.size),
        dark: query.dark.unwrap_or(usual.dark),
        light: query.light.unwrap_or(usual.light),
    };
    style.check().map_err(|mistake| unfit(&mistake))?;
    let url = shared.public_url();
    let read = |tx: &Tx<'_>| -> Result<_, Problem> {
        let logo = query.logo.as_deref().map(|name| upload(tx, name, Kind::Image)).transpose()?;
        Ok((said(tx, &caller, id, url)?, logo))
    };
    let (text, logo) = shared.app.db().read(&cx, read).await?;
    let logo = logo.map(Picture::read).transpose().map_err(|error| unfit(&error))?;
    match file.as_str() {
        "qr.svg" => Ok(picture("image/svg+xml", style.svg(&text, logo.as_ref()).map_err(|error| unfit(&error))?)),
        "qr.png" => Ok(picture("image/png", style.png(&text, logo.as_ref()).map_err(|error| unfit(&error))?)),
        _ => Err(missing()),
    }
}

/// Draws a poster with a code and a name.
#[utoipa::path(post, path = "/v1/channel-codes/{id}/poster", request_body = PosterOrder,
    params(("id" = ChannelCodeId, Path, description = "The code")), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The picture; the header `warning-text` says what to know of it", content_type = "image/svg+xml"),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such code, template or upload", body = Problem),
    (status = 409, description = "The platform has not made the code yet: try again in a moment", body = Problem),
    (status = 503, description = "The variable public_url is not set, or the database is busy", body = Problem),
    (status = 422, description = "The picture cannot be drawn so: the detail says what to change", body = Problem),
))]
pub async fn poster(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Path(id): Path<ChannelCodeId>,
    extract::Json(order): extract::Json<PosterOrder>,
) -> Result<Response, Problem> {
    let url = shared.public_url();
    let read = |tx: &Tx<'_>| -> Result<_, Problem> {
        let template = store::template(tx, &order.poster)?
            .ok_or_else(|| Problem::not_found("there is no such template: PUT /v1/posters/{name}"))?;
        let find = |name: &Option<String>, kind| name.as_deref().map(|name| upload(tx, name, kind)).transpose();
        let background = find(&template.background, Kind::Image)?;
        let (logo, font) = (find(&template.logo, Kind::Image)?, find(&template.font, Kind::Font)?);
        Ok((said(tx, &caller, id, url)?, template.poster, background, logo, font))
    };
    let (text, template, background, logo, font) = shared.app.db().read(&cx, read).await?;
    let background = background.map(Picture::read).transpose().map_err(|error| unfit(&error))?;
    let logo = logo.map(Picture::read).transpose().map_err(|error| unfit(&error))?;
    let typeface = font.map(Typeface::read).transpose().map_err(|error| unfit(&error))?;
    let materials = Materials { background: background.as_ref(), logo: logo.as_ref(), typeface: typeface.as_ref() };
    let (mut answer, warnings) = match order.form {
        Form::Svg => {
            let drawn = template.svg(&text, &order.name, materials).map_err(|error| unfit(&error))?;
            (picture("image/svg+xml", drawn.poster), drawn.warnings)
        }
        Form::Png => {
            let drawn = template.png(&text, &order.name, materials).map_err(|error| unfit(&error))?;
            (picture("image/png", drawn.poster), drawn.warnings)
        }
    };
    if let Ok(value) = HeaderValue::try_from(warnings.join("; "))
        && !warnings.is_empty()
    {
        answer.headers_mut().insert("warning-text", value);
    }
    Ok(answer)
}

/// Keeps a template of posters under a name.
#[utoipa::path(put, path = "/v1/posters/{name}", request_body = PosterBody,
    params(("name" = String, Path, description = "The template's name")), security(("token" = ["channels:write"])), responses(
    (status = 204, description = "Kept"),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such upload", body = Problem),
    (status = 422, description = "It cannot be drawn: `path` names the place", body = Problem),
))]
pub async fn set_poster(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(name): Path<String>,
    extract::Json(body): extract::Json<PosterBody>,
) -> Result<StatusCode, Problem> {
    caller.for_all_stores("posters are kept")?;
    let name = super::label("name", &name)?;
    body.poster.check().map_err(|mistake| unfit(&mistake).with("path", mistake.path.clone()))?;
    let write = move |tx: &Tx<'_>| -> Result<(), Problem> {
        let uploads = [(&body.background, Kind::Image), (&body.logo, Kind::Image), (&body.font, Kind::Font)];
        for (name, kind) in uploads {
            name.as_deref().map(|name| upload(tx, name, kind)).transpose()?;
        }
        let PosterBody { poster, background, logo, font } = body;
        store::set(tx, &name, &Template { poster, background, logo, font })?;
        Ok(audit::done(tx, &caller, &name)?)
    };
    shared.app.db().write(&cx, write).await.map(|()| StatusCode::NO_CONTENT)
}

/// Keeps a picture (PNG, JPEG) or a font (TrueType, OpenType) for codes and posters, at most 1 MiB.
#[utoipa::path(put, path = "/v1/channel-materials/{name}",
    params(("name" = String, Path, description = "The name by which codes and templates find it")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), security(("token" = ["channels:write"])), responses(
    (status = 204, description = "Kept"),
    (status = 400, description = "The name is unfit", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 422, description = "Neither a picture nor a font that can be read", body = Problem),
))]
pub async fn keep_material(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(name): Path<String>,
    RawBody(body): RawBody,
) -> Result<StatusCode, Problem> {
    caller.for_all_stores("pictures and fonts are kept")?;
    let name = super::label("name", &name)?;
    let bytes = body.to_vec();
    let kind = match Picture::read(bytes.clone()) {
        Ok(_) => Kind::Image,
        Err(PictureError::NotPicture) => {
            Typeface::read(bytes.clone()).map(|_| Kind::Font).map_err(|error| unfit(&error))?
        }
        Err(error) => return Err(unfit(&error)),
    };
    let write = move |tx: &Tx<'_>| {
        store::keep(tx, &name, kind, bytes)?;
        audit::done(tx, &caller, &name)
    };
    shared.app.db().write(&cx, write).await.map(|()| StatusCode::NO_CONTENT).map_err(Problem::from)
}

fn upload(tx: &Tx<'_>, name: &str, kind: Kind) -> Result<Vec<u8>, Problem> {
    store::material(tx, name, kind)?.ok_or_else(|| {
        let what = if kind == Kind::Image { "picture" } else { "font" };
        Problem::not_found(format!("there is no {what} {name:?}: PUT /v1/channel-materials/{{name}}"))
    })
}

/// What the picture of a code says.
fn said(tx: &Tx<'_>, caller: &Caller<ChannelsRead>, id: ChannelCodeId, url: Option<&str>) -> Result<String, Problem> {
    let code = seen(tx, caller, id)?;
    if url.is_none() && !code.kind.is_account() {
        return Err(Problem::not_configured(
            PUBLIC_URL,
            "is not set: pictures of codes name this application's address",
        ));
    }
    let not_yet = || Problem::conflict("code-pending", "the platform has not made the code yet: try again in a moment");
    target(&code, url).ok_or_else(not_yet)
}

fn unfit(error: &dyn std::fmt::Display) -> Problem {
    Problem::unprocessable("picture-unfit", error.to_string())
}

fn picture(form: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
    );
    response
}
