//! A rule tried on customers as they are, before it is activated: how many, whom, and why.

use super::{RulesRead, seen};
use crate::day;
use crate::engine::{Carried, attributes};
use crate::rule::set::Definition;
use crate::rule::{Condition, Seen, View, parse};
use crate::store::{customer, rule as rules, subject};
use axum::Json;
use axum::extract::State;
use domain::{CustomerId, RuleId};
use kit::auth::Caller;
use kit::extract::{self, Path, RawBody};
use kit::{App, Cx, DbError, Problem, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many customers one call looks at.
const MOST: u32 = 1000;
/// How many of those for whom the rule holds are shown with reasons.
const SAMPLE: usize = 20;

/// Which customers to look at.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PreviewBody {
    /// How many customers to look at, 1 to 1,000; 1,000 unless given.
    limit: Option<u32>,
    /// `next_cursor` of the call before.
    cursor: Option<CustomerId>,
}

/// For whom a rule holds, among the customers that were looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewView {
    /// How many customers were looked at.
    looked_at: usize,
    /// For how many of them the rule holds now. A condition of the moment (`changed`, `hours`) holds for nobody here.
    holds: usize,
    /// The first of them, with what the rule asked and saw.
    sample: Vec<SampleView>,
    /// Give this as `cursor` to look at the next; absent when all were looked at. Add the figures up.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A customer for whom a rule holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleView {
    /// The customer.
    #[schema(value_type = CustomerId)]
    customer_id: String,
    /// Every question of the condition, with the value seen.
    seen: Vec<Seen>,
}

/// Tries a rule (its draft, or else what is active) on customers as they are now, so many a call. Changes nothing.
#[utoipa::path(post, path = "/v1/tag-rules/{id}/preview", request_body = PreviewBody, params(("id" = RuleId, Path, description = "The rule")),
    security(("token" = ["rules:read"])), responses(
    (status = 200, description = "For whom it holds, and why", body = PreviewView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such rule", body = Problem),
))]
pub async fn preview(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<RulesRead>,
    Path(id): Path<RuleId>,
    RawBody(body): RawBody,
) -> Result<Json<PreviewView>, Problem> {
    seen::all_stores(&caller)?;
    let asked: PreviewBody = if body.is_empty() { PreviewBody::default() } else { extract::json(&body)? };
    let limit = asked.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request(format!("limit is {limit}: look at 1 to {MOST} customers")));
    }
    let after = asked.cursor.map(|cursor| cursor.to_string()).unwrap_or_default();
    app.db().read(&cx, |tx| tried(tx, &condition(tx, id)?, &after, limit)).await.map(Json)
}

fn condition(tx: &Tx<'_>, id: RuleId) -> Result<Condition, Problem> {
    let row = rules::rule(tx, id)?.ok_or_else(|| Problem::not_found("there is no such rule"))?;
    let drafted: Option<String> = row.get("draft_definition")?;
    let active: Option<String> = row.get("active_definition")?;
    let text =
        drafted.or(active).ok_or_else(|| Problem::conflict("no-draft", "the rule is retired and has no draft"))?;
    let definition: Definition = serde_json::from_str(&text).map_err(|error| Problem::internal(&error))?;
    parse::condition(&definition.condition).map_err(|error| Problem::internal(&error))
}

fn tried(tx: &Tx<'_>, condition: &Condition, after: &str, limit: u32) -> Result<PreviewView, Problem> {
    let customers = customer::after(tx, after, limit)?;
    let (mut holds, mut sample) = (0, Vec::new());
    for id in &customers {
        let Some(seen) = asked(tx, condition, id)? else { continue };
        holds += 1;
        if sample.len() < SAMPLE {
            sample.push(SampleView { customer_id: id.clone(), seen });
        }
    }
    let full = u32::try_from(customers.len()).is_ok_and(|count| count >= limit);
    let next_cursor = if full { customers.last().cloned() } else { None };
    Ok(PreviewView { looked_at: customers.len(), holds, sample, next_cursor })
}

/// What the condition sees of a customer, if it holds.
fn asked(tx: &Tx<'_>, condition: &Condition, id: &str) -> Result<Option<Vec<Seen>>, DbError> {
    let group = customer::group(tx, id)?;
    let ids: Vec<&str> = group.iter().map(|person| person.id.as_str()).collect();
    let state = subject::of_customer(tx, id)?;
    let today = day::of(tx.cx().now);
    let tags = if condition.tags().is_empty() { Default::default() } else { Carried::load(tx, &ids)?.on(today).tags() };
    let view = View {
        state: &state,
        before: &state,
        stage: group.first().and_then(|person| person.stage),
        attributes: &attributes(&group),
        tags: &tags,
        today,
        at: tx.cx().now,
    };
    Ok(condition.holds(&view).then(|| condition.explain(&view)))
}
