//! The component's entry point, and what every router has.

use crate::Problem;
use axum::Router;
use axum::routing::get;
use http::StatusCode;

/// Makes a function's router a component: `kit::service!(router, ["douyin_app_key", …])`. The names are the variables that the
/// function reads. Outside Wasm it does nothing.
#[macro_export]
macro_rules! service {
    ($router:path, $variables:expr) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, missing_docs, clippy::as_conversions)]
        mod component {
            use $crate::component::wasip3;

            struct Component;

            impl wasip3::exports::http::handler::Guest for Component {
                async fn handle(
                    request: wasip3::http::types::Request,
                ) -> Result<wasip3::http::types::Response, wasip3::http::types::ErrorCode> {
                    $crate::component::handle(request, &$variables, $router).await
                }
            }

            wasip3::http::service::export!(Component with_types_in $crate::component::wasip3);
        }
    };
}

/// What every router has besides its routes: its OpenAPI document, and problems for what it does not have.
pub fn complete<S: Clone + Send + Sync + 'static>(routes: Router<S>, openapi: utoipa::openapi::OpenApi) -> Router<S> {
    routes
        .route("/v1/openapi.json", get(move || std::future::ready(axum::Json(openapi))))
        .fallback(async || Problem::not_found("no such path: see /v1/openapi.json"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "the path has other methods: see /v1/openapi.json",
            )
        })
}
