//! What WeCom's error codes mean for a call (doc 90313). HTTP is 200 also for errors; only `errcode` counts.

use domain::Secret;
use serde::Deserialize;
use serde_json::Value;

use crate::lenient;
use crate::marketplace::{ApiError, Refusal, Token};

/// The body of an answer whose `errcode` is 0.
pub fn response(body: &[u8]) -> Result<Value, ApiError> {
    let (code, value) = read(body)?;
    if code == 0 { Ok(value) } else { Err(error(code, &value)) }
}

/// An answer's code and the whole of it.
pub fn read(body: &[u8]) -> Result<(i64, Value), ApiError> {
    let value: Value = serde_json::from_slice(body).map_err(|_| ApiError::unreadable())?;
    let status = Status::deserialize(&value).map_err(|_| ApiError::unreadable())?;
    Ok((status.errcode, value))
}

/// What a code other than 0 means.
pub fn error(code: i64, value: &Value) -> ApiError {
    let message = value.get("errmsg").and_then(Value::as_str).unwrap_or_default().to_owned();
    let refusal = Refusal { code: code.to_string(), sub_code: None, message, ours: words(code).to_owned() };
    match code {
        // Wrong or over; the platform may end a token early.
        40_001 | 40_014 | 41_001 | 42_001 => ApiError::TokenExpired(refusal),
        // Too often, too many at once.
        45_009 | 45_033 => ApiError::RateLimited(refusal),
        // Busy; another changed the same; a message to contacts is still being handed out. What an operator can mend while the call waits.
        -1 | 6_000 | 41_063 | 60_020 => ApiError::Retryable(refusal),
        _ => ApiError::Permanent(refusal),
    }
}

/// What to do about it, for an operator.
const fn words(code: i64) -> &'static str {
    match code {
        40_001 | 40_013 | 40_091 => "check wecom_corp_id and wecom_secret",
        40_056 | 301_002 => "check wecom_agent_id: the app's number, and the secret of the same app",
        40_003 | 46_004 | 60_111 => "there is no such member of staff",
        40_096 | 84_061 => "the contact is not this member's, or the id is another app's",
        40_098 | 41_054 => "the member of staff has not been activated and verified by name",
        40_099 => "the member of staff has no room for another contact",
        41_041 => "too many members of staff for one contact way",
        41_045 => "the company has as many contact ways as it may",
        45_009 => "called too often",
        45_033 => "too many calls at once",
        48_001 | 48_002 | 48_006 => "the app lacks this permission: give it the customer-contact API in the console",
        50_002 | 60_011 | 60_021 => "outside the app's visible range",
        60_020 => "this server's address is not among the app's trusted IPs (企业可信IP)",
        85_002 => "the text has forbidden words",
        _ => "",
    }
}

/// Reads the answer to a request for a token.
pub fn token(body: &[u8]) -> Result<Token, ApiError> {
    let (code, value) = read(body)?;
    if code != 0 {
        let refusal = Refusal {
            code: code.to_string(),
            ours: format!("no access token: {}", if code == 60_020 { words(code) } else { words(40_001) }),
            ..Refusal::default()
        };
        return Err(ApiError::Retryable(refusal));
    }
    let token = TokenAnswer::deserialize(&value).map_err(|_| ApiError::unreadable())?;
    Ok(Token { access_token: token.access_token, refresh_token: None, expires_in: token.expires_in })
}

#[derive(Deserialize)]
struct Status {
    #[serde(deserialize_with = "lenient::integer")]
    errcode: i64,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret<String>,
    #[serde(deserialize_with = "lenient::integer")]
    expires_in: i64,
}
