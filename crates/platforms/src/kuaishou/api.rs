//! Requests to the open API, and its answers (the platform's guides to calls, to authorisation, and to its limits).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Secret, UnixMs};
use hmac::Mac;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::SIGN_SECRET;
use crate::lenient;
use crate::mac::hmac_sha256;
use crate::marketplace::{ApiError, App, FORM, Refusal, Request, Token};

/// The API's address.
pub const BASE: &str = "https://openapi.kwaixiaodian.com";

/// Signs a call of `name` (dots, as `open.order.detail`): all in the query, but the parameter of a POST in its body.
pub fn request(app: &App, method: Method, name: &str, param: &Value, access_token: &str, now: UnixMs) -> Request {
    let (param, timestamp) = (param.to_string(), now.millis().to_string());
    // In the order of their names.
    let params = [
        ("access_token", access_token),
        ("appkey", app.key()),
        ("method", name),
        ("param", &param),
        ("signMethod", "HMAC_SHA256"),
        ("timestamp", &timestamp),
        ("version", "1"),
    ];
    let signature = sign(app.text(SIGN_SECRET.name), &params);
    let in_body = method == Method::POST;
    let (body, query): (Vec<_>, Vec<_>) = params.into_iter().partition(|(name, _)| in_body && *name == "param");
    let mut form = form_urlencoded::Serializer::new(String::new());
    let query = form.extend_pairs(query).append_pair("sign", &signature).finish();
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(body).finish();
    Request { method, path_and_query: format!("/{}?{query}", name.replace('.', "/")), content_type: FORM, body }
}

/// The `sign` of these parameters, which must be in the order of their names: Base64 of HMAC-SHA-256 over `name=value` with
/// ampersands, and the secret once more as the last of them.
pub fn sign(sign_secret: &str, params: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in params {
        text.extend([name, "=", value, "&"]);
    }
    text.extend(["signSecret=", sign_secret]);
    STANDARD.encode(hmac_sha256(sign_secret.as_bytes(), &[text.as_bytes()]).finalize().into_bytes())
}

/// The request that renews an access token, and the refresh token with it.
pub fn token_request(app: &App, refresh_token: &str) -> Request {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("refresh_token", refresh_token)
        .append_pair("app_id", app.key())
        .append_pair("app_secret", app.secret())
        .finish();
    Request { method: Method::POST, path_and_query: "/oauth2/refresh_token".to_owned(), content_type: FORM, body }
}

/// The `data` of an answer.
///
/// # Errors
/// [`ApiError`] says whether to try again, to fetch a new token first, or to give up.
pub fn response(body: &[u8]) -> Result<Value, ApiError> {
    let mut answer = success(body)?;
    Ok(answer.get_mut("data").map(Value::take).unwrap_or_default())
}

/// Reads the answer to [`token_request`].
///
/// # Errors
/// [`ApiError`], but never [`ApiError::TokenExpired`]: a used or expired refresh token stays so until somebody authorises anew.
pub fn token(body: &[u8]) -> Result<Token, ApiError> {
    let answer = success(body).map_err(|error| match error {
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

/// The whole answer, when it says 1 for success.
fn success(body: &[u8]) -> Result<Value, ApiError> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| ApiError::unreadable())?;
    let head = Head::deserialize(&answer).map_err(|_| ApiError::unreadable())?;
    let code = head.result.or(head.code).ok_or_else(ApiError::unreadable)?;
    if code == "1" {
        return Ok(answer);
    }
    let text = [head.error_msg, head.sub_msg, head.error, head.msg].into_iter().flatten().find(|text| !text.is_empty());
    Err(refused(Refusal { code, sub_code: head.sub_code, message: text.unwrap_or_default(), ours: String::new() }))
}

/// The platform publishes few codes: 100200102 for tokens, 100200500 for its own failures, 802006 and 1017 for a day's share;
/// 24 is an authorisation that the merchant took back. For the rest its words must do.
fn refused(refusal: Refusal) -> ApiError {
    let words = refusal.message.to_lowercase();
    let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let codes = [Some(refusal.code.as_str()), refusal.sub_code.as_deref()];
    let coded = |any: &[&str]| codes.iter().flatten().any(|code| any.contains(code));
    if coded(&["24"]) || says(&["revoked"]) {
        ApiError::Permanent(refusal)
    } else if coded(&["100200102"]) || (says(&["token"]) && says(&["过期", "expire"])) || says(&["鉴权失败"]) {
        ApiError::TokenExpired(refusal)
    } else if coded(&["100200500", "802006", "1017"]) || says(&["exceed q", "超时", "稍后", "繁忙"]) {
        ApiError::Retryable(refusal)
    } else {
        ApiError::Permanent(refusal)
    }
}

#[derive(Deserialize)]
struct Head {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    result: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    code: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    sub_code: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_msg: Option<String>,
    #[serde(default)]
    sub_msg: Option<String>,
    #[serde(default)]
    msg: Option<String>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret<String>,
    refresh_token: Secret<String>,
    #[serde(deserialize_with = "lenient::integer")]
    expires_in: i64,
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn the_vector_signs() {
        assert_eq!(sign("secret", &[("a", "1"), ("b", "2")]), "7XRAoSRcUAGPJRyfW3a2ogWASfb4DWlR43dIiP9V8kQ=");
    }
}
