//! Tokens: made, listed, revoked.

use super::TokensWrite;
use crate::store;
use axum::Json;
use axum::extract::State;
use domain::{TokenId, UnixMs};
use http::StatusCode;
use kit::auth::{self, Caller, EVERYTHING, StorePath};
use kit::db::Row;
use kit::extract::{self, Path, Query};
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, DbError, Problem, audit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// Its id, which the audit names.
    id: TokenId,
    /// What it is for.
    name: String,
    /// What it may do, such as `orders:read`; `*` is everything.
    scopes: Vec<String>,
    /// The store subtree that it sees.
    #[schema(value_type = String)]
    store: StorePath,
    /// The member of staff whose customers it sees; absent where it sees all of its stores.
    staff: Option<String>,
    /// When it was made.
    created_at: UnixMs,
    /// When it ends, if ever.
    expires_at: Option<UnixMs>,
    /// When it was revoked.
    revoked_at: Option<UnixMs>,
}

impl TokenView {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parse("id")?,
            name: row.get("name")?,
            scopes: row.json("scopes")?,
            store: StorePath::try_from(row.get::<String>("store")?).map_err(DbError::Shape)?,
            staff: row.get("staff")?,
            created_at: row.instant("created_at")?,
            expires_at: row.optional_instant("expires_at")?,
            revoked_at: row.optional_instant("revoked_at")?,
        })
    }
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    name: String,
    /// What it may do, at least one scope.
    scopes: Vec<String>,
    /// The store subtree that it sees; all stores unless given.
    #[schema(value_type = Option<String>)]
    store: Option<StorePath>,
    /// The member of staff that it is for, by the merchant's number: it sees that one's customers only. Nobody unless given.
    staff: Option<String>,
    /// When it ends; never unless given.
    expires_at: Option<UnixMs>,
}

/// A token just made. Its text is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeToken {
    /// Its id.
    id: TokenId,
    /// The token itself: send it as `Authorization: Bearer …`.
    token: String,
}

/// All tokens, oldest first.
#[utoipa::path(get, path = "/v1/tokens", params(PageQuery), security(("token" = ["tokens:write"])), responses(
    (status = 200, description = "One page of tokens", body = Page<TokenView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<TokensWrite>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<TokenView>>, Problem> {
    page::list(&app, &cx, &query, store::tokens, TokenView::from_row, |token| token.id).await.map(Json)
}

/// Makes a token. It may do no more, and see no more stores and customers, than its maker.
#[utoipa::path(post, path = "/v1/tokens", request_body = NewToken, security(("token" = ["tokens:write"])), responses(
    (status = 201, description = "The token, shown this once", body = MadeToken),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "Your token lacks a scope, or does not see the store or the member of staff's customers", body = Problem),
    (status = 422, description = "No name, no scopes, or an unusable number of staff", body = Problem),
))]
pub async fn create(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TokensWrite>,
    extract::Json(asked): extract::Json<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), Problem> {
    if asked.name.trim().is_empty() || asked.scopes.is_empty() {
        return Err(Problem::unprocessable("token-unusable", "give the token a name and at least one scope"));
    }
    let well_formed = |scope: &String| {
        scope == EVERYTHING
            || scope.split_once(':').is_some_and(|(what, how)| {
                !what.is_empty() && matches!(how, "read" | "write" | "merge" | "privacy" | "texts")
            })
    };
    if let Some(odd) = asked.scopes.iter().find(|scope| !well_formed(scope)) {
        return Err(Problem::unprocessable("token-unusable", format!("{odd:?} is not a scope such as orders:read")));
    }
    if let Some(beyond) = asked.scopes.iter().find(|scope| !caller.may(scope)) {
        return Err(Problem::forbidden(format!("your token lacks the scope {beyond}: it cannot give it away")));
    }
    let store = asked.store.unwrap_or_else(|| caller.store.clone());
    if !caller.store.contains(Some(store.as_str())) {
        return Err(Problem::forbidden(format!("{} is outside the stores that your token sees", store.as_str())));
    }
    if asked.staff.as_ref().is_some_and(|staff| staff.trim().is_empty() || staff.len() > 64) {
        return Err(Problem::unprocessable("token-unusable", "staff: the merchant's number, of 1 to 64 bytes"));
    }
    let staff = asked.staff.or_else(|| caller.staff.clone());
    if caller.staff.is_some() && caller.staff != staff {
        return Err(Problem::forbidden("staff: your token sees one member's customers: it cannot give others away"));
    }
    app.db()
        .write(&cx, move |tx| {
            let made = auth::create(tx, &asked.name, &asked.scopes, &store, staff.as_deref(), asked.expires_at)?;
            audit::done(tx, &caller, &made.id.to_string())?;
            Ok((StatusCode::CREATED, Json(MadeToken { id: made.id, token: made.text })))
        })
        .await
}

/// Revokes a token at once.
#[utoipa::path(delete, path = "/v1/tokens/{id}", params(("id" = TokenId, Path, description = "The token's id")),
    security(("token" = ["tokens:write"])), responses(
    (status = 204, description = "Revoked"),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such token", body = Problem),
))]
pub async fn revoke(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TokensWrite>,
    Path(id): Path<TokenId>,
) -> Result<StatusCode, Problem> {
    app.db()
        .write(&cx, move |tx| {
            if !store::revoke(tx, id)? {
                return Err(Problem::not_found(format!("there is no token {id}")));
            }
            audit::done(tx, &caller, &id.to_string())?;
            Ok(StatusCode::NO_CONTENT)
        })
        .await
}
