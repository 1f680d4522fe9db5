//! Requests to the open API, and its answers. Pure: who sends them (the courier) brings token, time and transport.

use domain::{Secret, UnixMs};
use hmac::Mac;
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::mac::hmac_sha256;
use crate::marketplace::{ApiError, App, JSON, Refusal, Request, Token};
use crate::{gmt8_text, lenient};

/// The API's address.
pub const BASE: &str = "https://openapi-fxg.jinritemai.com";

/// The API method that gives an access token for a shop.
pub const TOKEN_CREATE: &str = "token.create";

/// Signs a call of `method` (dots, as `order.orderDetail`). The signature holds for some minutes around `now`: sign anew for
/// each attempt.
pub fn request(app: &App, method: &str, params: &Value, access_token: &str, now: UnixMs) -> Request {
    let body = canonical(params);
    let timestamp = gmt8_text(now);
    let signature = sign(app, method, &body, &timestamp);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("method", method).append_pair("app_key", app.key());
    if !access_token.is_empty() {
        query.append_pair("access_token", access_token);
    }
    query
        .append_pair("timestamp", &timestamp)
        .append_pair("v", VERSION)
        .append_pair("sign_method", "hmac-sha256")
        .append_pair("sign", &signature);
    let path = method.replace('.', "/");
    let path_and_query = format!("/{path}?{}", query.finish());
    Request { method: Method::POST, path_and_query, content_type: JSON, body }
}

/// The `sign` of a call: hex of HMAC-SHA-256 over secret, the sorted parameters as name and value, and secret again. The
/// access token is not signed.
pub fn sign(app: &App, method: &str, param_json: &str, timestamp: &str) -> String {
    let secret = app.secret();
    let signed = [
        secret,
        "app_key",
        app.key(),
        "method",
        method,
        "param_json",
        param_json,
        "timestamp",
        timestamp,
        "v",
        VERSION,
        secret,
    ]
    .map(str::as_bytes);
    hex::encode(hmac_sha256(secret.as_bytes(), &signed).finalize().into_bytes())
}

/// Compact JSON with keys sorted by bytes at every level and no HTML escaping: the form in which parameters are signed.
pub fn canonical(params: &Value) -> String {
    sorted(params).to_string()
}

/// A token request for a shop that has authorised the app itself (`authorization_self`).
pub fn token_params(shop_id: &str) -> Value {
    json!({ "code": "", "grant_type": "authorization_self", "shop_id": shop_id })
}

/// An access token, as `token.create` answers.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret<String>,
    #[serde(deserialize_with = "lenient::integer")]
    expires_in: i64,
}

/// Reads the answer to `token.create`.
///
/// # Errors
/// [`ApiError`] as for [`response`].
pub fn token(body: &[u8]) -> Result<Token, ApiError> {
    let data = response(body)?;
    let token = TokenAnswer::deserialize(&data).map_err(|_| ApiError::Permanent(Refusal::ours("data is no token")))?;
    // Nothing renews it: the app asks for a new one by itself.
    Ok(Token { access_token: token.access_token, refresh_token: None, expires_in: token.expires_in })
}

/// The `data` of an answer.
///
/// # Errors
/// [`ApiError`] says whether to try again, to fetch a new token first, or to give up.
pub fn response(body: &[u8]) -> Result<Value, ApiError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|_| ApiError::unreadable())?;
    if answer.code == SUCCESS {
        return Ok(answer.data);
    }
    let refusal = Refusal {
        code: answer.code.to_string(),
        sub_code: answer.sub_code,
        message: answer.sub_msg.or(answer.msg).unwrap_or_default(),
        ours: String::new(),
    };
    Err(refused(answer.code, refusal))
}

/// By the table of basic error codes (guide 212/1427) and the sub codes of order.orderDetail and afterSale.Detail.
fn refused(code: i64, refusal: Refusal) -> ApiError {
    let sub_code = refusal.sub_code.as_deref().unwrap_or_default();
    let (source, detail) = sub_code.split_once(':').unwrap_or((sub_code, ""));
    match (code, source, detail) {
        (_, "isv.access-token-expired" | "isv.access-token-no-existed" | "isv.access-token-missing", _) => {
            ApiError::TokenExpired(refusal)
        }
        // A failed token.create stays failed until somebody authorises the app again.
        (_, "dop.token-generate-failed", _) => ApiError::Permanent(refusal),
        // 20000 system error, 50001 the platform's own failure, 60000 over the limit, 90000 other.
        (20000 | 50001 | 60000 | 90000, ..) => ApiError::Retryable(refusal),
        (_, "isp.service-error" | "isv.timestamp-invalid", _) => ApiError::Retryable(refusal),
        // 50002 business failure is final but for "busy, try again" and "list cannot be read just now".
        (50002, "isv.business-failed", "20004" | "20045" | "20055" | "-1") => ApiError::Retryable(refusal),
        _ => ApiError::Permanent(refusal),
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(deserialize_with = "lenient::integer")]
    code: i64,
    #[serde(default)]
    msg: Option<String>,
    #[serde(default)]
    sub_code: Option<String>,
    #[serde(default)]
    sub_msg: Option<String>,
    #[serde(default)]
    data: Value,
}

const VERSION: &str = "2";
const SUCCESS: i64 = 10000;

/// The same value with its objects' keys in order. A `Map` may keep insertion order (a feature that any crate of the build can
/// switch on), so the order is made here and not relied upon.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            Value::Object(fields.into_iter().map(|(name, field)| (name.clone(), sorted(field))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use domain::UnixMs;
    use serde_json::json;

    use super::{ApiError, App, canonical, request, response, sign, token, token_params};

    fn app() -> App {
        App::of([("app_key", "app-key"), ("app_secret", "secret")])
    }

    /// From a public implementation's suite (protocols: Doudian API sign).
    const SIGNATURE: &str = "4eaefa2d3044c9f9711928edc8cfe5df1b7a8fd2d79d5d62866c79bbc4a09f2a";

    #[test]
    fn the_vector_signs() {
        assert_eq!(sign(&app(), "product.detail", r#"{"a":1,"b":2}"#, "2025-01-02 03:04:05"), SIGNATURE);
    }

    #[test]
    fn a_request_carries_what_it_signed() {
        let now: UnixMs = "2025-01-02T03:04:05.678+08:00".parse().unwrap();
        let request = request(&app(), "product.detail", &json!({"b": 2, "a": 1}), "token+1", now);
        assert_eq!(request.body, r#"{"a":1,"b":2}"#);
        assert_eq!(
            request.path_and_query,
            format!(
                "/product/detail?method=product.detail&app_key=app-key&access_token=token%2B1\
                 &timestamp=2025-01-02+03%3A04%3A05&v=2&sign_method=hmac-sha256&sign={SIGNATURE}"
            )
        );
    }

    #[test]
    fn a_token_request_needs_no_token() {
        let request = request(&app(), super::TOKEN_CREATE, &token_params("42"), "", UnixMs::EPOCH);
        assert!(request.path_and_query.starts_with("/token/create?method=token.create&app_key=app-key&timestamp="));
        assert_eq!(request.body, r#"{"code":"","grant_type":"authorization_self","shop_id":"42"}"#);
    }

    #[test]
    fn parameters_are_sorted_at_every_level_and_not_escaped() {
        let params = json!({"z": [{"b": 1, "a": {"d": null, "c": "<&>'"}}], "B": "茶", "a": 9_007_199_254_740_993_u64});
        assert_eq!(canonical(&params), r#"{"B":"茶","a":9007199254740993,"z":[{"a":{"c":"<&>'","d":null},"b":1}]}"#);
    }

    #[test]
    fn success_gives_the_data() {
        assert_eq!(response(br#"{"code":10000,"msg":"success","data":{"x":1},"log_id":"1"}"#), Ok(json!({"x": 1})));
        let body = br#"{"code":10000,"data":{"access_token":"t","expires_in":604800,"shop_id":4463798,"scope":"s"}}"#;
        let token = token(body).unwrap();
        assert_eq!((token.access_token.expose().as_str(), token.expires_in), ("t", 604_800));
    }

    #[test]
    fn refusals_say_what_to_do_next() {
        #[derive(Debug, PartialEq)]
        enum Next {
            Retry,
            Renew,
            GiveUp,
        }
        for (code, sub_code, next) in [
            (20000, "isp.service-error:10000", Next::Retry),
            (50001, "", Next::Retry),
            (60000, "", Next::Retry),
            (90000, "", Next::Retry),
            (50002, "isv.business-failed:20004", Next::Retry),
            (40003, "isv.timestamp-invalid", Next::Retry),
            (40003, "isv.access-token-expired", Next::Renew),
            (40003, "isv.access-token-no-existed", Next::Renew),
            (40001, "isv.access-token-missing", Next::Renew),
            (40003, "isv.signature-invalid", Next::GiveUp),
            (40004, "isv.parameter-invalid:20001", Next::GiveUp),
            (50002, "isv.business-failed:20015", Next::GiveUp),
            (50001, "dop.token-generate-failed:token-expired", Next::GiveUp),
            (30001, "isp.permission-denied", Next::GiveUp),
            (70000, "", Next::GiveUp),
        ] {
            let body = json!({"code": code, "msg": "invented", "sub_code": sub_code}).to_string();
            let found = match response(body.as_bytes()).unwrap_err() {
                ApiError::Retryable(_) | ApiError::RateLimited(_) => Next::Retry,
                ApiError::TokenExpired(_) => Next::Renew,
                ApiError::Permanent(_) => Next::GiveUp,
            };
            assert_eq!(found, next, "{code} {sub_code}");
        }
    }

    #[test]
    fn what_is_not_the_platforms_answer_is_tried_again() {
        for body in ["", "<html>502</html>", "[]", "{\"code\":10000", "{}"] {
            assert!(matches!(response(body.as_bytes()), Err(ApiError::Retryable(_))), "{body}");
        }
        assert!(matches!(token(br#"{"code":10000,"data":{}}"#), Err(ApiError::Permanent(_))));
    }
}
