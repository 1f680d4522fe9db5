//! Calls and answers. Pure: who sends them (the courier) brings token and transport.

use domain::{Secret, UnixMs};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::lenient;
use crate::marketplace::{ApiError, App, JSON, Refusal, Request, Shop, Token};

/// The API's address.
pub const BASE: &str = "https://open.youzanyun.com";

/// An API method and its version.
pub type Call = (&'static str, &'static str);

/// A call. Nothing is signed: the token alone counts.
pub fn request((method, version): Call, params: &Value, access_token: &str) -> Request {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("access_token", access_token);
    let path_and_query = format!("/api/{method}/{version}?{}", query.finish());
    Request { method: Method::POST, path_and_query, content_type: JSON, body: params.to_string() }
}

/// A token for a shop that has authorised the app: by the refresh token where there is one (apps of the tool kind), else by
/// the shop's id alone (the merchant's own app).
pub fn token_request(app: &App, shop: &Shop<'_>) -> Request {
    let mut params = json!({ "client_id": app.key(), "client_secret": app.secret() });
    let grant = match shop.refresh_token {
        Some(token) => [("authorize_type", "refresh_token"), ("refresh_token", token.expose().as_str())],
        None => [("authorize_type", "silent"), ("grant_id", shop.id)],
    };
    if let Some(fields) = params.as_object_mut() {
        fields.extend(grant.map(|(name, text)| (name.to_owned(), json!(text))));
    }
    Request {
        method: Method::POST,
        path_and_query: "/auth/token".to_owned(),
        content_type: JSON,
        body: params.to_string(),
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret<String>,
    #[serde(default)]
    refresh_token: Option<Secret<String>>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    expires: Option<UnixMs>,
}

/// Reads the answer to [`token_request`]. It tells the instant when the token ends (`expires`, Unix milliseconds); where it does
/// not, a token lasts [`LIFETIME`].
///
/// # Errors
/// [`ApiError`] as for [`response`].
pub fn token(body: &[u8], now: UnixMs) -> Result<Token, ApiError> {
    let data = response(false, body)?;
    let token = TokenAnswer::deserialize(&data).map_err(|_| ApiError::Permanent(Refusal::ours("data is no token")))?;
    let expires_in = token.expires.map_or(LIFETIME, |expires| expires.seconds().saturating_sub(now.seconds()));
    Ok(Token { access_token: token.access_token, refresh_token: token.refresh_token, expires_in })
}

/// Seven days, as the guide to tokens says, in seconds.
const LIFETIME: i64 = 7 * 24 * 3600;

/// The `data` of an answer. `fresh`: asked for something that may be so new that the platform does not find it yet.
///
/// # Errors
/// [`ApiError`] says whether to try again, to fetch a new token first, or to give up.
pub fn response(fresh: bool, body: &[u8]) -> Result<Value, ApiError> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| ApiError::unreadable())?;
    let answer = Answer::deserialize(&answer).map_err(|_| ApiError::unreadable())?;
    let (code, message) = match (answer.gw_err_resp, answer.error_response) {
        (Some(gateway), _) => (gateway.err_code, gateway.err_msg),
        (None, Some(old)) => (old.code, old.msg),
        (None, None) => (answer.code, answer.message),
    };
    let code = code.unwrap_or_default();
    let refusal =
        Refusal { code: code.clone(), sub_code: None, message: message.unwrap_or_default(), ours: String::new() };
    let data = answer.data.or(answer.response);
    let succeeded = match code.as_str() {
        "200" => answer.success != Some(false),
        // Some old services only have the one or the other form.
        "" => data.is_some() && answer.success != Some(false),
        _ => false,
    };
    match data {
        Some(data) if succeeded && data.get("is_success") == Some(&Value::Bool(false)) => {
            Err(ApiError::Permanent(refusal))
        }
        data if succeeded => Ok(data.unwrap_or_default()),
        None if code.is_empty() => Err(ApiError::unreadable()),
        _ => Err(refused(fresh, refusal)),
    }
}

/// By the guide's tables of gateway and business codes.
fn refused(fresh: bool, refusal: Refusal) -> ApiError {
    match refusal.code.as_str() {
        // No token, too old, or not known.
        "4201" | "4202" | "4203" => ApiError::TokenExpired(refusal),
        // Limited: at the gateway, and at three of the services.
        "4101" | "500100004" | "123000042" | "141500203" => ApiError::Retryable(refusal),
        // The gateway's own failures.
        "5001" | "5003" => ApiError::Retryable(refusal),
        // Time-outs of the order service; two at once; too fast after one another; "try again".
        "106000001" | "106000003" | "106100118" | "102510001" | "102010003" | "-100" => ApiError::Retryable(refusal),
        // Not found: records follow their pushes by up to half a minute.
        "5000" | "103011024" if fresh => ApiError::Retryable(refusal),
        _ => ApiError::Permanent(refusal),
    }
}

/// The three forms: of the services, of the gateway, and of some old services.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    success: Option<bool>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    gw_err_resp: Option<Gateway>,
    #[serde(default)]
    response: Option<Value>,
    #[serde(default)]
    error_response: Option<OldError>,
}

#[derive(Deserialize)]
struct Gateway {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    err_code: Option<String>,
    #[serde(default)]
    err_msg: Option<String>,
}

#[derive(Deserialize)]
struct OldError {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    code: Option<String>,
    #[serde(default)]
    msg: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ApiError, App, LIFETIME, Secret, Shop, UnixMs, response, token, token_request};

    fn outcome(fresh: bool, body: &str) -> &'static str {
        match response(fresh, body.as_bytes()) {
            Ok(_) => "ok",
            Err(ApiError::Retryable(_)) => "again",
            Err(ApiError::TokenExpired(_)) => "token",
            Err(ApiError::Permanent(_)) => "never",
            Err(ApiError::RateLimited(_)) => "pause",
        }
    }

    #[test]
    fn answers_are_told_apart_in_all_their_forms() {
        for (body, expected) in [
            (r#"{"code":200,"success":true,"data":{"x":1},"message":"successful"}"#, "ok"),
            (r#"{"code":"200","success":true,"data":{"is_success":true}}"#, "ok"),
            (r#"{"response":{"is_success":true}}"#, "ok"),
            (r#"{"code":200,"success":true,"data":null}"#, "ok"),
            (r#"{"code":200,"success":true,"data":{"is_success":false}}"#, "never"),
            // A refused list still carries an empty one.
            (r#"{"code":106000001,"success":false,"data":{"full_order_info_list":[]}}"#, "again"),
            (r#"{"code":200,"success":false,"data":{}}"#, "never"),
            (r#"{"gw_err_resp":{"trace_id":"yz7","err_msg":"x","err_code":4201}}"#, "token"),
            (r#"{"gw_err_resp":{"err_code":4203}}"#, "token"),
            (r#"{"gw_err_resp":{"err_code":4101}}"#, "again"),
            (r#"{"gw_err_resp":{"err_code":4204}}"#, "never"),
            (r#"{"gw_err_resp":{"err_code":4005}}"#, "never"),
            (r#"{"code":103010039,"success":false,"data":null,"message":"x"}"#, "never"),
            (r#"{"error_response":{"msg":"x","code":500}}"#, "never"),
            (r#"{"msg":"x","code":500100004}"#, "again"),
            ("<html>", "again"),
            ("{}", "again"),
            ("", "again"),
        ] {
            assert_eq!(outcome(false, body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_not_found_yet_is_asked_for_again() {
        let body = r#"{"code":5000,"success":false,"message":"trade not found","data":{"refund_order":[]}}"#;
        assert_eq!((outcome(true, body), outcome(false, body)), ("again", "never"));
    }

    #[test]
    fn tokens_come_by_shop_or_by_refresh_token() {
        let app = App::of([("app_key", "cid"), ("app_secret", "csecret")]);
        let mut shop = Shop { id: "9001", access_token: None, refresh_token: None };
        let body =
            |shop: &Shop<'_>| serde_json::from_str::<serde_json::Value>(&token_request(&app, shop).body).unwrap();
        let client = json!({ "client_id": "cid", "client_secret": "csecret" });
        let mut expected = client.clone();
        expected["authorize_type"] = json!("silent");
        expected["grant_id"] = json!("9001");
        assert_eq!(body(&shop), expected);
        let refresh = Secret::new("refresh".to_owned());
        shop.refresh_token = Some(&refresh);
        let mut expected = client;
        expected["authorize_type"] = json!("refresh_token");
        expected["refresh_token"] = json!("refresh");
        assert_eq!(body(&shop), expected);

        let answer =
            br#"{"success":true,"code":200,"data":{"access_token":"t","expires":1771637400000,"authority_id":"9001"}}"#;
        let now = UnixMs::from_seconds(1_771_637_000).unwrap();
        let got = token(answer, now).unwrap();
        assert_eq!((got.access_token.expose().as_str(), got.expires_in), ("t", 400));
        let endless = token(br#"{"success":true,"code":200,"data":{"access_token":"t"}}"#, now).unwrap();
        assert_eq!(endless.expires_in, LIFETIME);
        let refused = token(br#"{"success":false,"code":1103,"data":null,"message":"x"}"#, now);
        assert!(matches!(refused, Err(ApiError::Permanent(_))), "{refused:?}");
    }
}
