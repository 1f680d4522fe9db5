//! Profiles as staff keep them, and the fields and keywords that the merchant defines.

use super::{CustomersRead, CustomersWrite, SettingsWrite, seen};
use crate::State as Shared;
use crate::consume::attribute_changed;
use crate::profile::{Field, Given};
use crate::store::activity;
use crate::store::profile::{self, NewAttribute};
use crate::{portrait, stage};
use axum::Json;
use axum::extract::State;
use domain::CustomerId;
use http::StatusCode;
use kit::auth::{Caller, StorePath};
use kit::extract::{self, Path};
use kit::{Cx, Problem, Tx, Vault, audit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The fields that the merchant has defined, by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fields {
    /// The fields.
    fields: BTreeMap<String, Field>,
}

/// The fields of the profile.
#[utoipa::path(get, path = "/v1/profile-fields", security(("token" = ["customers:read"])), responses(
    (status = 200, description = "The fields that are in use", body = Fields),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn fields(
    State(shared): State<Shared>,
    cx: Cx,
    _caller: Caller<CustomersRead>,
) -> Result<Json<Fields>, Problem> {
    let fields = shared.app.db().read(&cx, profile::fields).await.map_err(Problem::from)?;
    Ok(Json(Fields { fields }))
}

/// Defines a field, or defines it anew. Its type stays; values that it has are not checked again.
#[utoipa::path(put, path = "/v1/profile-fields/{name}", request_body = Field,
    params(("name" = String, Path, description = "Its name: lower-case letters, digits and underscores")),
    security(("token" = ["settings:write"])), responses(
    (status = 200, description = "The field", body = Field),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 409, description = "It exists with another type", body = Problem),
    (status = 422, description = "The definition makes no sense: says what to change", body = Problem),
))]
pub async fn define(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<SettingsWrite>,
    Path(name): Path<String>,
    extract::Json(field): extract::Json<Field>,
) -> Result<Json<Field>, Problem> {
    let letters = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(letters) {
        let advice = "the name has 1 to 64 lower-case letters, digits and underscores";
        return Err(Problem::unprocessable("field-unusable", advice));
    }
    field.check().map_err(|advice| Problem::unprocessable("field-unusable", advice))?;
    let write = move |tx: &Tx<'_>| {
        if !profile::define(tx, &name, &field)? {
            let why = "the field exists with another type: retire it and use another name";
            return Err(Problem::conflict("field-type", why));
        }
        audit::done(tx, &caller, &name)?;
        Ok(Json(field))
    };
    shared.app.db().write(&cx, write).await
}

/// Retires a field: values stay and are shown, new ones are refused.
#[utoipa::path(delete, path = "/v1/profile-fields/{name}", params(("name" = String, Path, description = "Its name")),
    security(("token" = ["settings:write"])), responses(
    (status = 204, description = "It is retired"),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such field", body = Problem),
))]
pub async fn retire(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<SettingsWrite>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let write = move |tx: &Tx<'_>| {
        if !profile::retire(tx, &name)? {
            return Err(Problem::not_found(format!("there is no field {name}")));
        }
        audit::done(tx, &caller, &name)?;
        Ok(StatusCode::NO_CONTENT)
    };
    shared.app.db().write(&cx, write).await
}

/// Words to listen for in what people say.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Keywords {
    /// The words, at most 500.
    words: Vec<String>,
}

/// The words that the merchant listens for.
#[utoipa::path(get, path = "/v1/keywords", security(("token" = ["customers:read"])), responses(
    (status = 200, description = "The words", body = Keywords),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn keywords(
    State(shared): State<Shared>,
    cx: Cx,
    _caller: Caller<CustomersRead>,
) -> Result<Json<Keywords>, Problem> {
    let words = shared.app.db().read(&cx, profile::keywords).await.map_err(Problem::from)?;
    Ok(Json(Keywords { words }))
}

/// Replaces the words that the merchant listens for: they count from the next thing that somebody says.
#[utoipa::path(put, path = "/v1/keywords", request_body = Keywords, security(("token" = ["settings:write"])), responses(
    (status = 200, description = "The words", body = Keywords),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 422, description = "Too many, blank or too long words", body = Problem),
))]
pub async fn listen(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<SettingsWrite>,
    extract::Json(Keywords { words }): extract::Json<Keywords>,
) -> Result<Json<Keywords>, Problem> {
    if words.len() > 500 || words.iter().any(|word| word.trim().is_empty() || word.len() > 64) {
        return Err(Problem::unprocessable("keywords-unusable", "words: at most 500, each of 1 to 64 bytes"));
    }
    let write = move |tx: &Tx<'_>| {
        profile::replace_keywords(tx, &words)?;
        audit::done(tx, &caller, "keywords")?;
        Ok::<_, Problem>(Json(Keywords { words: profile::keywords(tx)? }))
    };
    shared.app.db().write(&cx, write).await
}

/// What staff know of a customer. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileChange {
    /// The name.
    #[schema(value_type = Option<String>)]
    name: Option<domain::Secret<String>>,
    /// The store, as a path.
    store: Option<String>,
    /// The member of staff whose customer it is, by the merchant's number.
    advisor: Option<String>,
    /// Values of the profile by field; null takes one away.
    #[serde(default)]
    #[schema(value_type = Object)]
    attributes: Map<String, Value>,
}

/// Changes a profile.
#[utoipa::path(patch, path = "/v1/customers/{id}", request_body = ProfileChange,
    params(("id" = CustomerId, Path, description = "Its id, or one that it once had")),
    security(("token" = ["customers:write"])), responses(
    (status = 204, description = "Changed"),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 422, description = "A value does not fit its field: says what to change. Nothing was written", body = Problem),
))]
pub async fn change(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersWrite>,
    Path(id): Path<CustomerId>,
    extract::Json(change): extract::Json<ProfileChange>,
) -> Result<StatusCode, Problem> {
    let vault = shared.settings.vault.as_ref()?.clone();
    let unusable = |advice: String| Problem::unprocessable("profile-unusable", advice);
    if let Some(store) = &change.store {
        StorePath::try_from(store.clone()).map_err(unusable)?;
        caller.reaches(store)?;
    }
    if let Some(advisor) = &change.advisor {
        seen::staff(advisor)?;
        if caller.staff.as_ref().is_some_and(|own| own != advisor) {
            return Err(Problem::forbidden("advisor: lies outside what this token may see"));
        }
    }
    if change.name.as_ref().is_some_and(|name| name.expose().trim().is_empty() || name.expose().len() > 256) {
        return Err(unusable("name: has 1 to 256 bytes".to_owned()));
    }
    let write = move |tx: &Tx<'_>| {
        let id = seen::customer(tx, &caller, id)?.id;
        let now = tx.cx().now;
        if let Some(name) = &change.name {
            portrait::set_name(tx, &vault, id, name.expose().trim(), now)?;
        }
        if activity::decide_belongs(tx, id, change.store.as_deref(), change.advisor.as_deref(), now)? {
            stage::refresh(tx, id, now, "customer.decided")?;
        }
        attributes(tx, &vault, &caller, id, &change.attributes)?;
        audit::done(tx, &caller, &id.to_string())?;
        Ok(StatusCode::NO_CONTENT)
    };
    shared.app.db().write(&cx, write).await
}

fn attributes(
    tx: &Tx<'_>,
    vault: &Vault,
    caller: &Caller<CustomersWrite>,
    id: CustomerId,
    given: &Map<String, Value>,
) -> Result<(), Problem> {
    let fields = profile::fields(tx)?;
    for (name, value) in given {
        let unusable =
            |advice: String| Problem::unprocessable("profile-unusable", format!("attributes.{name}: {advice}"));
        let field = fields.get(name).ok_or_else(|| unusable("there is no such field".to_owned()))?;
        let given = if value.is_null() { None } else { Some(field.read(value).map_err(unusable)?) };
        let clear = match &given {
            Some(Given::Value(value)) => Some(value.clone()),
            _ => None,
        };
        let value = given.map(|given| profile::kept(given, |text| portrait::seal_text(vault, text))).transpose()?;
        let at = tx.cx().now;
        let new = NewAttribute { field: name, value, at, source: "staff", by: Some(&caller.actor) };
        if profile::set_attribute(tx, id, &new)? {
            attribute_changed(tx, id, name, clear, "staff", at)?;
        }
    }
    Ok(())
}

/// A consent, or its withdrawal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// What for: `marketing`, `profiling`.
    purpose: String,
    /// Whether it is given.
    granted: bool,
    /// How: `form f-12`, `in the store`.
    source: String,
}

/// Records a consent or its withdrawal (Personal Information Protection Law, articles 13 to 15). All records are kept.
#[utoipa::path(post, path = "/v1/customers/{id}/consents", request_body = Consent,
    params(("id" = CustomerId, Path, description = "Its id, or one that it once had")),
    security(("token" = ["customers:write"])), responses(
    (status = 204, description = "Recorded"),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 422, description = "Purpose or source is missing", body = Problem),
))]
pub async fn consent(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersWrite>,
    Path(id): Path<CustomerId>,
    extract::Json(Consent { purpose, granted, source }): extract::Json<Consent>,
) -> Result<StatusCode, Problem> {
    if [&purpose, &source].into_iter().any(|text| text.trim().is_empty() || text.len() > 200) {
        return Err(Problem::unprocessable("consent-unusable", "purpose and source have 1 to 200 bytes"));
    }
    let write = move |tx: &Tx<'_>| {
        let id = seen::customer(tx, &caller, id)?.id;
        profile::consent(tx, id, &purpose, granted, &source, &caller.actor)?;
        audit::done(tx, &caller, &id.to_string())?;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    shared.app.db().write(&cx, write).await
}
