//! Requests to the open API, and its answers.

use domain::{Secret, UnixMs};
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::sign::sign;
use crate::lenient;
use crate::marketplace::{ApiError, App, FORM, Refusal, Request, Token};

/// The API's address.
pub const BASE: &str = "https://gw-api.pinduoduo.com";

/// The call that renews an access token.
pub const TOKEN_REFRESH: &str = "pdd.pop.auth.token.refresh";

/// Parameters of a call, beyond those that every call has.
pub type Params = Vec<(&'static str, String)>;

/// Signs a call. The platform takes a time within 10 minutes of its own.
pub fn request(app: &App, kind: &str, mut params: Params, access_token: &str, now: UnixMs) -> Request {
    params.extend([
        ("type", kind.to_owned()),
        ("client_id", app.key().to_owned()),
        ("timestamp", now.seconds().to_string()),
        ("data_type", "JSON".to_owned()),
        ("version", "V1".to_owned()),
    ]);
    if !access_token.is_empty() {
        params.push(("access_token", access_token.to_owned()));
    }
    let signature = sign(app.secret(), &params);
    params.push(("sign", signature));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    Request { method: Method::POST, path_and_query: "/api/router".to_owned(), content_type: FORM, body }
}

/// What an answer holds: most calls wrap it into `<something>_response`, a case's record stands bare.
///
/// # Errors
/// [`ApiError`] says whether to try again, to fetch a new token first, or to give up.
pub fn response(body: &[u8]) -> Result<Value, ApiError> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else { return Err(ApiError::unreadable()) };
    if let Some(error) = fields.get("error_response") {
        let error = ErrorAnswer::deserialize(error).map_err(|_| ApiError::unreadable())?;
        let code = error.error_code;
        let message = error.sub_msg.filter(|text| !text.is_empty()).or(error.error_msg).unwrap_or_default();
        return Err(refused(
            &code,
            Refusal { code: code.clone(), sub_code: error.sub_code, message, ours: String::new() },
        ));
    }
    let wrapper = fields.iter().find(|(name, value)| name.ends_with("response") && value.is_object());
    let wrapper = wrapper.map(|(name, _)| name.clone());
    let answer = wrapper.and_then(|name| fields.remove(&name)).unwrap_or(Value::Object(fields));
    done(&answer)?;
    Ok(answer)
}

/// Commands say in the answer itself whether they were done.
fn done(answer: &Value) -> Result<(), ApiError> {
    for part in [Some(answer), answer.get("result")].into_iter().flatten() {
        if ["succ", "success", "is_success"].iter().any(|name| part.get(*name) == Some(&Value::Bool(false))) {
            let code = answer.get("error_code").filter(|code| code.is_number()).map(Value::to_string);
            let code = code.unwrap_or_default();
            return Err(ApiError::Permanent(Refusal { code, ..Refusal::ours("it was not done") }));
        }
    }
    Ok(())
}

/// By the table of codes that stands under every call.
fn refused(code: &str, refusal: Refusal) -> ApiError {
    match code {
        // Expired; the token or the client id is wrong.
        "10019" | "20032" => ApiError::TokenExpired(refusal),
        // Failures of the platform's own; too fast, or degraded; under maintenance; a test app's share is used up.
        "50000" | "50002" | "52001" | "52002" | "52101" | "52102" | "52103" | "70031" | "70033" | "70036" => {
            ApiError::Retryable(refusal)
        }
        _ => ApiError::Permanent(refusal),
    }
}

/// Reads the answer to [`TOKEN_REFRESH`].
///
/// # Errors
/// [`ApiError`], but never [`ApiError::TokenExpired`]: when the refresh token has expired, somebody has to authorise anew.
pub fn token(body: &[u8]) -> Result<Token, ApiError> {
    let answer = response(body).map_err(|error| match error {
        ApiError::TokenExpired(refusal) => ApiError::Permanent(refusal),
        other => other,
    })?;
    let token = TokenAnswer::deserialize(&answer).map_err(|_| ApiError::Permanent(Refusal::ours("it is no token")))?;
    Ok(Token {
        access_token: token.access_token,
        refresh_token: Some(token.refresh_token),
        expires_in: token.expires_in,
    })
}

#[derive(Deserialize)]
struct ErrorAnswer {
    #[serde(deserialize_with = "lenient::id")]
    error_code: String,
    #[serde(default)]
    error_msg: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    sub_code: Option<String>,
    #[serde(default)]
    sub_msg: Option<String>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret<String>,
    refresh_token: Secret<String>,
    #[serde(deserialize_with = "lenient::integer")]
    expires_in: i64,
}
