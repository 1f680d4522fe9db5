//! Rules: drafted, activated, retired.

use super::rule_view::RuleView;
use super::{RulesRead, RulesWrite, seen};
use crate::rounds;
use crate::rule::parse::Mistake;
use crate::rule::set::{Definition, cycle};
use crate::rule::{Effect, check_effects, parse};
use crate::store::{self, group, rule as rules};
use axum::Json;
use axum::extract::State;
use domain::{BackfillDue, RuleId, SegmentId, TagId, Version};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, Query, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::page::{self, Page, PageQuery};
use kit::{App, Cx, DbError, Problem, Tx, audit, host};
use serde::Deserialize;
use utoipa::ToSchema;

/// A rule as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleBody {
    /// Its name, 1 to 100 characters, unique.
    name: String,
    /// When it holds. One of: `{"all":[…]}`, `{"any":[…]}`, `{"not":…}`, `{"feature":"orders.count.30d","op":">=","value":2}` (ops `=`, `!=`,
    /// `<`, `<=`, `>`, `>=`, `in`), `{"tag":"<id>"}`, `{"stage":"buyer"}` or a list of stages, `{"attribute":"pregnancy_week","op":">=","value":20}`,
    /// `{"region":{"province":…,"city":…}}`, `{"keyword":"price","window":"7d","op":">=","value":1}`,
    /// `{"calendar":{"days":"workday|holiday|weekend","months":[…],"hours":[20,24]}}`, `{"changed":"orders.count.ever"}`. What is not known
    /// stands in no relation. `changed` and `hours` speak of an event that changes a feature of the rule, and hold for that moment.
    #[schema(value_type = Object)]
    condition: serde_json::Value,
    /// What follows when it comes to hold.
    effects: Vec<Effect>,
}

fn unfit(mistake: &Mistake) -> Problem {
    Problem::unprocessable("rule-unfit", mistake.to_string()).with("path", mistake.path.clone())
}

/// Checks a condition: its form, and that its tags exist.
pub fn check_condition(tx: &Tx<'_>, json: &serde_json::Value) -> Result<crate::rule::Condition, Problem> {
    let condition = parse::condition(json).map_err(|mistake| unfit(&mistake))?;
    for tag in condition.tags() {
        check_tag(tx, tag, "condition")?;
    }
    Ok(condition)
}

fn check_tag(tx: &Tx<'_>, tag: TagId, path: &str) -> Result<(), Problem> {
    match group::tag(tx, tag)? {
        Some(_) => Ok(()),
        None => Err(unfit(&Mistake { path: path.to_owned(), what: format!("there is no tag {tag}") })),
    }
}

/// Checks what a rule says; gives it as it is stored.
pub fn checked(tx: &Tx<'_>, condition: serde_json::Value, effects: Vec<Effect>) -> Result<String, Problem> {
    let read = check_condition(tx, &condition)?;
    check_effects(&effects, &read).map_err(|mistake| unfit(&mistake))?;
    for (number, effect) in effects.iter().enumerate() {
        for tag in effect.add_tag.iter().chain(&effect.remove_tag) {
            check_tag(tx, *tag, &format!("effects[{number}]"))?;
        }
    }
    Ok(store::json(&Definition { condition, effects })?)
}

fn view(tx: &Tx<'_>, id: RuleId) -> Result<RuleView, Problem> {
    let row = rules::rule(tx, id)?.ok_or_else(|| Problem::not_found("there is no such rule"))?;
    Ok(RuleView::read(&row)?)
}

/// Rules, oldest first.
#[utoipa::path(get, path = "/v1/tag-rules", params(PageQuery), security(("token" = ["rules:read"])), responses(
    (status = 200, description = "One page of rules", body = Page<RuleView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<RulesRead>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<RuleView>>, Problem> {
    let rows = |tx: &Tx<'_>, after: Option<String>, most| rules::rules(tx, after.as_deref(), most);
    page::list(&app, &cx, &query, rows, RuleView::read, |view| view.id.to_string()).await.map(Json)
}

/// One rule, with the progress of its back-fill.
#[utoipa::path(get, path = "/v1/tag-rules/{id}", params(("id" = RuleId, Path, description = "The rule")),
    security(("token" = ["rules:read"])), responses(
    (status = 200, description = "The rule", body = RuleView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such rule", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    _caller: Caller<RulesRead>,
    Path(id): Path<RuleId>,
) -> Result<Json<RuleView>, Problem> {
    app.db().read(&cx, |tx| view(tx, id)).await.map(Json)
}

/// Drafts a rule. It does nothing until it is activated.
#[utoipa::path(post, path = "/v1/tag-rules", request_body = RuleBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours")),
    security(("token" = ["rules:write"])), responses(
    (status = 201, description = "The rule, drafted", body = RuleView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "The rule is unfit: `path` names the place; or the key was used for another request", body = Problem),
))]
pub async fn create(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<RulesWrite>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    seen::all_stores(&caller)?;
    let new: RuleBody = extract::json(&body)?;
    let name = seen::name(&new.name)?;
    write_once(&app, &cx, caller, key, &body, move |tx, caller| {
        let definition = checked(tx, new.condition, new.effects)?;
        let id = RuleId::new(tx.cx().now, host::unique());
        if !rules::add_rule(tx, id, &name)? {
            return Err(seen::name_taken(&name));
        }
        rules::draft(tx, id, &definition, &caller.actor)?;
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::CREATED, &view(tx, id)?)
    })
    .await
}

/// Changes a rule's draft, or drafts a new version. What is active stays so until the draft is activated.
#[utoipa::path(put, path = "/v1/tag-rules/{id}", request_body = RuleBody, params(("id" = RuleId, Path, description = "The rule")),
    security(("token" = ["rules:write"])), responses(
    (status = 200, description = "The rule", body = RuleView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such rule", body = Problem),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "The rule is unfit: `path` names the place", body = Problem),
))]
pub async fn change(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<RulesWrite>,
    Path(id): Path<RuleId>,
    extract::Json(body): extract::Json<RuleBody>,
) -> Result<Json<RuleView>, Problem> {
    seen::all_stores(&caller)?;
    let name = seen::name(&body.name)?;
    app.db()
        .write(&cx, move |tx| {
            view(tx, id)?;
            let definition = checked(tx, body.condition, body.effects)?;
            if !rules::rename(tx, id, &name)? {
                return Err(seen::name_taken(&name));
            }
            rules::draft(tx, id, &definition, &caller.actor)?;
            audit::done(tx, &caller, &id.to_string())?;
            view(tx, id).map(Json)
        })
        .await
}

/// Has the log tell, at once, that a rule or a segment is to be put to work or out of it.
pub fn start_backfill(tx: &Tx<'_>, rule_id: Option<RuleId>, segment_id: Option<SegmentId>) -> Result<(), DbError> {
    let id = rule_id.map(|id| id.to_string()).or(segment_id.map(|id| id.to_string())).unwrap_or_default();
    rounds::schedule(tx, tx.cx().now, &id, BackfillDue { v: Version, rule_id, segment_id, tag_id: None })
}

/// Activates a rule's draft. It is at work from the next second on; all customers are looked at in the background, in batches, without
/// raising events. Rules that feed each other through tags are refused.
#[utoipa::path(post, path = "/v1/tag-rules/{id}/activate", params(
        ("id" = RuleId, Path, description = "The rule"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["rules:write"])), responses(
    (status = 202, description = "The rule", body = RuleView),
    (status = 400, description = "The key is unfit", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such rule", body = Problem),
    (status = 409, description = "There is no draft, or the rule would feed itself", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn activate(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<RulesWrite>,
    Path(id): Path<RuleId>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    seen::all_stores(&caller)?;
    write_once(&app, &cx, caller, key, id.to_string().as_bytes(), move |tx, caller| {
        let known = view(tx, id)?;
        let no_draft = || Problem::conflict("no-draft", "the rule has no draft: PUT what is to be activated");
        let draft = known.draft.ok_or_else(no_draft)?;
        check_cycle(tx, id, &known.name, Definition { condition: draft.condition, effects: draft.effects })?;
        if !rules::activate(tx, id)? {
            return Err(no_draft());
        }
        start_backfill(tx, Some(id), None)?;
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::ACCEPTED, &view(tx, id)?)
    })
    .await
}

fn check_cycle(tx: &Tx<'_>, id: RuleId, name: &str, definition: Definition) -> Result<(), Problem> {
    let mut links = vec![link(tx, name.to_owned(), definition)?];
    for row in rules::active_but(tx, id)? {
        links.push(link(tx, row.get("name")?, row.json("definition")?)?);
    }
    match cycle(&links) {
        None => Ok(()),
        Some(names) => {
            let chain = names.join(" → ");
            Err(Problem::conflict("rules-feed-each-other", format!("through their tags: {chain}. Change one of them")))
        }
    }
}

/// A rule by name, the tags that it mentions, and those that it gives or takes; in a group that allows one tag, those are all.
fn link(tx: &Tx<'_>, name: String, definition: Definition) -> Result<(String, Vec<TagId>, Vec<TagId>), Problem> {
    let asks = parse::condition(&definition.condition).map_err(|mistake| unfit(&mistake))?.tags();
    let mut gives = Vec::new();
    for tag in definition.effects.iter().flat_map(|effect| effect.add_tag.iter().chain(&effect.remove_tag)) {
        gives.push(*tag);
        gives.extend(store::tag::rivals(tx, *tag)?);
    }
    Ok((name, asks, gives))
}

/// Retires a rule. Tags that it gave for as long as it held go, in the background; others stay.
#[utoipa::path(post, path = "/v1/tag-rules/{id}/retire", params(
        ("id" = RuleId, Path, description = "The rule"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["rules:write"])), responses(
    (status = 202, description = "The rule", body = RuleView),
    (status = 400, description = "The key is unfit", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such rule", body = Problem),
    (status = 409, description = "The rule is not active", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn retire(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<RulesWrite>,
    Path(id): Path<RuleId>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    seen::all_stores(&caller)?;
    let request = format!("retire {id}");
    write_once(&app, &cx, caller, key, request.as_bytes(), move |tx, caller| {
        view(tx, id)?;
        if !rules::retire(tx, id)? {
            return Err(Problem::conflict("not-active", "the rule is not active"));
        }
        start_backfill(tx, Some(id), None)?;
        audit::done(tx, caller, &id.to_string())?;
        Answer::json(StatusCode::ACCEPTED, &view(tx, id)?)
    })
    .await
}
