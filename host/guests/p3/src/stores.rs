//! Variables and key-value stores.

use http::Request;
use http_body_util::BodyExt;
use wasip3::http_compat::IncomingRequestBody;

use crate::answer::{Answer, Problem, text};
use crate::bindings::spin::key_value::key_value::Store;
use crate::bindings::spin::variables::variables;

/// The variable's value.
pub async fn variable(name: String) -> Result<Answer, Problem> {
    Ok(text(variables::get(name).await.map_err(Problem::refused)?))
}

/// The value of a key.
pub async fn get(store: &str, key: &str) -> Result<Answer, Problem> {
    let value = open(store).await?.get(key.to_owned()).await.map_err(Problem::refused)?;
    value.map(text).ok_or(Problem::NotFound)
}

/// Gives a key the request's body as its value.
pub async fn set(store: &str, key: &str, request: Request<IncomingRequestBody>) -> Result<Answer, Problem> {
    let value = request.into_body().collect().await.map_err(Problem::refused)?.to_bytes();
    let store = open(store).await?;
    store.set(key.to_owned(), value.to_vec()).await.map_err(Problem::refused)?;
    Ok(text(""))
}

/// Takes a key out; says whether it was there.
pub async fn delete(store: &str, key: &str) -> Result<Answer, Problem> {
    let store = open(store).await?;
    let was_there = store.exists(key.to_owned()).await.map_err(Problem::refused)?;
    store.delete(key.to_owned()).await.map_err(Problem::refused)?;
    Ok(text(format!("{was_there}\n")))
}

/// The keys of a store, one a line.
pub async fn keys(store: &str) -> Result<Answer, Problem> {
    let (keys, result) = open(store).await?.get_keys().await;
    let mut keys = keys.collect().await;
    result.await.map_err(Problem::refused)?;
    keys.sort();
    Ok(text(keys.join("\n")))
}

async fn open(label: &str) -> Result<Store, Problem> {
    Store::open(label.to_owned()).await.map_err(Problem::refused)
}
