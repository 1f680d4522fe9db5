//! The routes, and their description.

mod attribution;
mod channels;
mod code_view;
mod codes;
mod contents;
mod cost_import;
mod costs;
mod fissions;
mod hooks;
mod html;
mod import;
mod pictures;
mod radar;
mod radar_page;
mod report;
mod rows;
mod scan;
mod scan_page;
mod touches;
mod visitor;
mod wecom_tags;

use crate::State;
use axum::Router;
use axum::routing::{get, post, put};
use kit::Problem;
#[cfg(test)]
use utoipa::OpenApi;

kit::scopes! {
    /// Read channels, codes and reports.
    ChannelsRead = "channels:read";
    /// Make channels and codes.
    ChannelsWrite = "channels:write";
}

pub fn routes() -> Router<State> {
    Router::new()
        .route("/hooks/wecom", get(hooks::wecom_address).post(hooks::wecom))
        .route("/hooks/official-account", get(hooks::official_account_address).post(hooks::official_account))
        .route("/v1/channels", get(channels::list))
        .route("/v1/channels/{name}", put(channels::set))
        .route("/v1/channels/attribution", get(attribution::show).put(attribution::set))
        .route("/v1/channels/touches", get(touches::list))
        .route("/v1/channels/report", get(report::show))
        .route("/v1/channels/report.csv", get(report::csv))
        .route("/v1/channels/costs/import", post(cost_import::create))
        .route("/v1/channels/{name}/costs", get(costs::list))
        .route("/v1/channels/{name}/costs/{day}", put(costs::set))
        .route("/v1/channels/wecom/tag-groups", get(wecom_tags::list))
        .route("/v1/channels/wecom/tag-groups/{id}", put(wecom_tags::start).delete(wecom_tags::stop))
        .route("/v1/channel-codes", get(codes::list).post(codes::create))
        .route("/v1/channel-codes/import", post(import::create))
        .route("/v1/channel-codes/{id}", get(codes::show).put(codes::change))
        .route("/v1/channel-codes/{id}/clone", post(codes::clone))
        .route("/v1/channel-codes/{id}/retire", post(codes::retire))
        .route("/v1/channel-codes/{id}/poster", post(pictures::poster))
        .route("/v1/channel-codes/{id}/{file}", get(pictures::qr))
        .route("/v1/channel-materials/{name}", put(pictures::keep_material))
        .route("/v1/posters/{name}", put(pictures::set_poster))
        .route("/v1/contents", get(contents::list).post(contents::create))
        .route("/v1/contents/{id}", get(contents::show).put(contents::change))
        .route("/v1/contents/{id}/report", get(contents::report::show))
        .route("/v1/contents/{id}/retire", post(contents::retire))
        .route("/v1/contents/{id}/shares", post(contents::share))
        .route("/v1/contents/{id}/visits", get(contents::report::visits))
        .route("/v1/fissions", get(fissions::list).post(fissions::create))
        .route("/v1/fissions/{id}", get(fissions::show).put(fissions::change))
        .route("/v1/fissions/{id}/end", post(fissions::end))
        .route("/v1/fissions/{id}/participants", get(fissions::participants::list).post(fissions::participants::join))
        .route("/v1/fissions/{id}/participants/{participant}", get(fissions::participants::show))
        .route("/v1/fissions/{id}/tree", get(fissions::tree::show))
        .route("/q/{code}", get(scan::open))
        .route("/r/{token}", get(radar::open))
        .route("/r/{token}/beacon", post(radar::beacon))
        .route("/r/{token}/forward", post(radar::forward))
}

/// A name for people: 1 to 100 characters, without blanks around it.
fn label(field: &str, text: &str) -> Result<String, Problem> {
    let label = text.trim();
    if (1..=100).contains(&label.chars().count()) && !label.chars().any(char::is_control) {
        return Ok(label.to_owned());
    }
    Err(Problem::unprocessable("name-unfit", format!("{field}: has 1 to 100 characters")).with("path", field))
}

#[cfg(test)]
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Siyu: channels",
        description = "Codes, reception, welcomes, fission, radar and attribution. Money is integer fen. Times are RFC 3339."
    ),
    paths(
        hooks::wecom_address,
        hooks::wecom,
        hooks::official_account_address,
        hooks::official_account,
        channels::list,
        channels::set,
        attribution::show,
        attribution::set,
        touches::list,
        report::show,
        report::csv,
        cost_import::create,
        costs::list,
        costs::set,
        codes::list,
        codes::create,
        import::create,
        codes::show,
        codes::change,
        codes::clone,
        codes::retire,
        pictures::qr,
        pictures::poster,
        pictures::set_poster,
        pictures::keep_material,
        contents::list,
        contents::create,
        contents::show,
        contents::change,
        contents::report::show,
        contents::retire,
        contents::share,
        contents::report::visits,
        fissions::list,
        fissions::create,
        fissions::show,
        fissions::change,
        fissions::end,
        fissions::participants::list,
        fissions::participants::join,
        fissions::participants::show,
        fissions::tree::show,
        scan::open,
        radar::open,
        radar::beacon,
        radar::forward,
        wecom_tags::list,
        wecom_tags::start,
        wecom_tags::stop
    )
)]
struct Document;

#[test]
fn the_description_is_current() {
    kit::openapi::is_current(Document::openapi(), "openapi.json".as_ref()).unwrap();
}
