//! Calls to TOP, and its answers (guide 101617).

use domain::{Secret, UnixMs};
use hmac::Mac;
use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::lenient::{flag, json_text};
use crate::mac::hmac_sha256;
use crate::marketplace::{ApiError, App, FORM, Refusal, Request, Token};
use crate::signature::{Parameters, form, joined};
use crate::{gmt8_text, lenient};

/// The API's address.
pub const BASE: &str = "https://eco.taobao.com";

/// A call: a method and its own parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    method: &'static str,
    parameters: Parameters,
}

impl Call {
    /// A call of `method`.
    pub fn new<const N: usize>(method: &'static str, parameters: [(&'static str, &str); N]) -> Self {
        Self { method, parameters: parameters.map(|(name, value)| (name, value.to_owned())).into() }
    }
}

/// Signs a call. The signature holds for some minutes around `now`: sign anew for each attempt.
pub fn request(app: &App, call: Call, session: &str, now: UnixMs) -> Request {
    let mut parameters = call.parameters;
    parameters.extend(
        [
            ("method", call.method),
            ("app_key", app.key()),
            ("timestamp", &gmt8_text(now)),
            ("v", "2.0"),
            ("format", "json"),
            ("sign_method", "hmac-sha256"),
        ]
        .map(|(name, value)| (name, value.to_owned())),
    );
    if !session.is_empty() {
        parameters.insert("session", session.to_owned());
    }
    parameters.insert("sign", sign(app.secret(), &parameters));
    let body = form(&parameters);
    Request { method: Method::POST, path_and_query: "/router/rest".to_owned(), content_type: FORM, body }
}

/// The `sign` of all parameters: upper-case hex of HMAC-SHA-256 with the secret.
pub fn sign(secret: &str, parameters: &Parameters) -> String {
    let mac = hmac_sha256(secret.as_bytes(), &[joined(parameters).as_bytes()]);
    hex::encode_upper(mac.finalize().into_bytes())
}

/// What is inside of an answer: the value of its one field, `<method>_response`.
///
/// # Errors
/// [`ApiError`] says whether to try again, to fetch a new token first, or to give up.
pub fn response(body: &[u8]) -> Result<Value, ApiError> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else { return Err(ApiError::unreadable()) };
    for (name, value) in answer {
        match name.as_str() {
            "error_response" => return Err(refused(&value)),
            name if name.ends_with("_response") => return done(value),
            _ => {}
        }
    }
    Err(ApiError::unreadable())
}

/// Some commands answer well-formed that they have failed (`succ`, `is_success`, `succeed`).
fn done(value: Value) -> Result<Value, ApiError> {
    let failed = ["succ", "is_success", "succeed", "success"].map(|name| value.get(name).and_then(flag));
    if !failed.contains(&Some(false)) {
        return Ok(value);
    }
    let text = |names: [&str; 3]| {
        names.into_iter().find_map(|name| value.get(name).and_then(Value::as_str)).unwrap_or_default().to_owned()
    };
    Err(ApiError::Permanent(Refusal {
        code: text(["msg_code", "err_code", "error_code"]),
        sub_code: None,
        message: text(["message", "err_info", "error_message"]),
        ours: String::new(),
    }))
}

#[derive(Deserialize)]
struct Failure {
    #[serde(deserialize_with = "lenient::id")]
    code: String,
    #[serde(default)]
    msg: Option<String>,
    #[serde(default)]
    sub_code: Option<String>,
    #[serde(default)]
    sub_msg: Option<String>,
}

/// By TOP's table of error codes: sub codes that begin with `isp.` are faults of the platform's own.
fn refused(value: &Value) -> ApiError {
    let Ok(failure) = Failure::deserialize(value) else { return ApiError::unreadable() };
    let sub_code = failure.sub_code.as_deref().unwrap_or_default();
    let own_fault = sub_code.starts_with("isp.");
    let no_session = sub_code.contains("session");
    let refusal = Refusal {
        code: failure.code.clone(),
        message: failure.sub_msg.or(failure.msg).unwrap_or_default(),
        sub_code: failure.sub_code,
        ours: String::new(),
    };
    match failure.code.as_str() {
        // 26 no session, 27 an invalid or expired one.
        "26" | "27" => ApiError::TokenExpired(refusal),
        _ if no_session => ApiError::TokenExpired(refusal),
        // 7 over the limit, 10 out of service, 31 the timestamp is off.
        "7" | "10" | "31" => ApiError::Retryable(refusal),
        _ if own_fault => ApiError::Retryable(refusal),
        _ => ApiError::Permanent(refusal),
    }
}

/// What asks for a new session: `taobao.top.auth.token.refresh`.
pub fn token_call(refresh_token: &str) -> Call {
    Call::new("taobao.top.auth.token.refresh", [("refresh_token", refresh_token)])
}

#[derive(Deserialize)]
struct TokenAnswer {
    token_result: Value,
}

#[derive(Deserialize)]
struct Session {
    access_token: Secret<String>,
    #[serde(default)]
    refresh_token: Option<Secret<String>>,
    #[serde(deserialize_with = "lenient::integer")]
    expires_in: i64,
}

/// Reads the answer to [`token_call`], which is JSON inside a text.
///
/// # Errors
/// [`ApiError`] as for [`response`].
pub fn token(body: &[u8]) -> Result<Token, ApiError> {
    let answer = response(body)?;
    let session = TokenAnswer::deserialize(&answer)
        .and_then(|answer| json_text(&answer.token_result).and_then(|session| Session::deserialize(&*session)));
    let session = session.map_err(|_| ApiError::Permanent(Refusal::ours("token_result is no token")))?;
    Ok(Token {
        access_token: session.access_token,
        refresh_token: session.refresh_token,
        expires_in: session.expires_in,
    })
}

#[cfg(test)]
mod tests {
    use domain::UnixMs;
    use serde_json::json;

    use super::{ApiError, App, Call, request, response, sign, token, token_call};
    use crate::signature::{Parameters, joined, md5_between_secrets};

    fn sample(sign_method: &str) -> Parameters {
        [
            ("app_key", "12345678"),
            ("fields", "num_iid,title,nick,price,num"),
            ("format", "json"),
            ("method", "taobao.item.seller.get"),
            ("num_iid", "11223344"),
            ("session", "test"),
            ("sign_method", sign_method),
            ("timestamp", "2016-01-01 12:00:00"),
            ("v", "2.0"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }

    /// The vendor's sample for MD5, which fixes the order of the parameters.
    #[test]
    fn the_vendors_sample_signs() {
        assert_eq!(md5_between_secrets("helloworld", &joined(&sample("md5"))), "66987CB115214E59E6EC978214934FB8");
    }

    /// The same parameters, computed independently; and a public implementation's vector (protocols: Taobao).
    #[test]
    fn vectors_sign() {
        assert_eq!(
            sign("helloworld", &sample("hmac-sha256")),
            "04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8"
        );
        let two = Parameters::from([("a", "1".to_owned()), ("b", "2".to_owned())]);
        assert_eq!(sign("secret", &two), "3A9F9E53162A24430830CCA87B7FB623401B81EB6616A6EA75B3614AEBDC7F4D");
    }

    #[test]
    fn a_request_carries_what_it_signed() {
        let app = App::of([("app_key", "12345678"), ("app_secret", "helloworld")]);
        let now: UnixMs = "2016-01-01T12:00:00.999+08:00".parse().unwrap();
        let fields = [("fields", "num_iid,title,nick,price,num"), ("num_iid", "11223344")];
        let request = request(&app, Call::new("taobao.item.seller.get", fields), "test", now);
        assert_eq!(request.path_and_query, "/router/rest");
        assert_eq!(
            request.body,
            "app_key=12345678&fields=num_iid%2Ctitle%2Cnick%2Cprice%2Cnum&format=json&method=taobao.item.seller.get\
             &num_iid=11223344&session=test&sign=04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8\
             &sign_method=hmac-sha256&timestamp=2016-01-01+12%3A00%3A00&v=2.0"
        );
        let refresh = super::request(&app, token_call("old"), "", now).body;
        assert!(refresh.contains("refresh_token=old") && !refresh.contains("session"), "{refresh}");
    }

    #[test]
    fn refusals_say_what_to_do_next() {
        for (code, sub_code, next) in [
            (json!(7), "accesscontrol.limited-by-api-access-count", "retry"),
            (json!("10"), "", "retry"),
            (json!(15), "isp.remote-service-timeout", "retry"),
            (json!(15), "isp.top-remote-connection-timeout", "retry"),
            (json!(31), "isv.invalid-timestamp", "retry"),
            (json!(26), "", "renew"),
            (json!("27"), "invalid-sessionkey", "renew"),
            (json!(53), "session-expired", "renew"),
            (json!(25), "isv.invalid-signature", "give up"),
            (json!(15), "isv.trade-not-exist", "give up"),
            (json!(11), "isv.permission-api-package-limit", "give up"),
            (json!(40), "isv.missing-parameter", "give up"),
        ] {
            let body = json!({"error_response": {"code": code, "msg": "invented", "sub_code": sub_code}}).to_string();
            let found = match response(body.as_bytes()).unwrap_err() {
                ApiError::Retryable(_) => "retry",
                ApiError::TokenExpired(_) => "renew",
                ApiError::Permanent(_) => "give up",
                ApiError::RateLimited(_) => "pause",
            };
            assert_eq!(found, next, "{code} {sub_code}");
        }
    }

    #[test]
    fn a_command_that_says_it_failed_has_failed() {
        let body = br#"{"rp_refunds_agree_response":{"succ":false,"msg_code":"OP_FAILURE_UE","message":"invented"}}"#;
        let Err(ApiError::Permanent(refusal)) = response(body) else { panic!("not refused") };
        assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("OP_FAILURE_UE", "invented"));
        assert!(response(br#"{"nextone_logistics_warehouse_update_response":{"succeed":"false"}}"#).is_err());
        assert!(response(br#"{"rp_refund_review_response":{"is_success":true}}"#).is_ok());
    }

    #[test]
    fn a_new_session_is_json_inside_a_text() {
        let body = json!({"top_auth_token_refresh_response": {
            "token_result": r#"{"access_token":"new","refresh_token":"next","expires_in":"86400","taobao_user_id":"1"}"#
        }});
        let session = token(body.to_string().as_bytes()).unwrap();
        assert_eq!((session.access_token.expose().as_str(), session.expires_in), ("new", 86_400));
        assert_eq!(session.refresh_token.unwrap().expose(), "next");
        let empty = token(br#"{"top_auth_token_refresh_response":{"token_result":"{}"}}"#);
        assert!(matches!(empty, Err(ApiError::Permanent(_))));
    }

    #[test]
    fn what_is_not_the_platforms_answer_is_tried_again() {
        for body in ["", "<html>502</html>", "[]", "{}", r#"{"error_response":{}}"#, r#"{"x_response":{"#] {
            assert!(matches!(response(body.as_bytes()), Err(ApiError::Retryable(_))), "{body}");
        }
    }
}
