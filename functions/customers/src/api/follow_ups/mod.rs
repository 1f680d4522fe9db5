//! Follow-ups of staff with customers.

mod form;

pub use form::{FollowUpDone, FollowUpMove, FollowUpView, NewFollowUp};

use super::{CustomersRead, CustomersWrite, seen};
use crate::State as Shared;
use crate::follow_up::{self, LONGEST_NOTE};
use crate::store::follow_up::{self as store, Done, Filter, FollowUp, Mark};
use crate::store::view::{self, Listed};
use axum::Json;
use axum::extract::State;
use domain::{CustomerId, FollowUpId, Secret, UnixMs};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{Cx, Problem, Tx, Vault, audit, unique};
use serde::Deserialize;
use utoipa::IntoParams;

/// Writes a contact down, and when to get in touch again.
#[utoipa::path(post, path = "/v1/customers/{id}/follow-ups", request_body = NewFollowUp,
    params(
        ("id" = CustomerId, Path, description = "Its id, or one that it once had"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ),
    security(("token" = ["customers:write"])), responses(
    (status = 201, description = "The follow-up", body = FollowUpView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for another member of staff", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 409, description = "The customer's personal data were erased", body = Problem),
    (status = 422, description = "The note is blank or too long, or the date lies in the past", body = Problem),
    (status = 503, description = "`data_key` is missing", body = Problem),
))]
pub async fn create(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersWrite>,
    Path(id): Path<CustomerId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let vault = shared.settings.vault.as_ref()?.clone();
    let asked: NewFollowUp = extract::json(&body)?;
    seen::staff(&asked.staff)?;
    seen::acts_as(&caller, &asked.staff)?;
    if let Some(next_at) = asked.next_at {
        follow_up::check_next(next_at, cx.now).map_err(unusable)?;
    }
    let note = sealed(&vault, &asked.note)?;
    let request = [id.to_string().as_bytes(), &body].concat();
    write_once(&shared.app, &cx, caller, key, &request, move |tx, caller| {
        let listed = seen::customer(tx, caller, id)?;
        unerased(&listed)?;
        let new = FollowUp {
            id: FollowUpId::new(tx.cx().now, unique()),
            customer: listed.id,
            staff: asked.staff,
            outcome: asked.outcome,
            note: Some(note),
            stage: listed.stage,
            next_at: asked.next_at,
            actor: caller.actor.clone(),
            created_at: tx.cx().now,
            done: None,
        };
        follow_up::record(tx, &new)?;
        audit::done(tx, caller, &new.id.to_string())?;
        Answer::json(StatusCode::CREATED, &FollowUpView::new(tx, &vault, new)?.without_notes())
    })
    .await
}

/// What staff wrote down of their contacts with a customer, newest first.
#[utoipa::path(get, path = "/v1/customers/{id}/follow-ups",
    params(("id" = CustomerId, Path, description = "Its id, or one that it once had"), PageQuery),
    security(("token" = ["customers:read"])), responses(
    (status = 200, description = "One page of follow-ups", body = Page<FollowUpView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 503, description = "`data_key` is missing", body = Problem),
))]
pub async fn of_customer(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersRead>,
    Path(id): Path<CustomerId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<FollowUpView>>, Problem> {
    let vault = shared.settings.vault.as_ref()?;
    let limit = page::limit(query.limit)?;
    let before = page::read::<FollowUpId>(query.cursor.as_deref())?;
    let read = |tx: &Tx<'_>| {
        let id = seen::customer(tx, &caller, id)?.id;
        views(tx, vault, store::of_customer(tx, id, before, limit + 1)?)
    };
    let items = shared.app.db().read(&cx, read).await?;
    Ok(Json(Page::new(items, limit, |item: &FollowUpView| item.id)))
}

/// Which follow-ups to list. Conditions narrow each other.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DueQuery {
    /// Of this member of staff.
    staff: Option<String>,
    /// Due before then.
    due_before: Option<UnixMs>,
    /// Items a page, 1 to 500; 50 unless given.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Customers to get in touch with again, the most urgent first.
#[utoipa::path(get, path = "/v1/follow-ups", params(DueQuery), security(("token" = ["customers:read"])), responses(
    (status = 200, description = "One page of follow-ups that are open", body = Page<FollowUpView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 503, description = "`data_key` is missing", body = Problem),
))]
pub async fn list(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersRead>,
    Query(query): Query<DueQuery>,
) -> Result<Json<Page<FollowUpView>>, Problem> {
    let vault = shared.settings.vault.as_ref()?;
    let limit = page::limit(query.limit)?;
    let filter = Filter {
        staff: query.staff,
        due_before: query.due_before,
        seen: caller.store.as_str().to_owned(),
        pool: caller.staff.clone(),
        after: page::read::<Mark>(query.cursor.as_deref())?,
    };
    let read = |tx: &Tx<'_>| views(tx, vault, store::open(tx, &filter, limit + 1)?);
    let items = shared.app.db().read(&cx, read).await?;
    let mark = |item: &FollowUpView| Mark { next_at: item.next_at.map_or(0, UnixMs::millis), id: item.id };
    Ok(Json(Page::new(items, limit, mark)))
}

fn views(tx: &Tx<'_>, vault: &Vault, found: Vec<FollowUp>) -> Result<Vec<FollowUpView>, Problem> {
    found.into_iter().map(|one| FollowUpView::new(tx, vault, one).map_err(Problem::from)).collect()
}

/// What was to follow was done: nobody is reminded of it any more.
#[utoipa::path(post, path = "/v1/follow-ups/{id}/done", request_body = FollowUpDone,
    params(
        ("id" = FollowUpId, Path, description = "The follow-up's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ),
    security(("token" = ["customers:write"])), responses(
    (status = 200, description = "The follow-up", body = FollowUpView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for another member of staff", body = Problem),
    (status = 404, description = "No such follow-up with a customer that the caller may see", body = Problem),
    (status = 409, description = "It is done, or the customer's personal data were erased", body = Problem),
    (status = 422, description = "The note is blank or too long", body = Problem),
    (status = 503, description = "`data_key` is missing", body = Problem),
))]
pub async fn done(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersWrite>,
    Path(id): Path<FollowUpId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let vault = shared.settings.vault.as_ref()?.clone();
    let FollowUpDone { outcome, note } = extract::json(&body)?;
    let note = note.map(|note| sealed(&vault, &note)).transpose()?;
    let request = [id.to_string().as_bytes(), &body].concat();
    write_once(&shared.app, &cx, caller, key, &request, move |tx, caller| {
        let (mut found, listed) = find(tx, caller, id)?;
        let done = Done { at: tx.cx().now, outcome, note, stage: listed.stage, actor: caller.actor.clone() };
        if !store::set_done(tx, id, &done)? {
            return Err(closed());
        }
        follow_up::done(tx, &found, outcome)?;
        audit::done(tx, caller, &id.to_string())?;
        found.done = Some(done);
        Answer::json(StatusCode::OK, &FollowUpView::new(tx, &vault, found)?.without_notes())
    })
    .await
}

/// Moves the date of the next contact, and the reminder with it.
#[utoipa::path(patch, path = "/v1/follow-ups/{id}", request_body = FollowUpMove, params(("id" = FollowUpId, Path, description = "The follow-up's id")),
    security(("token" = ["customers:write"])), responses(
    (status = 200, description = "The follow-up", body = FollowUpView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for another member of staff", body = Problem),
    (status = 404, description = "No such follow-up with a customer that the caller may see", body = Problem),
    (status = 409, description = "It is done, or the customer's personal data were erased", body = Problem),
    (status = 422, description = "The date lies in the past", body = Problem),
    (status = 503, description = "`data_key` is missing", body = Problem),
))]
pub async fn reschedule(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersWrite>,
    Path(id): Path<FollowUpId>,
    extract::Json(FollowUpMove { next_at }): extract::Json<FollowUpMove>,
) -> Result<Json<FollowUpView>, Problem> {
    let vault = shared.settings.vault.as_ref()?.clone();
    follow_up::check_next(next_at, cx.now).map_err(unusable)?;
    let write = move |tx: &Tx<'_>| {
        let (mut found, _) = find(tx, &caller, id)?;
        if !store::set_next(tx, id, next_at)? {
            return Err(closed());
        }
        if found.next_at.replace(next_at) != Some(next_at) {
            follow_up::moved(tx, &found)?;
            audit::done(tx, &caller, &id.to_string())?;
        }
        Ok(Json(FollowUpView::new(tx, &vault, found)?))
    };
    shared.app.db().write(&cx, write).await
}

/// A follow-up that the caller may work on, with its customer.
fn find(tx: &Tx<'_>, caller: &Caller<CustomersWrite>, id: FollowUpId) -> Result<(FollowUp, Listed), Problem> {
    let unknown = || Problem::not_found(format!("there is no follow-up {id}"));
    let found = store::by_id(tx, id)?.ok_or_else(unknown)?;
    let listed = view::by_id(tx, found.customer)?.ok_or_else(unknown)?;
    if !seen::sees(tx, caller, &listed)? {
        return Err(unknown());
    }
    seen::acts_as(caller, &found.staff)?;
    unerased(&listed)?;
    Ok((found, listed))
}

fn unerased(listed: &Listed) -> Result<(), Problem> {
    match listed.erased_at {
        None => Ok(()),
        Some(_) => Err(Problem::conflict("erased", "the customer's personal data were erased: who comes again is new")),
    }
}

fn closed() -> Problem {
    Problem::conflict("done", "the follow-up is done: write another one")
}

fn unusable(advice: &'static str) -> Problem {
    Problem::unprocessable("follow-up-unusable", advice)
}

fn sealed(vault: &Vault, note: &Secret<String>) -> Result<Vec<u8>, Problem> {
    let text = note.expose().trim();
    if text.is_empty() || text.len() > LONGEST_NOTE {
        return Err(unusable("note: has 1 to 4000 bytes"));
    }
    Ok(follow_up::seal(vault, text)?)
}
