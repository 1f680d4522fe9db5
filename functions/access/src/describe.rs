//! The API's description as a whole: what each function says of itself, put together.

use crate::store;
use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use http::{Method, Request};
use kit::{App, Cx, Problem};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What this function says of itself.
const OWN: &str = include_str!("../openapi.json");
/// Functions that do not consume and have routes all the same.
const OTHERS: [&str; 2] = ["courier", "pump"];
const LIMIT: Duration = Duration::from_secs(5);

/// OpenAPI 3.1 of all functions.
pub async fn whole(State(app): State<App>, cx: Cx) -> Result<Json<Value>, Problem> {
    let consumers = app.db().read(&cx, store::functions).await.map_err(Problem::from)?;
    let mut documents = vec![serde_json::from_str(OWN).map_err(|error| Problem::internal(&error))?];
    for name in consumers.iter().map(String::as_str).chain(OTHERS) {
        documents.push(ask(&app, name).await?);
    }
    Ok(Json(merge(documents)))
}

async fn ask(app: &App, name: &str) -> Result<Value, Problem> {
    let unavailable =
        |error: &dyn std::fmt::Display| Problem::unavailable(format!("{name} does not describe itself: {error}"));
    let request = Request::builder()
        .method(Method::GET)
        .uri(format!("http://{name}.spin.internal/v1/openapi.json"))
        .body(Bytes::new())
        .map_err(|error| unavailable(&error))?;
    let answer = app.client().send(request, LIMIT).await.map_err(|error| unavailable(&error))?;
    serde_json::from_slice(answer.body()).map_err(|error| unavailable(&error))
}

/// One OpenAPI document of many: paths and components side by side. Types that several name are the same type.
pub fn merge(documents: impl IntoIterator<Item = Value>) -> Value {
    let (mut paths, mut components) = (Map::new(), Map::new());
    for mut document in documents {
        if let Value::Object(own) = document["paths"].take() {
            paths.extend(own);
        }
        let Value::Object(kinds) = document["components"].take() else { continue };
        for (kind, own) in kinds {
            let all = components.entry(kind).or_insert_with(|| Value::Object(Map::new()));
            if let (Value::Object(all), Value::Object(own)) = (all, own) {
                all.extend(own);
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Siyu",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A social CRM. Money is integer fen, times are RFC 3339, errors are RFC 9457 problems.",
        },
        "paths": paths,
        "components": components,
    })
}
