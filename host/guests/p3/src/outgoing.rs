//! Calls to elsewhere, during a request and after it.

use http::{Method, Request};
use http_body_util::{BodyExt, Empty};
use wasip3::http::client;
use wasip3::http_compat::{http_from_wasi_response, http_into_wasi_request};

use crate::answer::{Answer, Problem, text};

/// GETs the address and answers with the status and the body that came.
pub async fn fetch(address: &str) -> Result<Answer, Problem> {
    let (status, body) = call(Method::GET, address).await?;
    Ok(text(format!("{status} {body}")))
}

/// Answers first; then POSTs to the address.
pub fn afterwards(address: String) -> Answer {
    wasip3::spawn_local(async move {
        if call(Method::POST, &address).await.is_err() {
            eprintln!("the call after the answer failed");
        }
    });
    text("answered\n")
}

async fn call(method: Method, address: &str) -> Result<(u16, String), Problem> {
    let request = Request::builder().method(method).uri(address);
    let request = request.body(Empty::<bytes::Bytes>::new()).map_err(Problem::refused)?;
    let request = http_into_wasi_request(request).map_err(Problem::refused)?;
    let response = client::send(request).await.map_err(Problem::refused)?;
    let response = http_from_wasi_response(response).map_err(Problem::refused)?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(Problem::refused)?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
