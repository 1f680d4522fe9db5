//! A person's rights: a copy of what is known, and to be forgotten (Personal Information Protection Law, articles 45 and 47).

use super::membership::view::{EntryView, MemberView};
use super::{CustomersPrivacy, seen};
use crate::SOURCE;
use crate::State as Shared;
use crate::store::membership::points;
use crate::store::{privacy, view};
use axum::Json;
use axum::extract::State;
use domain::{CustomerErased, CustomerId, Event, Version};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::Path;
use kit::{Cx, Problem, Tx, audit, events};
use serde_json::{Value, json};

/// Everything that is known of one person, in clear: for the person, and for nobody else. `tags` and `features` are null while tagging does not answer: ask again.
#[utoipa::path(get, path = "/v1/customers/{id}/export", params(("id" = CustomerId, Path, description = "Its id, or one that it once had")),
    security(("token" = ["customers:privacy"])), responses(
    (status = 200, description = "What is known, in clear, by table", body = Object),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 503, description = "`data_key` is missing", body = Problem),
))]
pub async fn export(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersPrivacy>,
    Path(id): Path<CustomerId>,
) -> Result<Json<Value>, Problem> {
    let vault = shared.settings.vault.as_ref()?.clone();
    // A write, since that somebody looked is written down.
    let write = move |tx: &Tx<'_>| {
        let listed = seen::customer(tx, &caller, id)?;
        audit::done(tx, &caller, &listed.id.to_string())?;
        let mut copy = privacy::export(tx, &vault, listed.id)?;
        let points = points::entries(tx, listed.id, None, u32::MAX)?.into_iter().map(EntryView::new);
        copy["membership"] = json!(MemberView::read(tx, &vault, &listed)?);
        copy["points"] = json!(points.collect::<Vec<_>>());
        Ok::<_, Problem>((listed.id, copy))
    };
    let (id, mut copy) = shared.app.db().write(&cx, write).await?;
    let tagged = crate::tagging::portrait(&shared.app, &cx, id).await.unwrap_or_default();
    copy["tags"] = tagged["tags"].clone();
    copy["features"] = tagged["features"].clone();
    Ok(Json(copy))
}

/// Erases what is personal of one customer: name, phone, what was said, the profile, and by which ids the person is recognised. Figures stay. Who
/// comes again is a new customer. It cannot be undone.
#[utoipa::path(post, path = "/v1/customers/{id}/erase", params(("id" = CustomerId, Path, description = "Its id, or one that it once had")),
    security(("token" = ["customers:privacy"])), responses(
    (status = 204, description = "Erased, or it was before"),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
))]
pub async fn erase(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersPrivacy>,
    Path(id): Path<CustomerId>,
) -> Result<StatusCode, Problem> {
    let write = move |tx: &Tx<'_>| {
        let listed = seen::customer(tx, &caller, id)?;
        if listed.erased_at.is_none() {
            let (customer_id, at) = (listed.id, tx.cx().now);
            let order_ids = view::order_ids(tx, customer_id)?;
            privacy::erase(tx, customer_id)?;
            let event = CustomerErased { v: Version, customer_id, order_ids, at };
            events::append(tx, SOURCE, &customer_id.to_string(), &Event::CustomerErased(event))?;
            audit::done(tx, &caller, &customer_id.to_string())?;
        }
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    shared.app.db().write(&cx, write).await
}
