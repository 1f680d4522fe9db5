//! By which channels a customer came.

use super::ChannelsRead;
use crate::store::touch::{self, Mark};
use axum::Json;
use axum::extract::State;
use domain::day::{self, Day};
use domain::{CustomerId, UnixMs};
use kit::auth::Caller;
use kit::db::Row;
use kit::extract::Query;
use kit::page::{self, Page};
use kit::{App, Cx, DbError, Problem, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A touch: a customer came by a channel (触点).
#[derive(Debug, Serialize, ToSchema)]
pub struct TouchView {
    /// The channel.
    channel: String,
    /// The channel code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The store.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    /// The member of staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    staff: Option<String>,
    /// The first time.
    at: UnixMs,
    /// When the customer first became a contact, a follower or a member of a group by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    added_at: Option<UnixMs>,
    /// The day, `YYYY-MM-DD`, on which the customer first wrote after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    replied_day: Option<String>,
    /// The day on which the customer left, while it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_day: Option<String>,
    #[serde(skip)]
    id: i64,
}

impl TouchView {
    fn read(row: &Row) -> Result<Self, DbError> {
        let way = touch::way(row)?;
        let date = |column: &str| {
            let day = row.get::<Option<i64>>(column)?.and_then(|day| Day::try_from(day).ok());
            Ok::<_, DbError>(day.and_then(day::date_of).map(|date| date.to_string()))
        };
        Ok(Self {
            channel: way.channel,
            code: way.code,
            store: way.store,
            staff: way.staff,
            at: row.instant("at")?,
            added_at: row.optional_instant("added_at")?,
            replied_day: date("replied_day")?,
            lost_day: date("lost_day")?,
            id: row.get("id")?,
        })
    }
}

/// Whose touches.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TouchesQuery {
    /// The customer.
    customer: CustomerId,
    /// Items a page, 1 to 500; 50 unless given.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// By which channels a customer came, newest first: one item for each code (or channel) and member of staff, however often it came by them. Callers of a part
/// of the stores see that part, members of staff their own.
#[utoipa::path(get, path = "/v1/channels/touches", params(TouchesQuery), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "One page of touches", body = Page<TouchView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Query(query): Query<TouchesQuery>,
) -> Result<Json<Page<TouchView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<Mark>(query.cursor.as_deref())?;
    let read = |tx: &Tx<'_>| {
        let person = touch::survivor(tx, query.customer)?.to_string();
        let staff = caller.staff.as_deref();
        let rows = touch::list(tx, &person, caller.store.as_str(), staff, after, limit.saturating_add(1))?;
        rows.iter().map(TouchView::read).collect::<Result<Vec<_>, DbError>>()
    };
    let touches = app.db().read(&cx, read).await.map_err(Problem::from)?;
    Ok(Json(Page::new(touches, limit, |view| Mark { at: view.at.millis(), id: view.id })))
}
