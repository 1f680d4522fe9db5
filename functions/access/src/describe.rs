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
    let own = serde_json::from_str(OWN).map_err(|error| Problem::internal(&error))?;
    let mut documents = vec![("access".to_owned(), own)];
    for name in consumers.iter().map(String::as_str).chain(OTHERS) {
        documents.push((name.to_owned(), ask(&app, name).await?));
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

/// One OpenAPI document of many: paths and components side by side. Where two functions have different types of one name, the later one's is named
/// after its function.
pub fn merge(documents: impl IntoIterator<Item = (String, Value)>) -> Value {
    let (mut paths, mut components) = (Map::new(), Map::new());
    for (function, mut document) in documents {
        name_apart(&mut document, &function, components.get("schemas"));
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

/// Renames types whose names others have for something else. A type that names a renamed one is another type by that, so this goes on until nothing
/// changes.
fn name_apart(document: &mut Value, function: &str, known: Option<&Value>) {
    let Some(known) = known.and_then(Value::as_object) else { return };
    while let Some(taken) = first_taken(document, known) {
        let own = format!("{function}_{taken}");
        refer(document, &reference(&taken), &reference(&own));
        if let Some(schemas) = document["components"]["schemas"].as_object_mut()
            && let Some(schema) = schemas.remove(&taken)
        {
            schemas.insert(own, schema);
        }
    }
}

fn first_taken(document: &Value, known: &Map<String, Value>) -> Option<String> {
    let own = document["components"]["schemas"].as_object()?;
    own.iter()
        .find(|(name, schema)| known.get(*name).is_some_and(|other| other != *schema))
        .map(|(name, _)| name.clone())
}

fn reference(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

fn refer(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::String(text) if text == old => new.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, old, new)),
        Value::Object(fields) => fields.values_mut().for_each(|field| refer(field, old, new)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(path: &str, schemas: &Value) -> Value {
        let body = json!({ "$ref": "#/components/schemas/List" });
        json!({ "paths": { path: { "get": { "schema": body } } }, "components": { "schemas": schemas } })
    }

    /// The same type keeps one name; another type of a name that is taken gets its function's, and so does what names it.
    #[test]
    fn types_of_one_name_are_told_apart() {
        let list = json!({ "items": { "$ref": "#/components/schemas/Place" } });
        let shared = json!({ "type": "object", "title": "problem" });
        let first = document("/a", &json!({ "List": list, "Place": { "type": "string" }, "Problem": shared }));
        let second = document("/b", &json!({ "List": list, "Place": { "type": "number" }, "Problem": shared }));
        let merged = merge([("one".to_owned(), first), ("two".to_owned(), second)]);
        let schemas = merged["components"]["schemas"].as_object().unwrap();
        assert_eq!(schemas.keys().collect::<Vec<_>>(), ["List", "Place", "Problem", "two_List", "two_Place"]);
        assert_eq!(merged["paths"]["/a"]["get"]["schema"]["$ref"], "#/components/schemas/List");
        assert_eq!(merged["paths"]["/b"]["get"]["schema"]["$ref"], "#/components/schemas/two_List");
        assert_eq!(schemas["two_List"]["items"]["$ref"], "#/components/schemas/two_Place");
        assert_eq!(schemas["List"]["items"]["$ref"], "#/components/schemas/Place");
    }
}
