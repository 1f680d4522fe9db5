//! Calls to JOS, and its answers (commondoc 33), and its tokens (commondoc 32).

use domain::{Secret, UnixMs};
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::lenient::flag;
use crate::marketplace::{ApiError, App, FORM, Refusal, Request, Token};
use crate::signature::{Parameters, form, joined, md5_between_secrets};
use crate::{gmt8_text, lenient};

/// The API's address.
pub const BASE: &str = "https://api.jd.com";

/// The address that renews tokens.
pub const TOKEN_BASE: &str = "https://open-oauth.jd.com";

/// Signs a call of `method`. The clocks may differ by six minutes: sign anew for each attempt.
pub fn request(app: &App, method: &'static str, params: &Value, access_token: &str, now: UnixMs) -> Request {
    let mut parameters = parameters(app, method, params.to_string(), access_token, gmt8_text(now));
    parameters.insert("sign", sign(app.secret(), &parameters));
    let body = form(&parameters);
    Request { method: Method::POST, path_and_query: "/routerjson".to_owned(), content_type: FORM, body }
}

/// The parameters that every call has, and no other is signed.
fn parameters(app: &App, method: &str, params: String, access_token: &str, timestamp: String) -> Parameters {
    Parameters::from([
        ("360buy_param_json", params),
        ("access_token", access_token.to_owned()),
        ("app_key", app.key().to_owned()),
        ("method", method.to_owned()),
        ("timestamp", timestamp),
        ("v", "2.0".to_owned()),
    ])
}

/// The `sign` of the parameters: MD5, which is all that JOS has.
pub fn sign(secret: &str, parameters: &Parameters) -> String {
    md5_between_secrets(secret, &joined(parameters))
}

/// An id as JOS wants it: a number, where it is one.
pub(super) fn number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| Value::from(id), Value::from)
}

/// What is inside of an answer: the value of its field `<method>_responce` (spelt so).
///
/// # Errors
/// [`ApiError`] says whether to try again, to fetch a new token first, or to give up.
pub fn response(body: &[u8]) -> Result<Value, ApiError> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else { return Err(ApiError::unreadable()) };
    for (name, value) in answer {
        match name.as_str() {
            "error_response" => return Err(refused(&value)),
            name if name.ends_with("_responce") || name.ends_with("_response") => return done(value),
            _ => {}
        }
    }
    Err(ApiError::unreadable())
}

/// An answer can be well-formed and have failed in three more places: its own `code`, the `success` of its result, and the
/// `success` of the result's `apiResult`. Success is a flag, or the text of one; where it is missing, nothing is said.
fn done(value: Value) -> Result<Value, ApiError> {
    let Value::Object(fields) = &value else { return Err(ApiError::unreadable()) };
    if fields.get("code").is_some_and(|code| !is_zero(code)) {
        return Err(refused(&value));
    }
    for result in fields.values().filter(|field| field.is_object()) {
        let outcome = result.get("apiResult").unwrap_or(result);
        if outcome.get("success").and_then(flag) == Some(false) {
            return Err(refused(outcome));
        }
    }
    Ok(value)
}

fn is_zero(code: &Value) -> bool {
    code.is_null() || code.as_i64() == Some(0) || code.as_str() == Some("0")
}

/// What says no, in the words of the gateway and of the services behind it.
#[derive(Default, Deserialize)]
struct Failure {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    code: Option<String>,
    #[serde(default, rename = "numberCode", deserialize_with = "lenient::optional_id")]
    number_code: Option<String>,
    #[serde(default, rename = "errorCode", deserialize_with = "lenient::optional_id")]
    error_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    zh_desc: Option<String>,
    #[serde(default, rename = "chineseErrCode", deserialize_with = "lenient::optional_id")]
    chinese_err_code: Option<String>,
    #[serde(default, rename = "errorMessage", deserialize_with = "lenient::optional_id")]
    error_message: Option<String>,
    #[serde(default, rename = "message", deserialize_with = "lenient::optional_id")]
    item_message: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    msg: Option<String>,
}

/// By the gateway's table of error codes. What the services answer is not tabled: refused for good.
pub(super) fn refused(value: &Value) -> ApiError {
    let Ok(failure) = Failure::deserialize(value) else { return ApiError::unreadable() };
    let message = failure.zh_desc.or(failure.chinese_err_code).or(failure.error_message).or(failure.msg);
    let refusal = Refusal {
        code: failure.code.or(failure.number_code).or(failure.error_code).unwrap_or_default(),
        sub_code: None,
        message: message.or(failure.item_message).unwrap_or_default(),
        ours: String::new(),
    };
    match refusal.code.as_str() {
        // 1 out of service (not confirmed), 2 over the limit, 8 the timestamp is off, 43 a fault of the gateway's own, 65 to 67 the
        // service behind it does not answer, or not as it should.
        "1" | "2" | "8" | "43" | "65" | "66" | "67" => ApiError::Retryable(refusal),
        // 18 no access token, 19 an invalid or expired one.
        "18" | "19" => ApiError::TokenExpired(refusal),
        _ => ApiError::Permanent(refusal),
    }
}

/// What asks for a new access token. The platform wants the secret in the query.
pub fn token_request(app: &App, refresh_token: &str) -> Request {
    let query = form(&Parameters::from([
        ("app_key", app.key().to_owned()),
        ("app_secret", app.secret().to_owned()),
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", refresh_token.to_owned()),
    ]));
    let path_and_query = format!("/oauth2/refresh_token?{query}");
    Request { method: Method::GET, path_and_query, content_type: FORM, body: String::new() }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret<String>,
    #[serde(default)]
    refresh_token: Option<Secret<String>>,
    #[serde(deserialize_with = "lenient::integer")]
    expires_in: i64,
}

/// Reads the answer to [`token_request`].
///
/// # Errors
/// [`ApiError::Permanent`] when somebody has to authorise the app anew.
pub fn token(body: &[u8]) -> Result<Token, ApiError> {
    let Ok(answer @ Value::Object(_)) = serde_json::from_slice::<Value>(body) else {
        return Err(ApiError::unreadable());
    };
    match TokenAnswer::deserialize(&answer) {
        Ok(token) => Ok(Token {
            access_token: token.access_token,
            refresh_token: token.refresh_token,
            expires_in: token.expires_in,
        }),
        Err(_) => {
            let failure = Failure::deserialize(&answer).unwrap_or_default();
            Err(ApiError::Permanent(Refusal {
                code: failure.code.unwrap_or_default(),
                sub_code: None,
                message: failure.msg.or(failure.zh_desc).unwrap_or_default(),
                ours: "the answer holds no token".to_owned(),
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::UnixMs;
    use serde_json::{Value, json};

    use super::{ApiError, App, parameters, request, response, sign, token, token_request};

    fn app() -> App {
        App::of([("app_key", "yourappkey"), ("app_secret", "yourappSecret")])
    }

    /// The vendor's sample (protocols: JD).
    #[test]
    fn the_vendors_sample_signs() {
        let json = r#"{"end_date":null,"optional_fields":null,"order_state":"WAIT_SELLER_STOCK_OUT","page":"1","page_size":"200","start_date":null}"#;
        let time = "2021-05-07 09:20:39.683+0800".to_owned();
        let sample = parameters(&app(), "jingdong.pop.order.search", json.to_owned(), "yourtoken", time);
        assert_eq!(sign("yourappSecret", &sample), "D70825340F4084360B9362B60DFD7930");
    }

    #[test]
    fn a_request_carries_what_it_signed() {
        let now: UnixMs = "2021-05-07T09:20:39.683+08:00".parse().unwrap();
        let request = request(&app(), "jingdong.pop.order.get", &json!({"order_id": 1}), "token", now);
        assert_eq!(request.path_and_query, "/routerjson");
        assert!(
            request.body.starts_with(
                "360buy_param_json=%7B%22order_id%22%3A1%7D&access_token=token&app_key=yourappkey\
                 &method=jingdong.pop.order.get&sign="
            ),
            "{}",
            request.body
        );
        assert!(request.body.ends_with("&timestamp=2021-05-07+09%3A20%3A39&v=2.0"), "{}", request.body);
    }

    fn next(error: &ApiError) -> &'static str {
        match error {
            ApiError::Retryable(_) => "retry",
            ApiError::TokenExpired(_) => "renew",
            ApiError::Permanent(_) => "give up",
            ApiError::RateLimited(_) => "pause",
        }
    }

    #[test]
    fn refusals_say_what_to_do_next() {
        for (code, expected) in [
            ("2", "retry"),
            ("8", "retry"),
            ("43", "retry"),
            ("66", "retry"),
            ("19", "renew"),
            ("12", "give up"),
            ("2001", "give up"),
        ] {
            let body = json!({"error_response": {"code": code, "zh_desc": "invented", "en_desc": "invented"}});
            assert_eq!(next(&response(body.to_string().as_bytes()).unwrap_err()), expected, "{code}");
        }
    }

    #[test]
    fn success_is_looked_for_at_every_depth() {
        let answer = |inner: Value| response(json!({"jingdong_x_responce": inner}).to_string().as_bytes());
        for inner in [
            json!({"code": "0", "orderDetailInfo": {"apiResult": {"success": "true"}, "orderInfo": {}}}),
            json!({"code": 0, "pageResult": {"success": true, "data": []}}),
            json!({"queryResult": {"result": []}}),
        ] {
            assert_eq!(answer(inner.clone()), Ok(inner));
        }
        for (inner, code) in [
            (json!({"code": "103", "zh_desc": "invented"}), "103"),
            (json!({"r": {"apiResult": {"success": "false", "numberCode": 10_100_021}}}), "10100021"),
            (json!({"code": "0", "result": {"success": false, "code": "E1", "msg": "invented"}}), "E1"),
        ] {
            let Err(ApiError::Permanent(refusal)) = answer(inner.clone()) else { panic!("{inner}") };
            assert_eq!(refusal.code, code);
        }
    }

    #[test]
    fn tokens_are_renewed_elsewhere() {
        let request = token_request(&app(), "old/1");
        assert_eq!(
            request.path_and_query,
            "/oauth2/refresh_token?app_key=yourappkey&app_secret=yourappSecret&grant_type=refresh_token&refresh_token=old%2F1"
        );
        let renewed =
            token(br#"{"access_token":"new","refresh_token":"next","expires_in":86399,"scope":"x"}"#).unwrap();
        assert_eq!((renewed.access_token.expose().as_str(), renewed.expires_in), ("new", 86_399));
        let refused = token(br#"{"code":405,"msg":"invented"}"#).unwrap_err();
        assert_eq!((next(&refused), refused.to_string().contains("405")), ("give up", true));
    }

    #[test]
    fn what_is_not_the_platforms_answer_is_tried_again() {
        for body in ["", "<html>502</html>", "[]", "{}", r#"{"jingdong_x_responce":1}"#] {
            assert_eq!(response(body.as_bytes()).map_err(|error| next(&error)), Err("retry"), "{body}");
        }
        assert_eq!(token(b"<html>").map(|_| ()).map_err(|error| next(&error)), Err("retry"));
    }
}
