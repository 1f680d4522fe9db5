//! What marketplaces push to us, and how it is proven.

use domain::Platform::{Douyin, Jd, Kuaishou, Pinduoduo, Taobao, WechatStore, Weidian, Xiaohongshu, Youzan};
use domain::{Platform, UnixMs};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use platforms::marketplace::{App, Delivery, Received, VerifyError};
use platforms::standard_webhooks as hooks;
use platforms::wechat::crypto::{Key, signature};
use platforms::{doudian, source, xiaohongshu, youzan};

use crate::{now, read};

/// Made up.
const AES: &str = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY";
const SECRET: &str = "whsec_dGVzdC1vbmx5LWZ1enotc2VjcmV0LTI0LWJ5dGVz";

fn app() -> App {
    App::of([
        ("app_key", "key"),
        ("app_secret", "secret"),
        ("sign_secret", "sign"),
        ("message_token", "token"),
        ("message_key", AES),
        ("salt", "salt"),
        ("path", "unguessable"),
    ])
}

/// A push as it comes in.
struct Push<'a> {
    path: &'a str,
    query: &'a str,
    headers: &'a [(&'static str, String)],
    body: &'a [u8],
}

fn receive(platform: Platform, push: &Push<'_>) -> Result<Received, VerifyError> {
    let Some(source) = source(platform) else { unreachable!("no such marketplace") };
    let headers: HeaderMap = push
        .headers
        .iter()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?)))
        .collect();
    let Push { path, query, body, .. } = *push;
    source.receive(&app(), &Delivery { method: &Method::POST, path, query, headers: &headers, body, now: now() })
}

/// A push that is signed is taken, one of which a byte was turned is not, and what is taken is kept as it was said.
fn signed(platform: Platform, push: &Push<'_>) {
    let taken = receive(platform, push);
    let Ok(taken) = taken else { unreachable!("{platform:?}: what is signed is refused: {taken:?}") };
    read::facts(&taken).into_iter().for_each(read::keeps);
}

fn forged(platform: Platform, push: &Push<'_>) {
    let taken = receive(platform, push);
    assert!(taken.is_err(), "{platform:?}: a forgery is taken: {taken:?}");
}

/// The bytes with one bit turned.
fn turned(bytes: &[u8]) -> Vec<u8> {
    let mut turned = bytes.to_vec();
    match turned.len() / 2 {
        0 => turned.push(0),
        middle => turned[middle] ^= 1,
    }
    turned
}

/// What nobody has signed tells nothing of an order, whichever marketplace it claims to come from.
pub fn unsigned(bytes: &[u8]) {
    for platform in [Douyin, Taobao, Jd, Pinduoduo, Kuaishou, WechatStore, Xiaohongshu, Youzan, Weidian] {
        for path in ["/", "/hooks/weidian/unguessable"] {
            let taken = receive(platform, &Push { path, query: "", headers: &[], body: bytes });
            let facts = taken.iter().flat_map(read::facts).count();
            assert_eq!(facts, 0, "{platform:?}: {taken:?}");
        }
    }
}

/// Doudian signs the body.
pub fn douyin(bytes: &[u8]) {
    let sign = doudian::sign(&app(), doudian::Method::HmacSha256, bytes);
    let headers = [("app-id", "key".to_owned()), ("sign-method", "hmac-sha256".to_owned()), ("event-sign", sign)];
    let push = Push { path: "/", query: "", headers: &headers, body: bytes };
    signed(Douyin, &push);
    forged(Douyin, &Push { body: &turned(bytes), ..push });
}

/// Youzan signs the body.
pub fn youzan(bytes: &[u8]) {
    let headers = [("client-id", "key".to_owned()), ("event-sign", youzan::sign(&app(), bytes))];
    let push = Push { path: "/", query: "", headers: &headers, body: bytes };
    signed(Youzan, &push);
    forged(Youzan, &Push { body: &turned(bytes), ..push });
}

/// Xiaohongshu signs the address; the body tells that something happened.
pub fn xiaohongshu(bytes: &[u8]) {
    let at = now().seconds().to_string();
    let sign = xiaohongshu::sign(&app(), "/hooks/xiaohongshu", "", &at);
    let headers = [("app-key", "key".to_owned()), ("timestamp", at), ("sign", sign)];
    let push = Push { path: "/hooks/xiaohongshu", query: "", headers: &headers, body: bytes };
    signed(Xiaohongshu, &push);
    forged(Xiaohongshu, &Push { path: "/hooks/other", ..push });
}

/// WeChat Store enciphers, and signs the ciphertext.
pub fn wechat_store(bytes: &[u8]) {
    let text = read::text(bytes);
    let sealed = Key::parse(AES).and_then(|key| key.seal([7; 16], text, "key"));
    let Some(sealed) = sealed else { unreachable!("the key of this test opens nothing") };
    let at = now().seconds().to_string();
    let sign = signature(&["token", &at, "nonce", &sealed]);
    let query = format!("msg_signature={sign}&timestamp={at}&nonce=nonce&encrypt_type=aes");
    let body = format!(r#"{{"ToUserName":"x","Encrypt":"{sealed}"}}"#);
    let push = Push { path: "/", query: &query, headers: &[], body: body.as_bytes() };
    signed(WechatStore, &push);
    let other = body.replacen(&sealed[..4], if sealed.starts_with("AAAA") { "BBBB" } else { "AAAA" }, 1);
    forged(WechatStore, &Push { body: other.as_bytes(), ..push });
}

/// Kuaidi100 signs one field of its form.
pub fn kuaidi100(bytes: &[u8]) {
    use platforms::kuaidi100 as parcels;
    drop(parcels::verify(&app(), bytes));
    drop(parcels::subscribed(bytes));
    drop(parcels::pickup::ordered(bytes));
    drop(parcels::pickup::cancelled(bytes));
    let text = read::text(bytes);
    drop(parcels::tracking(text));
    drop(parcels::pickup::news(text));
    // Letters and digits stand for themselves in a form.
    let param: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let form = |param: &str, sign: &str| format!("param={param}&sign={sign}").into_bytes();
    let sign = parcels::sign("salt", &param);
    let taken = parcels::verify(&app(), &form(&param, &sign));
    assert_eq!(taken.map(|push| push.param).as_deref(), Ok(param.as_str()));
    assert!(parcels::verify(&app(), &form(&format!("{param}x"), &sign)).is_err(), "a forgery is taken");
}

/// Standard Webhooks: signed over id, time and body.
pub fn standard_webhooks(bytes: &[u8]) {
    drop(hooks::Key::parse(read::text(bytes)));
    let Ok(key) = hooks::Key::parse(SECRET) else { unreachable!("the secret of this test is none") };
    let Ok(signature) = hooks::sign(&key, "msg_1", now(), bytes) else { unreachable!("not signed") };
    let at = now().seconds().to_string();
    let headers = hooks::Headers { id: "msg_1", timestamp: &at, signature: &signature };
    assert_eq!(hooks::verify(&key, headers, bytes, now()), Ok(()));
    assert!(hooks::verify(&key, headers, &turned(bytes), now()).is_err(), "a forgery is taken");
    let later = UnixMs::from_seconds(now().seconds() + 301).unwrap_or(UnixMs::EPOCH);
    assert_eq!(hooks::verify(&key, headers, bytes, later), Err(hooks::VerifyError::Stale));
    let claimed = hooks::Headers { signature: read::text(bytes), ..headers };
    assert!(claimed.signature == signature || hooks::verify(&key, claimed, bytes, now()).is_err(), "a guess is taken");
}
