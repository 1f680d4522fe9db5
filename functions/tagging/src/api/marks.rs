//! Tags that people give and take. Their word goes into the log, and stands from its place there on.

use super::{TagsWrite, seen};
use crate::engine::{Carried, SOURCE};
use crate::store::group;
use axum::extract::State;
use domain::{CustomerId, Event, TagEvent, TagId, Version};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::{App, Cx, Problem, Tx, audit, events};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many customers one call names.
const MOST_CUSTOMERS: usize = 1000;
/// How many tags a customer may have, as in WeCom.
const MOST_TAGS: usize = 3000;

/// Whom to mark.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Marking {
    /// The customers, 1 to 1,000.
    customer_ids: Vec<CustomerId>,
}

/// What becomes of one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The word is in the log; the tag follows within a second.
    Accepted,
    /// A person has said so before, or none has said anything that could be taken back.
    Already,
    /// There is no such customer among those that the caller may see.
    Unknown,
    /// The customer has 3,000 tags.
    Full,
}

/// One customer's outcome.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarkedView {
    /// The customer, as named in the call.
    customer_id: CustomerId,
    /// What becomes of it.
    outcome: Outcome,
}

/// Gives customers a tag, in a person's name: rules do not take it away. In a group that allows one tag, others go.
#[utoipa::path(post, path = "/v1/tags/{id}/mark", request_body = Marking, params(
        ("id" = TagId, Path, description = "The tag"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["tags:write"])), responses(
    (status = 202, description = "What becomes of each, in the order of the call", body = Vec<MarkedView>),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such tag", body = Problem),
    (status = 422, description = "Not 1 to 1,000 customers, or the key was used for another request", body = Problem),
))]
pub async fn mark(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TagsWrite>,
    Path(id): Path<TagId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    said(&app, &cx, caller, id, key, &body, Word::Yes).await
}

/// Takes a tag from customers, in a person's name: rules do not give it again.
#[utoipa::path(post, path = "/v1/tags/{id}/unmark", request_body = Marking, params(
        ("id" = TagId, Path, description = "The tag"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["tags:write"])), responses(
    (status = 202, description = "What becomes of each, in the order of the call", body = Vec<MarkedView>),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such tag", body = Problem),
    (status = 422, description = "Not 1 to 1,000 customers, or the key was used for another request", body = Problem),
))]
pub async fn unmark(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TagsWrite>,
    Path(id): Path<TagId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    said(&app, &cx, caller, id, key, &body, Word::No).await
}

/// Takes back what people have said of a tag: rules decide again.
#[utoipa::path(post, path = "/v1/tags/{id}/release", request_body = Marking, params(
        ("id" = TagId, Path, description = "The tag"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["tags:write"])), responses(
    (status = 202, description = "What becomes of each, in the order of the call", body = Vec<MarkedView>),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such tag", body = Problem),
    (status = 422, description = "Not 1 to 1,000 customers, or the key was used for another request", body = Problem),
))]
pub async fn release(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TagsWrite>,
    Path(id): Path<TagId>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    said(&app, &cx, caller, id, key, &body, Word::None).await
}

/// What a person says of a customer's tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    No,
    Yes,
    None,
}

impl Word {
    const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Yes => "yes",
            Self::None => "none",
        }
    }
}

async fn said(
    app: &App,
    cx: &Cx,
    caller: Caller<TagsWrite>,
    id: TagId,
    key: IdempotencyKey,
    body: &[u8],
    word: Word,
) -> Result<Answer, Problem> {
    let marking: Marking = extract::json(body)?;
    if !(1..=MOST_CUSTOMERS).contains(&marking.customer_ids.len()) {
        let detail = format!("name 1 to {MOST_CUSTOMERS} customers a call");
        return Err(Problem::unprocessable("too-many-customers", detail));
    }
    let request = [id.to_string().as_bytes(), word.as_str().as_bytes(), body].concat();
    write_once(app, cx, caller, key, &request, move |tx, caller| {
        group::tag(tx, id)?.ok_or_else(|| Problem::not_found("there is no such tag"))?;
        let mut seen = std::collections::BTreeSet::new();
        let mut views = Vec::new();
        for customer_id in marking.customer_ids {
            let outcome =
                if seen.insert(customer_id) { say(tx, caller, id, customer_id, word)? } else { Outcome::Already };
            views.push(MarkedView { customer_id, outcome });
        }
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::ACCEPTED, &views)
    })
    .await
}

fn say(
    tx: &Tx<'_>,
    caller: &Caller<TagsWrite>,
    tag_id: TagId,
    customer: CustomerId,
    word: Word,
) -> Result<Outcome, Problem> {
    let group = match seen::customer(tx, caller, customer) {
        Ok(group) => group,
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => return Ok(Outcome::Unknown),
        Err(problem) => return Err(problem),
    };
    let ids: Vec<&str> = group.iter().map(|person| person.id.as_str()).collect();
    let carried = Carried::load(tx, &ids)?;
    let wanted = match word {
        Word::Yes => Some(true),
        Word::No => Some(false),
        Word::None => None,
    };
    if carried.word_on(tag_id) == wanted {
        return Ok(Outcome::Already);
    }
    let tags = carried.tags();
    if word == Word::Yes && !tags.contains(&tag_id) && tags.len() >= MOST_TAGS {
        return Ok(Outcome::Full);
    }
    let (by, at) = (Some(caller.actor.clone()), tx.cx().now);
    let told = TagEvent { v: Version, customer_id: customer, tag_id, rule_id: None, by, at };
    let event = match word {
        Word::Yes => Event::TagAdded(told),
        Word::No => Event::TagRemoved(told),
        Word::None => Event::TagReleased(told),
    };
    events::append(tx, SOURCE, &customer.to_string(), &event)?;
    Ok(Outcome::Accepted)
}
