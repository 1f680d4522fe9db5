//! Calls and answers. Pure: who sends them (the courier) brings token and transport.

use domain::Secret;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::lenient;
use crate::marketplace::{ApiError, App, FORM, Refusal, Request, Token};

/// The API's address.
pub const BASE: &str = "https://api.vdian.com";

/// An API method and its version.
pub type Call = (&'static str, &'static str);

/// A call: two fields of JSON, one for the call and one for what it is about. Nothing is signed: the token alone counts.
pub fn request((method, version): Call, params: &Value, access_token: &str) -> Request {
    let public = json!({ "method": method, "access_token": access_token, "version": version, "format": "json" });
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("param", &params.to_string()).append_pair("public", &public.to_string());
    Request { method: Method::POST, path_and_query: "/api".to_owned(), content_type: FORM, body: form.finish() }
}

/// A token by the app's own credentials, which the platform wants in the query (`/token`; newer documents have the same at
/// `oauth.open.weidian.com`). A new token ends the old one after five minutes.
pub fn token_request(app: &App) -> Request {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("grant_type", "client_credential")
        .append_pair("appkey", app.key())
        .append_pair("secret", app.secret());
    let path_and_query = format!("/token?{}", query.finish());
    Request { method: Method::GET, path_and_query, content_type: FORM, body: String::new() }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret<String>,
    /// Seconds; so spelt.
    #[serde(deserialize_with = "lenient::integer")]
    expire_in: i64,
}

/// Reads the answer to [`token_request`].
///
/// # Errors
/// [`ApiError`] as for [`response`].
pub fn token(body: &[u8]) -> Result<Token, ApiError> {
    let result = response(false, body)?;
    let token =
        TokenAnswer::deserialize(&result).map_err(|_| ApiError::Permanent(Refusal::ours("result is no token")))?;
    Ok(Token { access_token: token.access_token, refresh_token: None, expires_in: token.expire_in })
}

/// The `result` of an answer. `asks`: a question, which does no harm when it is put again.
///
/// # Errors
/// [`ApiError`] says whether to try again, to fetch a new token first, or to give up. The platform's table of codes is not
/// public: those about tokens are known from use; with any other a question is put again and a command is not.
pub fn response(asks: bool, body: &[u8]) -> Result<Value, ApiError> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| ApiError::unreadable())?;
    let Answer { status, result } = Answer::deserialize(&answer).map_err(|_| ApiError::unreadable())?;
    let refusal = Refusal {
        code: status.status_code,
        sub_code: None,
        message: status.status_reason.unwrap_or_default(),
        ours: String::new(),
    };
    match refusal.code.as_str() {
        "0" => Ok(result),
        "10013" | "10016" | "10026" => Err(ApiError::TokenExpired(refusal)),
        _ if asks => Err(ApiError::Retryable(refusal)),
        _ => Err(ApiError::Permanent(refusal)),
    }
}

#[derive(Deserialize)]
struct Answer {
    status: Status,
    #[serde(default)]
    result: Value,
}

#[derive(Deserialize)]
struct Status {
    #[serde(deserialize_with = "lenient::id")]
    status_code: String,
    #[serde(default)]
    status_reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::{ApiError, App, response, token, token_request};

    #[test]
    fn answers_are_told_apart() {
        for (body, asks, expected) in [
            (r#"{"status":{"status_code":0,"status_reason":"success"},"result":{"x":1}}"#, true, "ok"),
            (r#"{"status":{"status_code":"0"}}"#, false, "ok"),
            (r#"{"status":{"status_code":10013,"status_reason":"x"}}"#, false, "token"),
            (r#"{"status":{"status_code":99999,"status_reason":"x"}}"#, true, "again"),
            (r#"{"status":{"status_code":99999,"status_reason":"x"}}"#, false, "never"),
            ("<html>", false, "again"),
            ("{}", true, "again"),
        ] {
            let outcome = match response(asks, body.as_bytes()) {
                Ok(_) => "ok",
                Err(ApiError::Retryable(_)) => "again",
                Err(ApiError::TokenExpired(_)) => "token",
                Err(ApiError::Permanent(_)) => "never",
                Err(ApiError::RateLimited(_)) => "pause",
            };
            assert_eq!(outcome, expected, "{body}");
        }
    }

    #[test]
    fn a_token_is_asked_for_by_the_app_alone() {
        let request = token_request(&App::of([("app_key", "1"), ("app_secret", "s&s")]));
        assert_eq!(request.path_and_query, "/token?grant_type=client_credential&appkey=1&secret=s%26s");
        let got = token(br#"{"status":{"status_code":0},"result":{"access_token":"t","expire_in":86400}}"#).unwrap();
        assert_eq!((got.access_token.expose().as_str(), got.expires_in), ("t", 86_400));
    }
}
