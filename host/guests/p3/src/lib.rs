//! A guest for the host's tests: each path is one way for a component to behave, or to misbehave.
//!
//! It is a WASI 0.3 component, built like the functions, and serves many requests at once.

mod answer;
mod bindings;
mod hostile;
mod outgoing;
mod plain;
mod script;
mod stores;

use http::{Method, Request};
use wasip3::http::types;
use wasip3::http_compat::{IncomingRequestBody, http_from_wasi_request, http_into_wasi_response};

use answer::{Answer, Problem};

struct Guest;

wasip3::http::service::export!(Guest with_types_in wasip3);

impl wasip3::exports::http::handler::Guest for Guest {
    async fn handle(request: types::Request) -> Result<types::Response, types::ErrorCode> {
        let request = http_from_wasi_request(request)?;
        http_into_wasi_response(route(request).await.unwrap_or_else(Problem::into_answer))
    }
}

async fn route(request: Request<IncomingRequestBody>) -> Result<Answer, Problem> {
    // A route may have a prefix; what comes after it is the behaviour.
    let after_prefix = request.headers().get("spin-path-info").and_then(|path| path.to_str().ok());
    let path = after_prefix.unwrap_or(request.uri().path()).to_owned();
    let argument = request.uri().query().unwrap_or_default().to_owned();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (request.method(), parts.as_slice()) {
        (_, ["hello"]) => Ok(answer::text("hello\n")),
        (_, ["echo"]) => Ok(plain::echo(request)),
        (_, ["headers"]) => Ok(plain::headers(&request)),
        (_, ["environment"]) => Ok(plain::environment()),
        (_, ["instance"]) => Ok(plain::instance()),
        (_, ["output"]) => Ok(plain::output()),
        (_, ["sleep"]) => plain::sleep(&argument).await,
        (_, ["meet"]) => plain::meet().await,
        (&Method::POST, ["tick"]) => Ok(plain::tick().await),
        (_, ["ticks"]) => Ok(plain::ticks()),
        (_, ["variable"]) => stores::variable(argument).await,
        (&Method::GET, ["kv", store]) => stores::keys(store).await,
        (&Method::GET, ["kv", store, key]) => stores::get(store, key).await,
        (&Method::PUT, ["kv", store, key]) => stores::set(store, key, request).await,
        (&Method::DELETE, ["kv", store, key]) => stores::delete(store, key).await,
        (&Method::POST, ["script", database]) => script::run(database, request).await,
        (_, ["fetch"]) => outgoing::fetch(&argument).await,
        (_, ["afterwards"]) => Ok(outgoing::afterwards(argument)),
        (_, ["loop"]) => hostile::endless_loop(),
        (_, ["memory"]) => Ok(hostile::memory_hog()),
        (_, ["huge"]) => Ok(hostile::huge_response()),
        (_, ["trap"]) => hostile::trap(),
        (_, ["hang"]) => hostile::hang().await,
        _ => Err(Problem::NotFound),
    }
}
