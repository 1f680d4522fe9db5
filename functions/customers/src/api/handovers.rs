//! Handovers: customers of one member of staff go to another.

use super::{CustomersRead, HandoversWrite, seen};
use crate::State as Shared;
use crate::handover::{self, Kind, Outcome, Refusal};
use crate::settings::WECOM_CORP_ID;
use crate::store::handover::{self as store, Item};
use axum::Json;
use axum::extract::State;
use domain::{CustomerId, HandoverId, UnixMs};
use http::StatusCode;
use kit::auth::Caller;
use kit::db::Row;
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{Cx, DbError, Problem, Tx, audit, unique};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many customers one call may name.
const MOST_NAMED: usize = 1000;
/// How long WeCom's message about a handover may be, in characters.
const LONGEST_MESSAGE: usize = 200;

/// Customers to hand over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHandover {
    /// The member of staff who receives them, by the merchant's number.
    to: String,
    /// Why: those of somebody who has left go after 24 hours, others at once.
    kind: Kind,
    /// Which, at most 1000; all whom the member of staff advises or has a relation with unless given.
    customer_ids: Option<Vec<CustomerId>>,
    /// Why, for those who ask later. No personal data.
    reason: String,
    /// What WeCom tells customers who are contacts there, at most 200 characters, while both stay; WeCom's own words unless given.
    message: Option<String>,
}

/// A handover.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandoverView {
    /// Its id.
    id: HandoverId,
    /// Who gives.
    from: String,
    /// Who receives.
    to: String,
    /// Why.
    kind: Kind,
    /// In words.
    reason: String,
    /// Who asked for it (a token's id).
    actor: String,
    /// When it was asked for.
    created_at: UnixMs,
    /// When it takes effect.
    due: UnixMs,
    /// When the last customer was dealt with; absent until then.
    ended_at: Option<UnixMs>,
    /// How many customers are where.
    counts: Counts,
}

/// How many customers of a handover are where.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Counts {
    /// All of them.
    total: i64,
    /// Their turn has not come.
    waiting: i64,
    /// WeCom was asked to hand them over: they may refuse there for 24 hours.
    asked: i64,
    /// The receiver has them now.
    moved: i64,
    /// The receiver had them before.
    kept: i64,
    /// They stay where they were.
    refused: i64,
}

/// A customer of a handover.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandoverItem {
    /// The customer.
    customer_id: CustomerId,
    /// `waiting`, `asked` (at WeCom), `moved`, `kept` or `refused`.
    state: String,
    /// Why it was refused: `by_customer`, `not_in_pool`, `too_often` (twice in 90 days), `erased`, `merged`, `receiver_full`, `by_platform`.
    reason: Option<String>,
    /// What WeCom said beyond that.
    error: Option<String>,
    /// When that was.
    at: Option<UnixMs>,
}

/// A handover with its customers.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandoverPage {
    /// The handover.
    #[serde(flatten)]
    handover: HandoverView,
    /// Its customers, by id.
    #[serde(flatten)]
    customers: Page<HandoverItem>,
}

/// Hands customers of a member of staff over to another: the whole pool, or some of it. They go in steps of 100: `GET /v1/handovers/{id}` tells how far it is.
/// The relation of the one ends, that of the other begins, and the other becomes the advisor of those whom the one advised or nobody did.
/// Contacts at WeCom, where that is set up, are handed over by WeCom: they may refuse for 24 hours in any case, and what WeCom says of them counts.
#[utoipa::path(post, path = "/v1/staff/{staff}/handovers", request_body = NewHandover,
    params(
        ("staff" = String, Path, description = "The merchant's number of the one who gives"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ),
    security(("token" = ["handovers:write"])), responses(
    (status = 202, description = "It will be done", body = HandoverView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for a member of staff", body = Problem),
    (status = 404, description = "A customer is not among those that the caller may see", body = Problem),
    (status = 422, description = "The two are one, nobody is named, or no reason is given", body = Problem),
))]
pub async fn create(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<HandoversWrite>,
    Path(from): Path<String>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let asked: NewHandover = extract::json(&body)?;
    nobodys(&caller)?;
    seen::staff(&from)?;
    seen::staff(&asked.to)?;
    check(&from, &asked)?;
    let at_wecom = shared.app.variables().optional(WECOM_CORP_ID).is_some();
    let request = [from.as_bytes(), b"\n", &body].concat();
    write_once(&shared.app, &cx, caller, key, &request, move |tx, caller| {
        let now = tx.cx().now;
        let item = Item {
            id: HandoverId::new(now, unique()),
            from,
            to: asked.to,
            kind: asked.kind,
            reason: asked.reason,
            actor: caller.actor.clone(),
            store: caller.store.as_str().to_owned(),
            created_at: now,
            due: asked.kind.due(now),
            ended_at: None,
        };
        store::insert(tx, &item)?;
        match asked.customer_ids {
            None => store::add_pool(tx, item.id, &item.from, &item.store)?,
            Some(ids) => {
                let ids = ids.into_iter().map(|id| Ok(seen::customer(tx, caller, id)?.id));
                store::add(tx, item.id, &ids.collect::<Result<Vec<_>, Problem>>()?)?;
            }
        }
        handover::begin(tx, &item, at_wecom, asked.message.as_deref())?;
        audit::done(tx, caller, &item.id.to_string())?;
        Answer::json(StatusCode::ACCEPTED, &view(tx, item)?)
    })
    .await
}

fn check(from: &str, asked: &NewHandover) -> Result<(), Problem> {
    let unusable = |advice| Err(Problem::unprocessable("handover-unusable", advice));
    if from == asked.to {
        return unusable("to: is the one who gives: name another member of staff");
    }
    if asked.reason.trim().is_empty() || asked.reason.len() > 500 {
        return unusable("reason: say why, in 1 to 500 bytes");
    }
    if let Some(message) = &asked.message {
        if asked.kind == Kind::Resignation {
            return unusable("message: WeCom tells customers of somebody who has left in its own words; leave it out");
        }
        if message.trim().is_empty() || message.chars().count() > LONGEST_MESSAGE {
            return unusable("message: 1 to 200 characters, or leave it out");
        }
    }
    match &asked.customer_ids {
        Some(ids) if ids.is_empty() || ids.len() > MOST_NAMED => {
            unusable("customer_ids: name 1 to 1000, or leave it out to hand over the whole pool")
        }
        _ => Ok(()),
    }
}

/// Handing over is for those who see more than one member's customers.
fn nobodys<S>(caller: &Caller<S>) -> Result<(), Problem> {
    match &caller.staff {
        None => Ok(()),
        Some(_) => Err(Problem::forbidden("a member of staff does not hand customers over: use a manager's token")),
    }
}

/// A handover with its customers.
#[utoipa::path(get, path = "/v1/handovers/{id}", params(("id" = HandoverId, Path, description = "Its id"), PageQuery),
    security(("token" = ["customers:read"])), responses(
    (status = 200, description = "The handover and one page of its customers", body = HandoverPage),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such handover among those that the caller may see", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersRead>,
    Path(id): Path<HandoverId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<HandoverPage>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<CustomerId>(query.cursor.as_deref())?;
    let read = |tx: &Tx<'_>| {
        let item = find(tx, &caller, id)?;
        let rows = store::items(tx, id, after, limit + 1)?;
        let items = rows.iter().map(item_view).collect::<Result<_, _>>()?;
        let customers = Page::new(items, limit, |item: &HandoverItem| item.customer_id);
        Ok::<_, Problem>(Json(HandoverPage { handover: view(tx, item)?, customers }))
    };
    shared.app.db().read(&cx, read).await
}

/// A customer who does not want to go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refuse {
    /// The customer.
    customer_id: CustomerId,
}

/// A customer does not want to go to the other member of staff: it stays, if its turn has not come.
#[utoipa::path(post, path = "/v1/handovers/{id}/refuse", request_body = Refuse,
    params(
        ("id" = HandoverId, Path, description = "Its id"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ),
    security(("token" = ["handovers:write"])), responses(
    (status = 200, description = "The handover", body = HandoverView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for a member of staff", body = Problem),
    (status = 404, description = "No such handover among those that the caller may see, or the customer is not one of it", body = Problem),
    (status = 409, description = "The customer has been dealt with, or WeCom is asking it", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn refuse(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<HandoversWrite>,
    Path(id): Path<HandoverId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let Refuse { customer_id } = extract::json(&body)?;
    nobodys(&caller)?;
    let request = [id.to_string().as_bytes(), &body].concat();
    write_once(&shared.app, &cx, caller, key, &request, move |tx, caller| {
        let item = find(tx, caller, id)?;
        if !store::has(tx, id, customer_id)? {
            return Err(Problem::not_found(format!("customer {customer_id} is not one of this handover")));
        }
        if store::is_asked(tx, id, customer_id)? {
            let advice = "WeCom was asked to hand the customer over: it refuses there, in the message that it got";
            return Err(Problem::conflict("asked", advice));
        }
        if !store::settle(tx, id, customer_id, Outcome::Refused(Refusal::ByCustomer), None, tx.cx().now)? {
            return Err(Problem::conflict("settled", "the customer has been dealt with: see the handover"));
        }
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::OK, &view(tx, item)?)
    })
    .await
}

/// A handover that the caller may see: made for its stores, and of a member of staff one that it has a part in.
fn find<S>(tx: &Tx<'_>, caller: &Caller<S>, id: HandoverId) -> Result<Item, Problem> {
    store::by_id(tx, id)?
        .filter(|item| caller.store.contains(Some(&item.store)))
        .filter(|item| caller.staff.as_ref().is_none_or(|staff| *staff == item.from || *staff == item.to))
        .ok_or_else(|| Problem::not_found(format!("there is no handover {id}")))
}

fn view(tx: &Tx<'_>, item: Item) -> Result<HandoverView, DbError> {
    let mut counts = Counts::default();
    for row in store::counts(tx, item.id)? {
        let count: i64 = row.get("count")?;
        counts.total = counts.total.saturating_add(count);
        match row.get::<String>("state")?.as_str() {
            "asked" => counts.asked = count,
            "moved" => counts.moved = count,
            "kept" => counts.kept = count,
            "refused" => counts.refused = count,
            _ => counts.waiting = count,
        }
    }
    let Item { id, from, to, kind, reason, actor, store: _, created_at, due, ended_at } = item;
    Ok(HandoverView { id, from, to, kind, reason, actor, created_at, due, ended_at, counts })
}

fn item_view(row: &Row) -> Result<HandoverItem, DbError> {
    Ok(HandoverItem {
        customer_id: row.parse("customer")?,
        state: row.get("state")?,
        reason: row.get("reason")?,
        error: row.get("error")?,
        at: row.optional_instant("at")?,
    })
}
