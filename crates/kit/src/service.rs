//! The component's entry point, and what every router has.

use crate::Problem;
use axum::Router;
use axum::routing::get;
use http::{StatusCode, header};

/// Makes a function's router a component: `kit::service!(crate::router, crate::variables)`. The second is a function that names
/// the variables that the function reads. Outside Wasm it does nothing.
#[macro_export]
macro_rules! service {
    ($router:path, $variables:path) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs, clippy::as_conversions)]
        mod component {
            use $crate::component::wasip3;

            struct Component;

            impl wasip3::exports::http::handler::Guest for Component {
                async fn handle(
                    request: wasip3::http::types::Request,
                ) -> Result<wasip3::http::types::Response, wasip3::http::types::ErrorCode> {
                    $crate::component::handle(request, $variables, $router).await
                }
            }

            wasip3::http::service::export!(Component with_types_in $crate::component::wasip3);
        }
    };
}

/// What every router has besides its routes: problems for what it does not have.
pub fn complete<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes.fallback(async || Problem::not_found("no such path: see /v1/openapi.json")).method_not_allowed_fallback(
        async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "the path has other methods: see /v1/openapi.json",
            )
        },
    )
}

/// The function's own OpenAPI document at `/v1/openapi.json`: the text that [`crate::openapi::is_current`] keeps.
pub fn description<S: Clone + Send + Sync + 'static>(document: &'static str) -> Router<S> {
    let json = [(header::CONTENT_TYPE, "application/json")];
    Router::new().route("/v1/openapi.json", get(async move || (json, document)))
}
