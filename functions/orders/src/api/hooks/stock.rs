//! Documents of the merchant's warehouses.

use crate::State as Shared;
use crate::warehouse::{self, Outcome};
use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use kit::extract::RawBody;
use kit::{Cx, DbError, Problem, inbox};
use platforms::warehouse as form;
use serde::Serialize;
use utoipa::ToSchema;

/// The source of what cannot be used, in quarantine.
const SOURCE: &str = "warehouse";

/// What a warehouse hears.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentTaken {
    /// `booked`; `noted` for a document that changes nothing here: goods that left with an order, which the order books, and
    /// goods of an after-sale case that had been confirmed before; `duplicate` for one that was taken before.
    status: &'static str,
    /// SKUs of it whose stock is not kept (`PUT /v1/stock/{sku}` begins to): nothing was booked for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_kept: Vec<String>,
}

impl From<Outcome> for DocumentTaken {
    fn from(outcome: Outcome) -> Self {
        let (status, not_kept) = match outcome {
            Outcome::Booked(not_kept) => ("booked", not_kept),
            Outcome::Noted => ("noted", Vec::new()),
            Outcome::Duplicate => ("duplicate", Vec::new()),
        };
        Self { status, not_kept }
    }
}

/// A document of a warehouse (WMS), signed by Standard Webhooks 1.0.0: goods that came in or left. It counts once, and as a whole
/// or not at all. Where more has left than is free, the newest orders' pieces are no longer promised.
#[utoipa::path(post, path = "/hooks/stock", request_body = form::Message,
    params(
        ("webhook-id" = String, Header, description = "The message's id, the same on every attempt"),
        ("webhook-timestamp" = String, Header, description = "Unix seconds of this attempt, within 5 minutes"),
        ("webhook-signature" = String, Header, description = "`v1,` and Base64 of HMAC-SHA-256 over `id.timestamp.body`"),
    ),
    responses(
    (status = 200, description = "Taken", body = DocumentTaken),
    (status = 401, description = "Not authentic, or too old", body = Problem),
    (status = 409, description = "Another document was taken under its number, or more of a SKU left than there is; the body is kept", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 422, description = "Authentic but not usable: says what to change; the body is kept", body = Problem),
    (status = 503, description = "Not configured, or the database is busy: repeat", body = Problem),
))]
pub async fn document(
    State(shared): State<Shared>,
    cx: Cx,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Json<DocumentTaken>, Problem> {
    super::signed(&shared, &cx, "stock", &headers, &body)?;
    let vault = shared.settings.vault.as_ref()?.clone();
    let taken = match form::decode(&body) {
        Ok(document) => shared.app.db().write(&cx, move |tx| warehouse::take(tx, &document)).await,
        Err(error) => Err(Problem::unprocessable("message-unusable", error.to_string())),
    };
    if let Err(problem) = &taken
        && problem.status().is_client_error()
    {
        // In a write of its own: whatever the document had begun is undone.
        let keep = move |tx: &kit::Tx<'_>| inbox::quarantine(tx, &vault, SOURCE, &body, "cannot be used as it is");
        shared.app.db().write(&cx, keep).await.map_err(|error: DbError| Problem::from(error))?;
    }
    taken.map(|outcome| Json(outcome.into()))
}
