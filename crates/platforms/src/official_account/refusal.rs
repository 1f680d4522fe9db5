//! What an Official Account's error codes mean for a call. HTTP is 200 also for errors, and what went well may have no `errcode`.

use domain::Secret;
use serde::Deserialize;
use serde_json::Value;

use crate::lenient;
use crate::marketplace::{ApiError, Refusal, Token};

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
        40_001 | 40_014 | 41_001 | 42_001 => ApiError::TokenExpired(refusal),
        // The day's and the minute's quota of this call.
        45_009 | 45_011 => ApiError::RateLimited(refusal),
        // Busy; what an operator can mend while the call waits.
        -1 | 40_164 | 61_004 => ApiError::Retryable(refusal),
        _ => ApiError::Permanent(refusal),
    }
}

/// What to do about it, for an operator.
const fn words(code: i64) -> &'static str {
    match code {
        40_001 | 40_013 | 40_125 => "check official_account_app_id and official_account_secret",
        40_003 => "the openid is another account's",
        40_037 => "there is no such template: look at the account's console",
        40_164 | 61_004 => "this server's address is not in the account's IP whitelist (IP白名单)",
        43_004 | 43_019 => "the person does not follow the account",
        43_101 => "the person does not want such messages",
        43_116 => "the account may no longer use this kind of template",
        45_009 | 45_011 => "called too often",
        45_015 => "the person did nothing within the last 48 hours",
        45_047 => "too many messages since the person did something",
        48_001 | 48_004 => "the account lacks this permission, or it was taken back: look at its console",
        50_002 => "the account or the person is restricted",
        _ => "",
    }
}

/// Reads the answer to a request for a token.
pub fn token(body: &[u8]) -> Result<Token, ApiError> {
    let (code, value) = read(body)?;
    if code != 0 {
        let why = match words(code) {
            "" => words(40_001),
            words => words,
        };
        let ours = format!("no access token: {why}");
        return Err(ApiError::Retryable(Refusal { code: code.to_string(), ours, ..Refusal::default() }));
    }
    let token = TokenAnswer::deserialize(&value).map_err(|_| ApiError::unreadable())?;
    Ok(Token { access_token: token.access_token, refresh_token: None, expires_in: token.expires_in })
}

#[derive(Deserialize)]
struct Status {
    #[serde(default, deserialize_with = "lenient::integer")]
    errcode: i64,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Secret<String>,
    #[serde(deserialize_with = "lenient::integer")]
    expires_in: i64,
}
