//! A customer's tags, with reasons.

use super::{TagsRead, seen};
use crate::engine::Carried;
use crate::rule::Seen;
use crate::store::customer::Person;
use crate::store::group;
use axum::Json;
use axum::extract::State;
use domain::day;
use domain::{CustomerId, EventId, RuleId, TagGroupId, TagId, UnixMs};
use kit::auth::Caller;
use kit::db::Row;
use kit::extract::Path;
use kit::{App, Cx, DbError, Problem, Tx};
use serde::Serialize;
use utoipa::ToSchema;

/// A tag that a customer has.
#[derive(Debug, Serialize, ToSchema)]
pub struct CarriedView {
    /// The tag.
    id: TagId,
    /// Its name.
    name: String,
    /// Its group.
    group_id: TagGroupId,
    /// The group's name.
    group: String,
    /// The group's colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    colour: Option<String>,
    /// Why the customer has it.
    reasons: Vec<ReasonView>,
}

/// Why a customer has a tag.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonView {
    /// The person who gave it (a token's id); absent where a rule did.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// The rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_id: Option<RuleId>,
    /// The rule's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// The rule's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// The event at which it was given.
    event_id: EventId,
    /// When it was given.
    since: UnixMs,
    /// When it is gone; absent where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<UnixMs>,
    /// What the rule asked then, and what it saw.
    seen: Vec<Seen>,
}

impl ReasonView {
    fn read(row: &Row) -> Result<Self, DbError> {
        let until: Option<i64> = row.get("until")?;
        let until = until.and_then(|until| day::Day::try_from(until).ok()).and_then(|until| day::start(until).ok());
        let rule: String = row.get("rule")?;
        Ok(Self {
            by: row.get("by")?,
            rule_id: rule.parse().ok(),
            rule: row.get("rule_name")?,
            version: row.get("version")?,
            event_id: row.parse("event")?,
            since: row.instant("since")?,
            expires_at: until,
            seen: row.json("seen")?,
        })
    }
}

/// The tags of a customer and all who are part of it.
pub fn carried(tx: &Tx<'_>, group: &[Person]) -> Result<Vec<CarriedView>, DbError> {
    let ids: Vec<&str> = group.iter().map(|person| person.id.as_str()).collect();
    let today = day::of(tx.cx().now);
    let tags = Carried::load(tx, &ids)?.on(today).tags();
    let mut views: Vec<CarriedView> = Vec::new();
    for row in group::explained(tx, &ids)? {
        let id: TagId = row.parse("tag")?;
        let gone = row.get::<Option<i64>>("until")?.is_some_and(|until| until <= i64::from(today));
        if !tags.contains(&id) || gone || !row.get::<bool>("present")? {
            continue;
        }
        let reason = ReasonView::read(&row)?;
        match views.last_mut().filter(|view| view.id == id) {
            Some(view) => view.reasons.push(reason),
            None => views.push(CarriedView {
                id,
                name: row.get("name")?,
                group_id: row.parse("group_id")?,
                group: row.get("group_name")?,
                colour: row.get("colour")?,
                reasons: vec![reason],
            }),
        }
    }
    Ok(views)
}

/// A customer's tags, each with all reasons for it: who, or which rule and version, at which event, and what the rule saw.
#[utoipa::path(get, path = "/v1/customers/{id}/tags", params(("id" = CustomerId, Path, description = "The customer")),
    security(("token" = ["tags:read"])), responses(
    (status = 200, description = "The tags", body = Vec<CarriedView>),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
))]
pub async fn tags(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<TagsRead>,
    Path(id): Path<CustomerId>,
) -> Result<Json<Vec<CarriedView>>, Problem> {
    let read = |tx: &Tx<'_>| -> Result<_, Problem> { Ok(carried(tx, &seen::customer(tx, &caller, id)?)?) };
    app.db().read(&cx, read).await.map(Json)
}
