//! Rule sets that ship with Siyu.

use super::tags::{MOST_TAGS, defined};
use super::{RulesRead, RulesWrite, rules::checked, seen};
use crate::rule::Effect;
use crate::store::group::{self, NewGroup};
use crate::store::rule as rules;
use axum::Json;
use axum::extract::State;
use domain::{RuleId, TagGroupId, TagId};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::Path;
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::{App, Cx, Problem, Tx, audit, host};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The files, one a set.
const FILES: [&str; 3] = [
    include_str!("../../rules/interest.json"),
    include_str!("../../rules/value.json"),
    include_str!("../../rules/profile.json"),
];

/// A set of rules that ships.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Its name, as in the URL.
    name: String,
    /// What it is for.
    title: String,
    /// Its rules.
    rules: Vec<SeedRule>,
}

/// A rule that ships. Its tags are named, since they have no ids before they are made.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeedRule {
    /// Its name.
    name: String,
    /// The group of the tag that it gives.
    group: String,
    /// Whether a customer has one tag of that group only.
    #[serde(default)]
    single: bool,
    /// The tag that it gives.
    tag: String,
    /// When it holds.
    #[schema(value_type = Object)]
    condition: serde_json::Value,
    /// For how many days the tag is given; until it is taken away unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    for_days: Option<i32>,
    /// Whether the tag goes when the rule no longer holds.
    #[serde(default)]
    while_true: bool,
    /// The name of the event that it raises, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raise: Option<String>,
}

/// What was made of a set.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstalledView {
    /// The rules that were drafted. Those whose names there were already are left as they are.
    drafted: Vec<RuleId>,
}

fn seeds() -> Result<Vec<Seed>, Problem> {
    FILES.iter().map(|file| serde_json::from_str(file).map_err(|error| Problem::internal(&error))).collect()
}

/// The sets that ship.
#[utoipa::path(get, path = "/v1/tag-rules/seeds", security(("token" = ["rules:read"])), responses(
    (status = 200, description = "The sets", body = Vec<Seed>),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(_caller: Caller<RulesRead>) -> Result<Json<Vec<Seed>>, Problem> {
    seeds().map(Json)
}

/// Drafts the rules of a set, and makes the groups and tags that they need. Activate those that you want.
#[utoipa::path(post, path = "/v1/tag-rules/seeds/{name}", params(
        ("name" = String, Path, description = "The set"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is answered as the first, for 24 hours"),
    ), security(("token" = ["rules:write"])), responses(
    (status = 201, description = "What was made", body = InstalledView),
    (status = 400, description = "The key is unfit", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 404, description = "No such set", body = Problem),
    (status = 409, description = "There are 10,000 tags", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
))]
pub async fn install(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<RulesWrite>,
    Path(name): Path<String>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    seen::all_stores(&caller)?;
    let seed = seeds()?.into_iter().find(|seed| seed.name == name);
    let seed = seed.ok_or_else(|| Problem::not_found("there is no such set: GET /v1/tag-rules/seeds lists them"))?;
    write_once(&app, &cx, caller, key, name.as_bytes(), move |tx, caller| {
        let mut drafted = Vec::new();
        for rule in seed.rules {
            let id = RuleId::new(tx.cx().now, host::unique());
            if !rules::add_rule(tx, id, &rule.name)? {
                continue;
            }
            let tag = tag_of(tx, &rule)?;
            let mut effects = vec![Effect {
                add_tag: Some(tag),
                for_days: rule.for_days,
                while_true: rule.while_true,
                ..Effect::default()
            }];
            effects.extend(rule.raise.map(|name| Effect { raise: Some(name), ..Effect::default() }));
            rules::draft(tx, id, &checked(tx, rule.condition, effects)?, &caller.actor)?;
            drafted.push(id);
        }
        audit::done(tx, caller, &seed.name)?;
        Answer::json(StatusCode::CREATED, &InstalledView { drafted })
    })
    .await
}

/// The tag of a rule, made with its group where there is none.
fn tag_of(tx: &Tx<'_>, rule: &SeedRule) -> Result<TagId, Problem> {
    let group = match group::group_named(tx, &rule.group)? {
        Some(group) => group,
        None => {
            let id = TagGroupId::new(tx.cx().now, host::unique());
            group::add_group(tx, id, &NewGroup { name: &rule.group, single: rule.single, colour: None, owner: "/" })?;
            id
        }
    };
    if let Some(tag) = group::tag_named(tx, group, &rule.tag)? {
        return Ok(tag);
    }
    let tag = TagId::new(tx.cx().now, host::unique());
    if group::add_tag(tx, tag, group, &rule.tag, MOST_TAGS)? {
        defined(tx, tag)?;
        return Ok(tag);
    }
    Err(Problem::conflict("too-many-tags", format!("there are {MOST_TAGS} tags: the set needs more")))
}
