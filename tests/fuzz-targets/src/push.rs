//! What marketplaces push to us, and how it is proven.

use aes::Aes128;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use domain::Platform::{Douyin, Jd, Kuaishou, Pinduoduo, Taobao, WechatStore, Weidian, Xiaohongshu, Youzan};
use domain::{Platform, UnixMs};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use platforms::marketplace::{App, Delivery, Received, VerifyError};
use platforms::standard_webhooks as hooks;
use platforms::wechat::crypto::{Key, signature};
use platforms::{doudian, source, xiaohongshu, youzan};
use serde_json::{Value, json};

use crate::{now, read};

/// Made up.
const AES: &str = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY";
const KEY: [u8; 16] = *b"0123456789abcdef";
const SECRET: &str = "whsec_dGVzdC1vbmx5LWZ1enotc2VjcmV0LTI0LWJ5dGVz";

fn app(platform: Platform) -> App {
    let message_key = if platform == Kuaishou { &STANDARD.encode(KEY) } else { AES };
    App::of([
        ("app_key", "key"),
        ("app_secret", "secret"),
        ("sign_secret", "sign"),
        ("message_token", "token"),
        ("message_key", message_key),
        ("md5", "on"),
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
    source
        .receive(&app(platform), &Delivery { method: &Method::POST, path, query, headers: &headers, body, now: now() })
}

/// A push that is signed is taken, one of which a byte was turned is not, and what is taken is kept as it was said.
fn signed(platform: Platform, push: &Push<'_>) {
    let taken = receive(platform, push);
    let Ok(taken) = taken else { unreachable!("{platform:?}: what is signed is refused: {taken:?}") };
    read::facts(&taken).into_iter().for_each(read::keeps);
}

/// What proves where it comes from and not what it says is taken as a hint at most.
fn hints(platform: Platform, push: &Push<'_>) {
    let taken = receive(platform, push);
    assert!(taken.iter().flat_map(read::facts).next().is_none(), "{platform:?}: {taken:?}");
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
            hints(platform, &Push { path, query: "", headers: &[], body: bytes });
        }
    }
}

/// Doudian signs the body, in one of two ways.
pub fn douyin(bytes: &[u8]) {
    for (name, method) in [("hmac-sha256", doudian::Method::HmacSha256), ("md5", doudian::Method::Md5)] {
        let sign = doudian::sign(&app(Douyin), method, bytes);
        let headers = [("app-id", "key".to_owned()), ("sign-method", name.to_owned()), ("event-sign", sign)];
        let push = Push { path: "/", query: "", headers: &headers, body: bytes };
        signed(Douyin, &push);
        forged(Douyin, &Push { body: &turned(bytes), ..push });
    }
}

/// Youzan signs the body; for older apps its `msg` only.
pub fn youzan(bytes: &[u8]) {
    let headers = [("client-id", "key".to_owned()), ("event-sign", youzan::sign(&app(Youzan), bytes))];
    let push = Push { path: "/", query: "", headers: &headers, body: bytes };
    signed(Youzan, &push);
    forged(Youzan, &Push { body: &turned(bytes), ..push });
    let msg = read::text(bytes);
    let sign = youzan::sign(&app(Youzan), msg.as_bytes());
    let older = |msg: &str| json!({ "kdt_id": 1, "type": "trade_TradePaid", "msg": msg, "sign": sign }).to_string();
    let body = older(msg);
    let push = Push { headers: &[], body: body.as_bytes(), ..push };
    signed(Youzan, &push);
    hints(Youzan, &push);
    forged(Youzan, &Push { body: older(&format!("{msg} ")).as_bytes(), ..push });
}

/// Kuaishou enciphers and does not sign: what opens is a hint; what is cut, or for another app, is nothing.
pub fn kuaishou(bytes: &[u8]) {
    let push = Push { path: "/", query: "", headers: &[], body: bytes };
    hints(Kuaishou, &push);
    let sealed = enciphered(bytes);
    hints(Kuaishou, &Push { body: sealed.as_bytes(), ..push });
    forged(Kuaishou, &Push { body: &sealed.as_bytes()[4..], ..push });
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(bytes) else { return };
    fields.remove("test");
    for (key, ours) in [("key", true), ("other", false)] {
        fields.insert("appKey".to_owned(), key.into());
        let sealed = enciphered(json!(fields).to_string().as_bytes());
        let taken = receive(Kuaishou, &Push { body: sealed.as_bytes(), ..push });
        assert!(ours || taken.is_err(), "for another app: {taken:?}");
    }
}

/// As Kuaishou enciphers.
fn enciphered(plain: &[u8]) -> String {
    let mut bytes = plain.to_vec();
    bytes.resize(plain.len() / 16 * 16 + 16, 0);
    let cipher = cbc::Encryptor::<Aes128>::new(&KEY.into(), &[0; 16].into());
    let sealed = cipher.encrypt_padded::<Pkcs7>(&mut bytes, plain.len());
    STANDARD.encode(sealed.unwrap_or_else(|error| unreachable!("no room for the padding: {error}")))
}

/// Xiaohongshu signs the address; the body tells that something happened, and no more.
pub fn xiaohongshu(bytes: &[u8]) {
    const PATH: &str = "/hooks/xiaohongshu";
    let headers = |seconds: i64| {
        let at = seconds.to_string();
        let sign = xiaohongshu::sign(&app(Xiaohongshu), PATH, "", &at);
        [("app-key", "key".to_owned()), ("timestamp", at), ("sign", sign)]
    };
    let (fresh, stale) = (headers(now().seconds()), headers(now().seconds() - 301));
    let push = Push { path: PATH, query: "", headers: &fresh, body: bytes };
    signed(Xiaohongshu, &push);
    hints(Xiaohongshu, &push);
    forged(Xiaohongshu, &Push { path: "/hooks/other", ..push });
    forged(Xiaohongshu, &Push { headers: &stale, ..push });
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
    let app = app(Douyin);
    drop(parcels::verify(&app, bytes));
    drop(parcels::subscribed(bytes));
    drop(parcels::pickup::ordered(bytes));
    drop(parcels::pickup::cancelled(bytes));
    let text = read::text(bytes);
    drop(parcels::tracking(text));
    drop(parcels::pickup::news(text));
    let sign = parcels::sign("salt", text);
    let form = |param: &str| {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("param", param).append_pair("sign", &sign).finish().into_bytes()
    };
    let taken = parcels::verify(&app, &form(text));
    assert_eq!(taken.map(|push| push.param).as_deref(), Ok(text));
    assert!(parcels::verify(&app, &form(&format!("{text}x"))).is_err(), "a forgery is taken");
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
