//! Relations of staff with customers.

use super::{CustomersRead, CustomersWrite, seen};
use crate::State as Shared;
use crate::relation::{self, Cause};
use crate::store::relation as store;
use axum::Json;
use axum::extract::State;
use domain::{CustomerId, HandoverId, RelationChange, RelationSide, UnixMs};
use http::StatusCode;
use kit::auth::Caller;
use kit::db::Row;
use kit::extract::{Path, Paths, Query};
use kit::{Cx, DbError, Problem, Tx, audit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A relation of a member of staff with a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct RelationView {
    /// The member of staff.
    pub staff: String,
    /// `added` while it stands, `lost` after that.
    pub state: String,
    /// When it began last.
    pub since: UnixMs,
    /// When it ended.
    pub ended: Option<UnixMs>,
    /// Who ended it: `customer`, `staff`, or `handover` to another member of staff.
    pub ended_by: Option<String>,
}

impl RelationView {
    /// Reads a row.
    ///
    /// # Errors
    /// [`DbError`] where a column is missing.
    pub fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            staff: row.get("staff")?,
            state: row.get("state")?,
            since: row.instant("since")?,
            ended: row.optional_instant("ended")?,
            ended_by: row.get("ended_by")?,
        })
    }
}

/// Something that happened to a relation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeView {
    /// The member of staff.
    pub staff: String,
    /// `added`, `re_added`, `lost`, or `handed_over` to another.
    pub change: String,
    /// Whose doing it was: `customer`, `staff`, `handover`.
    pub by: String,
    /// When.
    pub at: UnixMs,
    /// Who told of it (a token's id).
    pub actor: Option<String>,
    /// The handover that it was part of.
    pub handover_id: Option<HandoverId>,
}

/// A customer's relations.
#[derive(Debug, Serialize, ToSchema)]
pub struct Relations {
    /// One a member of staff, those that stand first, at most 200.
    pub relations: Vec<RelationView>,
    /// What happened to them, newest first, at most 200.
    pub history: Vec<ChangeView>,
}

/// Who has, or had, a relation with a customer.
#[utoipa::path(get, path = "/v1/customers/{id}/relations", params(("id" = CustomerId, Path, description = "Its id, or one that it once had")),
    security(("token" = ["customers:read"])), responses(
    (status = 200, description = "The relations with their history", body = Relations),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
))]
pub async fn list(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersRead>,
    Path(id): Path<CustomerId>,
) -> Result<Json<Relations>, Problem> {
    let read = |tx: &Tx<'_>| {
        let id = seen::customer(tx, &caller, id)?.id;
        let relations = store::of_customer(tx, id)?.iter().map(RelationView::from_row).collect::<Result<_, _>>()?;
        let history = store::history(tx, id)?.iter().map(change_view).collect::<Result<_, _>>()?;
        Ok::<_, Problem>(Json(Relations { relations, history }))
    };
    shared.app.db().read(&cx, read).await
}

fn change_view(row: &Row) -> Result<ChangeView, DbError> {
    let handover: Option<String> = row.get("handover")?;
    Ok(ChangeView {
        staff: row.get("staff")?,
        change: row.get("change")?,
        by: row.get("by")?,
        at: row.instant("at")?,
        actor: row.get("actor")?,
        handover_id: handover
            .map(|id| id.parse())
            .transpose()
            .map_err(|_| DbError::Shape("handover is no id".to_owned()))?,
    })
}

/// Whose doing it is.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The customer's.
    Customer,
    /// The member of staff's.
    Staff,
}

impl From<Side> for RelationSide {
    fn from(side: Side) -> Self {
        match side {
            Side::Customer => Self::Customer,
            Side::Staff => Self::Staff,
        }
    }
}

/// Whose doing the beginning of a relation is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AddQuery {
    /// Who added the other: `customer` or `staff`; `customer` unless given.
    by: Option<Side>,
}

/// Whose doing the end of a relation is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EndQuery {
    /// Who removed the other: `customer` or `staff`.
    by: Side,
}

/// What a relation is after the call.
#[derive(Debug, Serialize, ToSchema)]
pub struct Began {
    /// `added`, or `re_added` where it had ended; absent where it stood already.
    pub change: Option<RelationChange>,
}

/// A customer and a member of staff have added each other. Where they had already, nothing changes. The first to know a customer becomes its advisor.
#[utoipa::path(put, path = "/v1/customers/{id}/relations/{staff}",
    params(("id" = CustomerId, Path, description = "Its id, or one that it once had"), ("staff" = String, Path, description = "The merchant's number of the member of staff"), AddQuery),
    security(("token" = ["customers:write"])), responses(
    (status = 200, description = "It stands", body = Began),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for another member of staff", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 409, description = "The customer's personal data were erased", body = Problem),
    (status = 422, description = "The number is not usable", body = Problem),
))]
pub async fn add(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersWrite>,
    Paths(id, staff): Paths<CustomerId, String>,
    Query(query): Query<AddQuery>,
) -> Result<Json<Began>, Problem> {
    seen::staff(&staff)?;
    seen::acts_as(&caller, &staff)?;
    let write = move |tx: &Tx<'_>| {
        let listed = seen::customer(tx, &caller, id)?;
        if listed.erased_at.is_some() {
            return Err(Problem::conflict(
                "erased",
                "the customer's personal data were erased: who comes again is new",
            ));
        }
        let by = query.by.unwrap_or(Side::Customer).into();
        let cause = Cause { by, at: tx.cx().now, actor: Some(&caller.actor), handover: None };
        let change = relation::begin(tx, listed.id, &staff, cause)?;
        if change.is_some() {
            audit::done(tx, &caller, &listed.id.to_string())?;
        }
        Ok(Json(Began { change }))
    };
    shared.app.db().write(&cx, write).await
}

/// A customer and a member of staff know each other no more. Where nobody else knows the customer, it is lost. What has ended does not end again.
#[utoipa::path(delete, path = "/v1/customers/{id}/relations/{staff}",
    params(("id" = CustomerId, Path, description = "Its id, or one that it once had"), ("staff" = String, Path, description = "The merchant's number of the member of staff"), EndQuery),
    security(("token" = ["customers:write"])), responses(
    (status = 204, description = "It has ended"),
    (status = 400, description = "`by` is missing, or the query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is for another member of staff", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see, or never such a relation", body = Problem),
))]
pub async fn end(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersWrite>,
    Paths(id, staff): Paths<CustomerId, String>,
    Query(query): Query<EndQuery>,
) -> Result<StatusCode, Problem> {
    seen::acts_as(&caller, &staff)?;
    let write = move |tx: &Tx<'_>| {
        let id = seen::customer(tx, &caller, id)?.id;
        if store::known(tx, id, &staff)? == relation::Known::Never {
            return Err(Problem::not_found(format!("{staff} never had a relation with this customer")));
        }
        let cause = Cause { by: query.by.into(), at: tx.cx().now, actor: Some(&caller.actor), handover: None };
        if relation::end(tx, id, &staff, cause)? {
            audit::done(tx, &caller, &id.to_string())?;
        }
        Ok(StatusCode::NO_CONTENT)
    };
    shared.app.db().write(&cx, write).await
}
