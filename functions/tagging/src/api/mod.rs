//! The routes, and their description.

mod customers;
mod features;
mod groups;
mod marks;
mod members;
mod past;
mod portrait;
mod preview;
mod products;
mod rfm;
mod rule_view;
mod rules;
mod seeds;
mod seen;
mod segments;
mod tags;

use crate::State;
use axum::Router;
use axum::routing::{get, post, put};
#[cfg(test)]
use utoipa::OpenApi;

kit::scopes! {
    /// Read tags, features and the catalogue.
    TagsRead = "tags:read";
    /// Make tags, and mark customers with them.
    TagsWrite = "tags:write";
    /// Read segments and their members.
    SegmentsRead = "segments:read";
    /// Make segments and snapshots.
    SegmentsWrite = "segments:write";
    /// Read rules.
    RulesRead = "rules:read";
    /// Write, activate and retire rules.
    RulesWrite = "rules:write";
}

pub fn routes() -> Router<State> {
    Router::new()
        .route("/portrait/{customer}", get(portrait::show))
        .route("/v1/features", get(features::catalogue))
        .route("/v1/customers/{id}/features", get(features::of_customer))
        .route("/v1/customers/{id}/tags", get(customers::tags))
        .route("/v1/products/{sku}", put(products::set).get(products::show))
        .route("/v1/rfm", get(rfm::show).put(rfm::set))
        .route("/v1/tag-groups", get(groups::list).post(groups::create))
        .route("/v1/tag-groups/{id}", get(groups::show).put(groups::change))
        .route("/v1/tag-groups/{id}/tags", post(tags::add))
        .route("/v1/tags/{id}", get(tags::show).put(tags::rename))
        .route("/v1/tags/{id}/retire", post(tags::retire))
        .route("/v1/tags/{id}/mark", post(marks::mark))
        .route("/v1/tags/{id}/unmark", post(marks::unmark))
        .route("/v1/tags/{id}/release", post(marks::release))
        .route("/v1/tag-rules", get(rules::list).post(rules::create))
        .route("/v1/tag-rules/seeds", get(seeds::list))
        .route("/v1/tag-rules/seeds/{name}", post(seeds::install))
        .route("/v1/tag-rules/{id}", get(rules::show).put(rules::change))
        .route("/v1/tag-rules/{id}/activate", post(rules::activate))
        .route("/v1/tag-rules/{id}/retire", post(rules::retire))
        .route("/v1/tag-rules/{id}/preview", post(preview::preview))
        .route("/v1/segments", get(segments::list).post(segments::create))
        .route("/v1/segments/{id}", get(segments::show).put(segments::change))
        .route("/v1/segments/{id}/retire", post(segments::retire))
        .route("/v1/segments/{id}/members", get(members::members))
        .route("/v1/segments/{id}/members.csv", get(members::csv))
        .route("/v1/segments/{id}/snapshots", post(members::take_snapshot))
        .route("/v1/segments/{id}/snapshots/{number}/members", get(members::snapshot))
        .route("/v1/segments/{id}/difference", get(members::difference))
}

#[cfg(test)]
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Siyu: tagging",
        description = "Features, rules, tags and segments. Money is integer fen. Times are RFC 3339."
    ),
    paths(
        features::catalogue,
        features::of_customer,
        customers::tags,
        products::set,
        products::show,
        rfm::show,
        rfm::set,
        groups::list,
        groups::create,
        groups::show,
        groups::change,
        tags::add,
        tags::show,
        tags::rename,
        tags::retire,
        marks::mark,
        marks::unmark,
        marks::release,
        rules::list,
        rules::create,
        seeds::list,
        seeds::install,
        rules::show,
        rules::change,
        rules::activate,
        rules::retire,
        preview::preview,
        segments::list,
        segments::create,
        segments::show,
        segments::change,
        segments::retire,
        members::members,
        members::csv,
        members::take_snapshot,
        members::snapshot,
        members::difference
    )
)]
struct Document;

#[test]
fn the_description_is_current() {
    kit::openapi::is_current(Document::openapi(), "openapi.json".as_ref()).unwrap();
}
