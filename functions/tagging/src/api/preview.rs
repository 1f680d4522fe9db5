//! A rule tried before it is activated, on customers as they are or on what has happened: how many, whom, and why.

use super::past::{self, PastView};
use super::{RulesRead, seen};
use crate::engine::{Carried, attributes};
use crate::rule::set::Definition;
use crate::rule::{Condition, Seen, View, parse};
use crate::store::{customer, rule as rules, subject};
use axum::Json;
use axum::extract::State;
use domain::day;
use domain::{CustomerId, RuleId, UnixMs};
use kit::auth::Caller;
use kit::extract::{self, Path, RawBody};
use kit::{App, Cx, DbError, Problem, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many customers one call looks at as they are.
const MOST: u32 = 1000;
/// How many of those for whom the rule holds are shown with reasons.
const SAMPLE: usize = 20;

/// What a rule is tried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriedOn {
    /// Customers as they are now.
    Now,
    /// The events of a span of time.
    Past,
}

/// Which customers to look at, and when.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PreviewBody {
    /// `now` (unless given, and neither is `from` nor `until`): customers as they are. `past`: what has happened in a span of time.
    at: Option<TriedOn>,
    /// With the past: when the span begins, at that instant. 30 days before its end unless given.
    pub from: Option<UnixMs>,
    /// With the past: when the span ends, before that instant. Now unless given.
    pub until: Option<UnixMs>,
    /// How many customers to look at: 1 to 1,000, with the past 1 to 2,000; the most unless given.
    pub limit: Option<u32>,
    /// With the past: how many matches to show, 1 to 200; 20 unless given.
    pub sample: Option<usize>,
    /// `next_cursor` of the call before.
    pub cursor: Option<CustomerId>,
}

/// For whom a rule holds, among the customers that were looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewView {
    /// How many customers were looked at.
    pub looked_at: usize,
    /// How many customers there are.
    pub total: i64,
    /// For how many of them the rule holds now, or at the end of the span. A condition of the moment (`changed`, `hours`) holds for nobody here.
    pub holds: usize,
    /// The first of them, with what the rule asked and saw; empty with the past, which has `past.matches`.
    pub sample: Vec<SampleView>,
    /// What became of the rule in the span of time; absent with customers as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub past: Option<PastView>,
    /// Give this as `cursor` to look at the next, with the same `from` and `until`; absent when all were looked at. Add the figures up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
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

/// Tries a rule (its draft, or else what is active), so many customers a call: on customers as they are now, or on the events of a span of time, as if
/// it had been activated when that began. Changes nothing. The past is lived through again in memory, from the log's beginning, once a call: what the
/// catalogue says of SKUs is as it is now, and customers' tags as the log tells that they came and went.
#[utoipa::path(post, path = "/v1/tag-rules/{id}/preview", request_body = PreviewBody, params(("id" = RuleId, Path, description = "The rule")),
    security(("token" = ["rules:read"])), responses(
    (status = 200, description = "For whom it holds, and why", body = PreviewView),
    (status = 400, description = "The body is not as documented, or the span ends before it begins", body = Problem),
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
    if asked.at.map_or(asked.from.is_some() || asked.until.is_some(), |at| at == TriedOn::Past) {
        let span = past::span(&asked, cx.now)?;
        return app.db().read(&cx, |tx| past::tried(tx, &condition(tx, id)?, &asked, span)).await.map(Json);
    }
    if asked.from.is_some() || asked.until.is_some() || asked.sample.is_some() {
        return Err(Problem::bad_request("from, until and sample go with \"at\": \"past\""));
    }
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
    Ok(PreviewView { looked_at: customers.len(), total: customer::count(tx)?, holds, sample, past: None, next_cursor })
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
        limits: &super::features::limits(tx)?,
        today,
        at: tx.cx().now,
    };
    Ok(condition.holds(&view).then(|| condition.explain(&view)))
}
