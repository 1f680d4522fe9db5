//! The routes, and their description.

mod follow_ups;
mod handovers;
mod hooks;
mod import;
mod list;
mod membership;
mod merging;
mod portrait;
mod privacy;
mod profile;
mod relations;
mod seen;

use crate::State;
use axum::Router;
use axum::routing::{get, patch, post, put};
#[cfg(test)]
use utoipa::OpenApi;

kit::scopes! {
    /// Read customers.
    CustomersRead = "customers:read";
    /// Change profiles.
    CustomersWrite = "customers:write";
    /// Say who is who.
    CustomersMerge = "customers:merge";
    /// Export and erase what is known of a person.
    CustomersPrivacy = "customers:privacy";
    /// Hand customers over from one member of staff to another.
    HandoversWrite = "handovers:write";
    /// Bring files of customers, members and points in.
    ImportsWrite = "imports:write";
    /// Define what profiles hold.
    SettingsWrite = "settings:write";
}

pub fn routes() -> Router<State> {
    Router::new()
        .route("/hooks/events", post(hooks::events))
        .route("/v1/customers", get(list::list))
        .route("/v1/customers/merge", post(merging::merge))
        .route("/v1/customers/unmerge", post(merging::unmerge))
        .route("/v1/customers/{id}", get(portrait::show).patch(profile::change))
        .route("/v1/customers/{id}/timeline", get(portrait::timeline))
        .route("/v1/customers/{id}/consents", post(profile::consent))
        .route("/v1/customers/{id}/export", get(privacy::export))
        .route("/v1/customers/{id}/erase", post(privacy::erase))
        .route("/v1/customers/{id}/relations", get(relations::list))
        .route("/v1/customers/{id}/relations/{staff}", put(relations::add).delete(relations::end))
        .route("/v1/customers/{id}/follow-ups", get(follow_ups::of_customer).post(follow_ups::create))
        .route("/v1/follow-ups", get(follow_ups::list))
        .route("/v1/follow-ups/{id}", patch(follow_ups::reschedule))
        .route("/v1/follow-ups/{id}/done", post(follow_ups::done))
        .route("/v1/staff/{staff}/handovers", post(handovers::create))
        .route("/v1/handovers/{id}", get(handovers::show))
        .route("/v1/handovers/{id}/refuse", post(handovers::refuse))
        .route("/v1/imports", post(import::create).get(import::list))
        .route("/v1/imports/{id}", get(import::show))
        .route("/v1/imports/{id}/errors", get(import::errors))
        .route("/v1/conflicts", get(merging::conflicts))
        .route("/v1/conflicts/{id}/settle", post(merging::settle))
        .route("/v1/profile-fields", get(profile::fields))
        .route("/v1/profile-fields/{name}", put(profile::define).delete(profile::retire))
        .route("/v1/keywords", get(profile::keywords).put(profile::listen))
        .merge(membership::routes())
}

#[cfg(test)]
#[derive(OpenApi)]
#[openapi(
    info(title = "Siyu: customers", description = "Customers, their profiles and timelines. Times are RFC 3339."),
    paths(
        hooks::events,
        list::list,
        merging::merge,
        merging::unmerge,
        portrait::show,
        profile::change,
        portrait::timeline,
        profile::consent,
        privacy::export,
        privacy::erase,
        relations::list,
        relations::add,
        relations::end,
        follow_ups::of_customer,
        follow_ups::create,
        follow_ups::list,
        follow_ups::reschedule,
        follow_ups::done,
        handovers::create,
        handovers::show,
        handovers::refuse,
        import::create,
        import::list,
        import::show,
        import::errors,
        merging::conflicts,
        merging::settle,
        profile::fields,
        profile::define,
        profile::retire,
        profile::keywords,
        profile::listen
    ),
    components(schemas(platforms::activity::Data, domain::Activity, relations::Side))
)]
struct Document;

#[test]
fn the_description_is_current() {
    let document = Document::openapi().merge_from(membership::Document::openapi());
    kit::openapi::is_current(document, "openapi.json".as_ref()).unwrap();
}
