//! Shops on marketplaces: connected with the tokens that the platform gave the merchant, pulled from then on.

use super::{ShopsRead, ShopsWrite};
use crate::State as Shared;
use crate::deliver::SOURCE;
use crate::store::{self, Connected, PullRow, ShopRow, Tokens};
use axum::Json;
use axum::extract::State;
use domain::{Event, Platform, PullKind, Secret, ShopEvent, UnixMs, Version};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Paths, Query};
use kit::page::{self, Page, PageQuery};
use kit::{Cx, DbError, Problem, Tx, Vault, audit, events};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A connected shop. Its tokens are never shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShopView {
    /// The platform.
    platform: Platform,
    /// The shop's id on the platform.
    shop_id: String,
    /// The shop's name, for people.
    name: String,
    /// Whether the shop has a token of its own. Platforms whose app fetches tokens by itself need none.
    has_token: bool,
    /// When the access token ends; absent when it does not, or when that is not known.
    expires_at: Option<UnixMs>,
    /// When the shop was connected.
    connected_at: UnixMs,
    /// How far it has been asked what changed, by kind; empty for platforms that are not asked, and right after connecting.
    pulls: Vec<PullView>,
}

/// How far a shop has been asked what changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct PullView {
    /// What is asked for: orders, after-sale cases, the platform's messages.
    kind: PullKind,
    /// Whatever changed before has been asked for.
    pulled_until: UnixMs,
    /// Failures in a row.
    failures: u32,
    /// The last failure; absent when the last attempt went well.
    error: Option<String>,
}

impl From<ShopRow> for ShopView {
    fn from(row: ShopRow) -> Self {
        let ShopRow { platform, shop_id, name, has_token, expires_at, connected_at, pulls } = row;
        let pulls = pulls.into_iter().map(PullView::from).collect();
        Self { platform, shop_id, name, has_token, expires_at, connected_at, pulls }
    }
}

impl From<PullRow> for PullView {
    fn from(row: PullRow) -> Self {
        let PullRow { kind, pulled_until, failures, error } = row;
        Self { kind, pulled_until: UnixMs::from_millis(pulled_until).unwrap_or(UnixMs::EPOCH), failures, error }
    }
}

/// A shop to connect.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Connecting {
    /// The shop's name, for people.
    name: String,
    /// The access token (session) that the platform gave for the shop. Kept sealed; absent keeps the one there is.
    #[schema(value_type = Option<String>)]
    access_token: Option<Secret<String>>,
    /// What renews the access token. Kept sealed; absent keeps the one there is.
    #[schema(value_type = Option<String>)]
    refresh_token: Option<Secret<String>>,
    /// When the access token ends; absent when it does not, or when that is not known.
    expires_at: Option<UnixMs>,
}

/// Shops that are connected, by platform and id.
#[utoipa::path(get, path = "/v1/shops", params(PageQuery), security(("token" = ["shops:read"])), responses(
    (status = 200, description = "One page of shops", body = Page<ShopView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(shared): State<Shared>,
    cx: Cx,
    _caller: Caller<ShopsRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ShopView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<(String, String)>(query.cursor.as_deref())?;
    let shops = shared.app.db().read(&cx, |tx| store::shops(tx, after, limit + 1)).await.map_err(Problem::from)?;
    let shops = shops.into_iter().map(ShopView::from).collect();
    Ok(Json(Page::new(shops, limit, |shop: &ShopView| (shop.platform, shop.shop_id.clone()))))
}

/// A connected shop.
#[utoipa::path(get, path = "/v1/shops/{platform}/{shop_id}", params(
    ("platform" = Platform, Path, description = "The platform"),
    ("shop_id" = String, Path, description = "The shop's id on the platform"),
), security(("token" = ["shops:read"])), responses(
    (status = 200, description = "The shop", body = ShopView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "The shop is not connected", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    _caller: Caller<ShopsRead>,
    Paths(platform, shop_id): Paths<Platform, String>,
) -> Result<Json<ShopView>, Problem> {
    let row = shared.app.db().read(&cx, |tx| store::shop(tx, platform, &shop_id)).await.map_err(Problem::from)?;
    row.map(|row| Json(row.into())).ok_or_else(not_connected)
}

/// Connects a shop, or changes its name and tokens. From then on its orders are pulled besides being pushed, and its stock is
/// kept in step. The same call twice is the same as once.
#[utoipa::path(put, path = "/v1/shops/{platform}/{shop_id}", request_body = Connecting, params(
    ("platform" = Platform, Path, description = "The platform"),
    ("shop_id" = String, Path, description = "The shop's id on the platform"),
), security(("token" = ["shops:write"])), responses(
    (status = 200, description = "The shop", body = ShopView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such platform", body = Problem),
    (status = 422, description = "Not a marketplace that can be asked, or no name", body = Problem),
    (status = 503, description = "`data_key` is not configured: tokens could not be sealed", body = Problem),
))]
pub async fn connect(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ShopsWrite>,
    Paths(platform, shop_id): Paths<Platform, String>,
    extract::Json(asked): extract::Json<Connecting>,
) -> Result<Json<ShopView>, Problem> {
    if platforms::api(platform).is_none() {
        let detail = format!("{platform} is no marketplace that can be asked: its orders come by webhook");
        return Err(Problem::unprocessable("shop-unusable", detail));
    }
    if asked.name.trim().is_empty() {
        return Err(Problem::unprocessable("shop-unusable", "give the shop a name"));
    }
    let vault = shared.courier.settings.vault.as_ref()?;
    let tokens = Tokens {
        access_token: sealed(vault, asked.access_token.as_ref())?,
        refresh_token: sealed(vault, asked.refresh_token.as_ref())?,
        expires_at: asked.expires_at,
    };
    let connected = Connected { platform, shop_id, name: asked.name, tokens };
    shared
        .app
        .db()
        .write(&cx, move |tx| {
            if store::connect(tx, &connected)? {
                tell(tx, Event::ShopConnected, &connected)?;
            }
            audit::done(tx, &caller, &format!("{platform}:{}", connected.shop_id))?;
            let row = store::shop(tx, platform, &connected.shop_id)?.ok_or_else(not_connected)?;
            Ok(Json(row.into()))
        })
        .await
}

/// Disconnects a shop: its tokens are forgotten, and it is no longer pulled. Its orders stay.
#[utoipa::path(delete, path = "/v1/shops/{platform}/{shop_id}", params(
    ("platform" = Platform, Path, description = "The platform"),
    ("shop_id" = String, Path, description = "The shop's id on the platform"),
), security(("token" = ["shops:write"])), responses(
    (status = 204, description = "Disconnected"),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "The shop is not connected", body = Problem),
))]
pub async fn disconnect(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ShopsWrite>,
    Paths(platform, shop_id): Paths<Platform, String>,
) -> Result<StatusCode, Problem> {
    shared
        .app
        .db()
        .write(&cx, move |tx| {
            let row = store::shop(tx, platform, &shop_id)?.ok_or_else(not_connected)?;
            store::disconnect(tx, platform, &shop_id)?;
            let tokens = Tokens { access_token: None, refresh_token: None, expires_at: None };
            tell(tx, Event::ShopDisconnected, &Connected { platform, shop_id, name: row.name, tokens })?;
            audit::done(tx, &caller, &format!("{platform}:{}", row.shop_id))?;
            Ok(StatusCode::NO_CONTENT)
        })
        .await
}

fn tell(tx: &Tx<'_>, event: fn(ShopEvent) -> Event, shop: &Connected) -> Result<(), DbError> {
    let Connected { platform, shop_id, name, .. } = shop;
    let event = event(ShopEvent {
        v: Version,
        platform: *platform,
        shop_id: shop_id.clone(),
        name: name.clone(),
        at: tx.cx().now,
    });
    events::append(tx, SOURCE, &format!("{platform}:{shop_id}"), &event)?;
    Ok(())
}

fn sealed(vault: &Vault, token: Option<&Secret<String>>) -> Result<Option<Vec<u8>>, Problem> {
    token
        .map(|token| vault.seal(store::TOKEN_PURPOSE, token.expose().as_bytes()))
        .transpose()
        .map_err(|error| Problem::internal(&error))
}

fn not_connected() -> Problem {
    Problem::not_found("the shop is not connected: PUT it")
}
