//! What tagging knows of a customer, asked over service chaining.

use bytes::Bytes;
use domain::CustomerId;
use http::Request;
use kit::{App, Cx};
use serde_json::Value;
use std::time::Duration;

/// A portrait is worth this wait and no longer.
const LIMIT: Duration = Duration::from_secs(2);

/// Tags and features of a customer; nothing while tagging does not answer.
pub async fn portrait(app: &App, cx: &Cx, id: CustomerId) -> Option<Value> {
    let request = Request::get(format!("http://tagging.spin.internal/portrait/{id}"))
        .header("traceparent", cx.traceparent())
        .body(Bytes::new())
        .ok()?;
    match app.client().send(request, LIMIT).await {
        Ok(answer) if answer.status().is_success() => serde_json::from_slice(answer.body()).ok(),
        Ok(answer) => {
            tracing::warn!(status = %answer.status(), "tagging does not know the customer's portrait");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "tagging does not answer");
            None
        }
    }
}
