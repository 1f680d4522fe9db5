//! Callbacks of WeCom and of the Official Account: verify, decipher, write down, answer after COMMIT.

use crate::State as Shared;
use crate::arrive::{self, OFFICIAL_ACCOUNT, WECOM};
use crate::settings::Receiver;
use axum::extract::State;
use http::{HeaderMap, Method, Uri};
use kit::extract::RawBody;
use kit::{Cx, Problem, Tx, inbox};
use platforms::marketplace::Delivery;
use platforms::wechat::{Call, Callback};
use platforms::{official_account, wecom as platform};
use std::time::Duration;

/// How old or how far ahead a callback may be, in minutes: wide enough for three tries.
const MINUTES: u32 = 10;
/// WeChat and WeCom want an answer at once, and come again without one: the limit leaves a part of a second for the way.
const PROMPT: Duration = Duration::from_millis(800);
const OF_WECOM: &str = "wecom_corp_id, wecom_token and wecom_encoding_aes_key";
const OF_ACCOUNT: &str = "official_account_app_id, official_account_token and official_account_encoding_aes_key";

/// WeCom's console checks the address: the deciphered echo is the answer.
#[utoipa::path(get, path = "/hooks/wecom", params(
        ("msg_signature" = String, Query, description = "SHA-1 over token, timestamp, nonce and ciphertext"),
        ("timestamp" = String, Query, description = "Unix seconds, within 10 minutes"),
        ("nonce" = String, Query, description = "The platform's random text"),
        ("echostr" = String, Query, description = "The enciphered echo"),
    ), responses(
    (status = 200, description = "The deciphered echo", body = String, content_type = "text/plain"),
    (status = 401, description = "Not authentic, or too old", body = Problem),
    (status = 503, description = "Not configured", body = Problem),
))]
pub async fn wecom_address(
    State(shared): State<Shared>,
    cx: Cx,
    uri: Uri,
    headers: HeaderMap,
) -> Result<String, Problem> {
    echo(&shared, &cx, (shared.settings.wecom.as_ref()?, OF_WECOM), &uri, &headers)
}

/// WeCom's callbacks: contacts, group chats, tags. Enciphered always. What is authentic and not understood is kept in quarantine and answered as success,
/// so that the platform does not repeat it.
#[utoipa::path(post, path = "/hooks/wecom", params(
        ("msg_signature" = String, Query, description = "SHA-1 over token, timestamp, nonce and ciphertext"),
        ("timestamp" = String, Query, description = "Unix seconds, within 10 minutes"),
        ("nonce" = String, Query, description = "The platform's random text"),
    ), request_body(content = String, content_type = "text/xml"), responses(
    (status = 200, description = "Taken: an empty body", body = String, content_type = "text/plain"),
    (status = 401, description = "Not authentic, or too old", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 503, description = "Not configured, or not written within 800 ms: repeat", body = Problem),
))]
pub async fn wecom(
    State(shared): State<Shared>,
    cx: Cx,
    uri: Uri,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<String, Problem> {
    let delivery = delivery(&Method::POST, &uri, &headers, &body, &cx);
    let text = message(&shared, &cx, (shared.settings.wecom.as_ref()?, OF_WECOM), &delivery)?;
    let vault = shared.settings.vault.as_ref()?.clone();
    let take = move |tx: &Tx<'_>| {
        // Several events of one second share sender and time, and have no id: the whole text tells them apart (WxJava#1745).
        if !inbox::remember(tx, WECOM, "", text.as_bytes())? {
            return Ok(());
        }
        match platform::callback::read(&text) {
            Some(received) => arrive::wecom(tx, &vault, &text, received),
            None => inbox::quarantine(tx, &vault, WECOM, text.as_bytes(), "not of the platform's form"),
        }
    };
    shared.app.db().write_within(PROMPT, &cx, take).await.map(|()| String::new()).map_err(Problem::from)
}

/// The Official Account's console checks the address: the echo is the answer, deciphered where the mode is.
#[utoipa::path(get, path = "/hooks/official-account", params(
        ("signature" = Option<String>, Query, description = "SHA-1 over token, timestamp and nonce"),
        ("msg_signature" = Option<String>, Query, description = "The same with the ciphertext: of an enciphered echo"),
        ("timestamp" = String, Query, description = "Unix seconds, within 10 minutes"),
        ("nonce" = String, Query, description = "The platform's random text"),
        ("echostr" = String, Query, description = "The echo"),
    ), responses(
    (status = 200, description = "The echo", body = String, content_type = "text/plain"),
    (status = 401, description = "Not authentic, or too old", body = Problem),
    (status = 503, description = "Not configured", body = Problem),
))]
pub async fn official_account_address(
    State(shared): State<Shared>,
    cx: Cx,
    uri: Uri,
    headers: HeaderMap,
) -> Result<String, Problem> {
    echo(&shared, &cx, (shared.settings.official_account.as_ref()?, OF_ACCOUNT), &uri, &headers)
}

/// The Official Account's callbacks: followers, scans, menus, messages. Enciphered where the console's mode is; in plain mode (no
/// `official_account_encoding_aes_key`) the signature does not cover the body, so a signature that comes with a second body is refused.
#[utoipa::path(post, path = "/hooks/official-account", params(
        ("signature" = Option<String>, Query, description = "SHA-1 over token, timestamp and nonce: of plain mode"),
        ("msg_signature" = Option<String>, Query, description = "The same with the ciphertext: of enciphered mode"),
        ("timestamp" = String, Query, description = "Unix seconds, within 10 minutes"),
        ("nonce" = String, Query, description = "The platform's random text"),
    ), request_body(content = String, content_type = "text/xml"), responses(
    (status = 200, description = "Taken: `success`", body = String, content_type = "text/plain"),
    (status = 401, description = "Not authentic, or too old", body = Problem),
    (status = 413, description = "Larger than 1 MiB", body = Problem),
    (status = 503, description = "Not configured, or not written within 800 ms: repeat", body = Problem),
))]
pub async fn official_account(
    State(shared): State<Shared>,
    cx: Cx,
    uri: Uri,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<String, Problem> {
    let receiver = shared.settings.official_account.as_ref()?;
    let delivery = delivery(&Method::POST, &uri, &headers, &body, &cx);
    let text = message(&shared, &cx, (receiver, OF_ACCOUNT), &delivery)?;
    let signature = receiver.key.is_empty().then(|| delivery.parameter("signature")).flatten();
    let (vault, app_id) = (shared.settings.vault.as_ref()?.clone(), receiver.id.clone());
    let take = move |tx: &Tx<'_>| {
        if !inbox::remember(tx, OFFICIAL_ACCOUNT, "", text.as_bytes())? {
            return Ok(());
        }
        // In plain mode whoever has seen a signature could send another body with it.
        let again = match &signature {
            Some(signature) => !inbox::remember(tx, "official_account.signature", "", signature.as_bytes())?,
            None => false,
        };
        if again {
            return Err(Problem::unauthorized("the signature came with another body before: nothing was taken"));
        }
        match official_account::callback::read(&text) {
            Some(received) => arrive::account(tx, &vault, &app_id, &text, received).map_err(Problem::from),
            None => inbox::quarantine(tx, &vault, OFFICIAL_ACCOUNT, text.as_bytes(), "not of the platform's form")
                .map_err(Problem::from),
        }
    };
    shared.app.db().write_within(PROMPT, &cx, take).await.map(|()| "success".to_owned())
}

/// Who receives, and the variables that say so.
type Desk<'a> = (&'a Receiver, &'static str);

/// The message that was delivered.
fn message(shared: &Shared, cx: &Cx, desk: Desk<'_>, delivery: &Delivery<'_>) -> Result<String, Problem> {
    match called(shared, cx, desk, delivery)? {
        Call::Message(text) => Ok(text),
        Call::Echo(_) => Err(Problem::bad_request("the address is checked by GET")),
    }
}

/// The echo that the console wants to see.
fn echo(shared: &Shared, cx: &Cx, desk: Desk<'_>, uri: &Uri, headers: &HeaderMap) -> Result<String, Problem> {
    match called(shared, cx, desk, &delivery(&Method::GET, uri, headers, b"", cx))? {
        Call::Echo(text) => Ok(text),
        Call::Message(_) => Ok(String::new()),
    }
}

fn delivery<'a>(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap, body: &'a [u8], cx: &Cx) -> Delivery<'a> {
    Delivery { method, path: uri.path(), query: uri.query().unwrap_or_default(), headers, body, now: cx.now }
}

fn called(shared: &Shared, cx: &Cx, (receiver, variables): Desk<'_>, delivery: &Delivery<'_>) -> Result<Call, Problem> {
    let callback = Callback {
        token: &receiver.token,
        key: &receiver.key,
        receive_ids: &[&receiver.id],
        minutes: MINUTES,
        variables,
        plain: receiver.key.is_empty(),
    };
    callback.open(delivery).map_err(|error| {
        let hook = delivery.path.strip_prefix("/hooks/").unwrap_or_default().to_owned();
        shared.app.count(cx, format!("hooks.{hook}.refused"));
        Problem::unauthorized(error.to_string())
    })
}
