//! What people decide of who is who: merge, undo, settle conflicts.

use super::{CustomersMerge, CustomersRead, seen};
use crate::State as Shared;
use crate::store::conflict::{self, ConflictRow, State as ConflictState};
use crate::store::customer;
use crate::store::identity::{self, IdentityRow};
use crate::who::{self, Cause};
use axum::Json;
use axum::extract::State;
use domain::{ConflictId, CustomerId, UnixMs};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page};
use kit::{Cx, Problem, Tx, audit, random};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The word for a person's decision where it moves a customer to another stage.
const DECIDED: &str = "customer.decided";

/// Two customers are one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The two. The older stays.
    customer_ids: [CustomerId; 2],
    /// Why, for those who ask later. No personal data.
    reason: String,
}

/// A customer who was merged is one of its own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unmerge {
    /// The customer who became part of another: the id that it had. What was seen together with its first identity goes with it.
    split_id: CustomerId,
    /// Why, for those who ask later. No personal data.
    reason: String,
}

/// Who is who after a decision.
#[derive(Debug, Serialize, ToSchema)]
pub struct Decided {
    /// The customers who now stand for what was asked about.
    customer_ids: Vec<CustomerId>,
}

/// Merges two customers, whatever their identities say: the older stays, the other's id goes on to name it. Nothing moves, so it can be undone.
#[utoipa::path(post, path = "/v1/customers/merge", request_body = Merge,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours")),
    security(("token" = ["customers:merge"])), responses(
    (status = 200, description = "The customer who stays", body = Decided),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 422, description = "They are one already, or no reason is given", body = Problem),
))]
pub async fn merge(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersMerge>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let Merge { customer_ids: [one, other], reason } = extract::json(&body)?;
    let reason = worded(reason)?;
    write_once(&shared.app, &cx, caller, key, &body, move |tx, caller| {
        let one = seen::customer(tx, caller, one)?.id;
        let other = seen::customer(tx, caller, other)?.id;
        let stays = join(tx, &caller.actor, &reason, one, other)?;
        audit::done(tx, caller, &format!("{one} {other}"))?;
        Answer::json(StatusCode::OK, &Decided { customer_ids: vec![stays] })
    })
    .await
}

/// Undoes a merge, whether people or identities made it: the customer is one of its own again, under its own id, and stays so
/// whatever is seen later.
#[utoipa::path(post, path = "/v1/customers/unmerge", request_body = Unmerge,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours")),
    security(("token" = ["customers:merge"])), responses(
    (status = 200, description = "The two customers, the one who stayed first", body = Decided),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 422, description = "The customer is no part of another, or no reason is given", body = Problem),
))]
pub async fn unmerge(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersMerge>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let Unmerge { split_id, reason } = extract::json(&body)?;
    let reason = worded(reason)?;
    write_once(&shared.app, &cx, caller, key, &body, move |tx, caller| {
        let stays = seen::customer(tx, caller, split_id)?.id;
        if stays == split_id {
            return Err(Problem::unprocessable("not-merged", format!("customer {split_id} is no part of another")));
        }
        part(tx, &caller.actor, &reason, stays, split_id)?;
        audit::done(tx, caller, &format!("{stays} {split_id}"))?;
        Answer::json(StatusCode::OK, &Decided { customer_ids: vec![stays, split_id] })
    })
    .await
}

fn worded(reason: String) -> Result<String, Problem> {
    if reason.trim().is_empty() || reason.len() > 500 {
        return Err(Problem::unprocessable("reason-missing", "reason: say why, in 1 to 500 bytes"));
    }
    Ok(reason)
}

/// Makes two customers one. The one who stays.
fn join(tx: &Tx<'_>, actor: &str, reason: &str, one: CustomerId, other: CustomerId) -> Result<CustomerId, Problem> {
    if one == other {
        return Err(Problem::unprocessable("one-already", format!("both ids name customer {one}")));
    }
    let (ones, others) = (identity::of_customer(tx, one)?, identity::of_customer(tx, other)?);
    let keys = |rows: &[IdentityRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    identity::forget_decisions(tx, &keys(&ones), &keys(&others), false)?;
    let homes = (customer::home(tx, one)?, customer::home(tx, other)?);
    identity::decide(tx, &[homes], true, actor, reason)?;
    decide(tx, actor, reason, &[ones, others].concat())?;
    Ok(customer::survivor(tx, one)?.unwrap_or(one))
}

/// Makes a part of a customer one of its own.
fn part(tx: &Tx<'_>, actor: &str, reason: &str, stays: CustomerId, split: CustomerId) -> Result<(), Problem> {
    let rows = identity::of_customer(tx, stays)?;
    let homes = (customer::home(tx, stays)?, customer::home(tx, split)?);
    identity::decide(tx, &[homes], false, actor, reason)?;
    decide(tx, actor, reason, &rows)
}

fn decide(tx: &Tx<'_>, actor: &str, reason: &str, rows: &[IdentityRow]) -> Result<(), Problem> {
    let derive = |_: &str| random();
    let now = tx.cx().now;
    who::place(tx, rows, Cause { derive: &derive, at: now, now, name: DECIDED, by: Some((actor, reason)) })?;
    Ok(())
}

/// Two customers who may be one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictView {
    /// Its id.
    pub id: ConflictId,
    /// The two, as they are named now.
    pub customer_ids: [CustomerId; 2],
    /// Where it stands.
    pub state: ConflictState,
    /// When it became known.
    pub opened_at: UnixMs,
    /// When it was settled.
    pub settled_at: Option<UnixMs>,
    /// Who settled it.
    pub by: Option<String>,
}

impl From<ConflictRow> for ConflictView {
    fn from(row: ConflictRow) -> Self {
        let ConflictRow { id, customers, state, opened_at, settled_at, by } = row;
        Self { id, customer_ids: customers, state, opened_at, settled_at, by }
    }
}

/// Which conflicts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConflictQuery {
    /// In this state; `open` unless given.
    state: Option<ConflictState>,
    /// Items a page, 1 to 500; 50 unless given.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Pairs of customers who may be one, the oldest first: something shows them together, and each has a unionid (or another id of which
/// everybody has one) of its own. Only for callers who see all stores.
#[utoipa::path(get, path = "/v1/conflicts", params(ConflictQuery), security(("token" = ["customers:read"])), responses(
    (status = 200, description = "One page of conflicts", body = Page<ConflictView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for some stores only", body = Problem),
))]
pub async fn conflicts(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersRead>,
    Query(query): Query<ConflictQuery>,
) -> Result<Json<Page<ConflictView>>, Problem> {
    everywhere(&caller)?;
    let limit = page::limit(query.limit)?;
    let after = page::read::<ConflictId>(query.cursor.as_deref())?;
    let state = query.state.unwrap_or(ConflictState::Open);
    let found =
        shared.app.db().read(&cx, |tx| conflict::list(tx, state, after, limit + 1)).await.map_err(Problem::from)?;
    let items = found.into_iter().map(ConflictView::from).collect();
    Ok(Json(Page::new(items, limit, |item: &ConflictView| item.id)))
}

fn everywhere<S>(caller: &Caller<S>) -> Result<(), Problem> {
    if caller.sees_all() {
        return Ok(());
    }
    Err(Problem::forbidden("conflicts are between any customers: use a token for all stores and no member of staff"))
}

/// What a person says of a conflict.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// Whether they are one person.
    same: bool,
    /// Why, for those who ask later. No personal data.
    reason: String,
}

/// Settles a conflict: the two become one, or are never merged by what is seen together.
#[utoipa::path(post, path = "/v1/conflicts/{id}/settle", request_body = Settlement,
    params(
        ("id" = ConflictId, Path, description = "The conflict's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ),
    security(("token" = ["customers:merge"])), responses(
    (status = 200, description = "The conflict", body = ConflictView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for some stores only", body = Problem),
    (status = 404, description = "No such conflict", body = Problem),
    (status = 409, description = "It is settled", body = Problem),
    (status = 422, description = "No reason is given, or the key was used for another request", body = Problem),
))]
pub async fn settle(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersMerge>,
    Path(id): Path<ConflictId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    everywhere(&caller)?;
    let Settlement { same, reason } = extract::json(&body)?;
    let reason = worded(reason)?;
    let request = [id.to_string().as_bytes(), &body].concat();
    write_once(&shared.app, &cx, caller, key, &request, move |tx, caller| {
        let unknown = || Problem::not_found(format!("there is no conflict {id}"));
        let row = conflict::by_id(tx, id)?.ok_or_else(unknown)?;
        if row.state != ConflictState::Open {
            return Err(Problem::conflict("settled", "the conflict is settled: see its state"));
        }
        let [one, other] = row.customers;
        if same {
            join(tx, &caller.actor, &reason, one, other)?;
        } else {
            let homes = (customer::home(tx, one)?, customer::home(tx, other)?);
            identity::decide(tx, &[homes], false, &caller.actor, &reason)?;
            conflict::settle(tx, id, ConflictState::Apart, Some(&caller.actor), tx.cx().now)?;
        }
        audit::done(tx, caller, &id.to_string())?;
        let row = conflict::by_id(tx, id)?.ok_or_else(unknown)?;
        Answer::json(StatusCode::OK, &ConflictView::from(row))
    })
    .await
}
