//! How many messages a contact may have: the merchant's rule, besides the platform's own.

use super::{MessagesRead, MessagesWrite};
use crate::State as Shared;
use crate::store::{self, MessageRule};
use axum::Json;
use axum::extract::State;
use domain::UnixMs;
use kit::auth::Caller;
use kit::{Cx, Problem, audit, extract};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many messages a contact may have at the most. Contacts beyond it are left out of a message and named in its answer. Days are the
/// merchant's.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageRuleView {
    /// In a calendar month; absent: as many as the month has days.
    per_month: Option<u32>,
    /// In seven days, today and the six before; absent: no limit.
    per_week: Option<u32>,
    /// In a day; absent: no limit.
    per_day: Option<u32>,
    /// When it was changed; absent while it is as it came.
    changed_at: Option<UnixMs>,
}

impl From<MessageRule> for MessageRuleView {
    fn from(rule: MessageRule) -> Self {
        let MessageRule { per_month, per_week, per_day, changed_at } = rule;
        Self { per_month, per_week, per_day, changed_at }
    }
}

/// The rule as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessageRule {
    /// In a calendar month: 0 to 1000; absent: as many as the month has days.
    #[schema(maximum = 1000)]
    per_month: Option<u32>,
    /// In seven days, today and the six before: 0 to 1000; absent: no limit.
    #[schema(maximum = 1000)]
    per_week: Option<u32>,
    /// In a day: 0 to 1000; absent: no limit.
    #[schema(maximum = 1000)]
    per_day: Option<u32>,
}

/// How many messages a contact may have.
#[utoipa::path(get, path = "/v1/message-rule", security(("token" = ["messages:read"])), responses(
    (status = 200, description = "The rule", body = MessageRuleView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    _caller: Caller<MessagesRead>,
) -> Result<Json<MessageRuleView>, Problem> {
    let rule = shared.app.db().read(&cx, store::message_rule).await.map_err(Problem::from)?;
    Ok(Json(rule.into()))
}

/// Changes how many messages a contact may have. What was sent before counts.
#[utoipa::path(put, path = "/v1/message-rule", request_body = NewMessageRule,
    security(("token" = ["messages:write"])), responses(
    (status = 200, description = "The rule", body = MessageRuleView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 422, description = "A number is beyond 1000", body = Problem),
))]
pub async fn change(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<MessagesWrite>,
    extract::Json(asked): extract::Json<NewMessageRule>,
) -> Result<Json<MessageRuleView>, Problem> {
    caller.for_all_stores("messages are limited")?;
    let NewMessageRule { per_month, per_week, per_day } = asked;
    if [per_month, per_week, per_day].into_iter().flatten().any(|number| number > 1000) {
        return Err(Problem::unprocessable("message-rule", "give 0 to 1000, or leave it out"));
    }
    let rule = MessageRule { per_month, per_week, per_day, changed_at: None };
    shared
        .app
        .db()
        .write(&cx, move |tx| {
            store::change_message_rule(tx, &rule)?;
            audit::done(tx, &caller, "message-rule")?;
            Ok(Json(store::message_rule(tx)?.into()))
        })
        .await
}
