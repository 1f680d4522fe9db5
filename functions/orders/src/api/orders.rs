//! Orders to read.

use super::view::{HistoryEntry, OrderView, OrderWithHistory, RefundView};
use super::{OrdersRead, seen};
use crate::store::{self, Filter, Mark};
use axum::Json;
use axum::extract::State;
use domain::{OrderId, OrderStatus, Platform, UnixMs};
use kit::auth::Caller;
use kit::extract::{Path, Query};
use kit::page::{self, Page};
use kit::{App, Cx, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which orders to list. Conditions narrow each other.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Placed on this platform.
    platform: Option<Platform>,
    /// Placed in this shop.
    shop: Option<String>,
    /// In this status now.
    status: Option<OrderStatus>,
    /// Placed at or after this time, RFC 3339.
    from: Option<UnixMs>,
    /// Placed before this time, RFC 3339.
    to: Option<UnixMs>,
    /// Bought by who has this identity (its value: a platform's id, or a keyed hash).
    identity: Option<String>,
    /// Items a page, 1 to 500; 50 unless given.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Orders, newest first.
#[utoipa::path(get, path = "/v1/orders", params(ListQuery), security(("token" = ["orders:read"])), responses(
    (status = 200, description = "One page of orders", body = Page<OrderView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<OrdersRead>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<OrderView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let filter = Filter {
        platform: query.platform,
        shop: query.shop,
        status: query.status,
        from: query.from,
        to: query.to,
        identity: query.identity,
        store: caller.store.as_str().to_owned(),
        after: page::read::<Mark>(query.cursor.as_deref())?,
    };
    let found = app.db().read(&cx, |tx| store::list(tx, &filter, limit + 1)).await.map_err(Problem::from)?;
    let orders = found.iter().map(OrderView::new).collect();
    Ok(Json(Page::new(orders, limit, |order: &OrderView| Mark { placed_at: order.placed_at.millis(), id: order.id })))
}

/// One order with its refunds and its history.
#[utoipa::path(get, path = "/v1/orders/{id}", params(("id" = OrderId, Path, description = "Its id in our books")),
    security(("token" = ["orders:read"])), responses(
    (status = 200, description = "The order", body = OrderWithHistory),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such order among those that the caller may see", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<OrdersRead>,
    Path(id): Path<OrderId>,
) -> Result<Json<OrderWithHistory>, Problem> {
    app.db()
        .read(&cx, |tx| {
            let listed = seen::order(tx, &caller.store, id)?;
            let refunds = store::refunds(tx, id)?;
            let history = store::history(tx, id)?;
            Ok(Json(OrderWithHistory {
                order: OrderView::new(&listed),
                refunds: refunds.iter().map(|refund| RefundView::new(refund, &listed.known)).collect(),
                history: history
                    .into_iter()
                    .map(|event| HistoryEntry { seq: event.seq, id: event.id, kind: event.type_name, time: event.time })
                    .collect(),
            }))
        })
        .await
}
