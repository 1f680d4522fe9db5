//! `Idempotency-Key`: a POST that is repeated is done once, and answered as the first time.
//!
//! The answer is kept in the transaction of the effect, for 24 hours. The same key with another request is refused (422).

use crate::auth::Caller;
use crate::{App, Cx, Problem, Tx, params};
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// How long an answer is kept: 24 hours, in milliseconds.
pub const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
const MAX_KEY: usize = 255;

/// The header `Idempotency-Key`: a quoted string (RFC 9651), also taken without quotes.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        let key = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        if key.is_empty() || key.len() > MAX_KEY || key.contains('"') {
            return Err(Problem::bad_request(format!(
                "Idempotency-Key is not a string of 1 to {MAX_KEY} printable characters"
            )));
        }
        Ok(Self(Some(key.to_owned())))
    }
}

/// An answer with its status.
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The JSON body.
    pub body: String,
}

impl Answer {
    /// An answer of this status and value.
    ///
    /// # Errors
    /// 500 when the value has no JSON form.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self { status, body: serde_json::to_string(value).map_err(|error| Problem::internal(&error))? })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        (self.status, json, self.body).into_response()
    }
}

/// Writes once per key: a repetition gets the kept answer and changes nothing. Without a key it is an ordinary write.
///
/// # Errors
/// What `writing` returns; 422 when the key was used for another request.
pub async fn write_once<S: Send + Sync + 'static>(
    app: &App,
    cx: &Cx,
    caller: Caller<S>,
    key: IdempotencyKey,
    request: &[u8],
    writing: impl FnOnce(&Tx<'_>, &Caller<S>) -> Result<Answer, Problem> + Send + 'static,
) -> Result<Answer, Problem> {
    let IdempotencyKey(Some(key)) = key else {
        return app.db().write(cx, move |tx| writing(tx, &caller)).await;
    };
    let mut hasher = Sha256::new();
    hasher.update(caller.action.as_bytes());
    hasher.update([0]);
    hasher.update(request);
    let fingerprint: [u8; 32] = hasher.finalize().into();
    app.db()
        .write(cx, move |tx| {
            if let Some(answer) = kept(tx, &caller.actor, &key, &fingerprint)? {
                return Ok(answer);
            }
            let answer = writing(tx, &caller)?;
            tx.execute(
                "insert into idempotency (actor, key, fingerprint, status, body, created_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6)
                 on conflict (actor, key) do update
                     set fingerprint = excluded.fingerprint, status = excluded.status,
                         body = excluded.body, created_at = excluded.created_at",
                &params![
                    caller.actor.as_str(),
                    key,
                    &fingerprint[..],
                    answer.status.as_u16(),
                    answer.body.as_str(),
                    tx.cx().now.millis(),
                ],
            )?;
            Ok(answer)
        })
        .await
}

fn kept(tx: &Tx<'_>, actor: &str, key: &str, fingerprint: &[u8; 32]) -> Result<Option<Answer>, Problem> {
    let row = tx.query_one(
        "select fingerprint, status, body from idempotency
          where actor = ?1 and key = ?2 and created_at > ?3",
        &params![actor, key, tx.cx().now.millis().saturating_sub(KEPT_MS)],
    )?;
    let Some(row) = row else { return Ok(None) };
    if row.get::<Vec<u8>>("fingerprint")? != fingerprint {
        return Err(Problem::unprocessable(
            "idempotency-key-reused",
            "this Idempotency-Key was used for another request: use a new key for each request",
        ));
    }
    let status = u16::try_from(row.get::<i64>("status")?).ok().and_then(|code| StatusCode::from_u16(code).ok());
    Ok(Some(Answer { status: status.unwrap_or(StatusCode::OK), body: row.get("body")? }))
}

/// Forgets answers older than 24 hours. The tick calls it.
///
/// # Errors
/// [`crate::DbError`] of the delete.
pub fn forget_old(tx: &Tx<'_>) -> Result<u64, crate::DbError> {
    tx.execute("delete from idempotency where created_at <= ?1", &params![tx.cx().now.millis().saturating_sub(KEPT_MS)])
}
