//! Callbacks and answers of WeCom and Official Accounts.

use http::{HeaderMap, Method};
use platforms::marketplace::{App, Delivery};
use platforms::wechat::crypto::{Key, signature};
use platforms::wechat::talk::Talk;
use platforms::wechat::{Call, Callback, envelope as outer};
use platforms::{official_account, wecom};

use crate::{now, read};

/// Made up.
const AES: &str = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY";
const OURS: Callback<'_> = Callback {
    token: "token",
    key: AES,
    receive_ids: &["corp"],
    minutes: 10,
    variables: "token and key",
    plain: false,
};

/// As an Official Account in plain mode has it.
const PLAIN: Callback<'_> = Callback { key: "", plain: true, ..OURS };

fn open(ours: Callback<'_>, method: &Method, query: &str, body: &str) -> Option<Call> {
    let (headers, now) = (HeaderMap::new(), now());
    ours.open(&Delivery { method, path: "/", query, headers: &headers, body: body.as_bytes(), now }).ok()
}

/// What is enciphered and signed opens to what it was; for somebody else, or turned, it opens to nothing.
pub fn crypto(bytes: &[u8]) {
    let text = read::text(bytes);
    let _ = Key::parse(text);
    let Some(key) = Key::parse(AES) else { unreachable!("the key of this test is none") };
    drop(key.open(text, &["corp"]));
    let Some(sealed) = key.seal([7; 16], text, "corp") else { unreachable!("not sealed") };
    assert_eq!(key.open(&sealed, &["corp"]).as_deref(), Some(text));
    assert_eq!(key.open(&sealed, &["other"]), None, "not for us");
    let at = now().seconds().to_string();
    let query = |sealed: &str| {
        let sign = signature(&["token", &at, "nonce", sealed]);
        format!("msg_signature={sign}&timestamp={at}&nonce=nonce")
    };
    let body = |sealed: &str| format!("<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>");
    let post = |query: &str, body: &str| open(OURS, &Method::POST, query, body);
    assert_eq!(post(&query(&sealed), &body(&sealed)), Some(Call::Message(text.to_owned())));
    let other = format!("{}{}", if sealed.starts_with('A') { 'B' } else { 'A' }, &sealed[1..]);
    assert_eq!(post(&query(&sealed), &body(&other)), None, "a forgery is taken");
    assert_eq!(post(text, text), None, "unsigned");
    // A blank for each plus, as a proxy may write it.
    let echo = |text: &str| open(OURS, &Method::GET, &format!("{}&echostr={text}", query(&sealed)), "");
    assert_eq!(echo(&sealed), Some(Call::Echo(text.to_owned())));
    assert_eq!(echo(&other), None, "a forgery is echoed");
}

/// Both envelopes are read within bounds, and alike each time.
pub fn envelope(bytes: &[u8]) {
    assert_eq!(outer::encrypted(bytes), outer::encrypted(bytes));
    let text = read::text(bytes);
    if let Some(value) = outer::read(text).filter(|value| !read::has_float(value)) {
        let again = outer::read(&value.to_string());
        assert!(!value.is_object() || again.as_ref() == Some(&value), "{value} is read as {again:?}");
    }
}

/// What WeCom tells is read alike each time.
pub fn wecom(bytes: &[u8]) {
    let read = || format!("{:?}", wecom::callback::read(read::text(bytes)));
    assert_eq!(read(), read());
}

/// What an Official Account tells is read alike each time; in clear it counts in plain mode only, signed, and where there is no ciphertext.
pub fn official_account(bytes: &[u8]) {
    let text = read::text(bytes);
    let read = || format!("{:?}", official_account::callback::read(text));
    assert_eq!(read(), read());
    let at = now().seconds().to_string();
    let sign = signature(&["token", &at, "nonce"]);
    let query = |nonce: &str| format!("signature={sign}&timestamp={at}&nonce={nonce}");
    let taken = open(PLAIN, &Method::POST, &query("nonce"), text);
    let clear = outer::encrypted(text.as_bytes()).is_none();
    assert_eq!(taken, clear.then(|| Call::Message(text.to_owned())));
    assert_eq!(open(PLAIN, &Method::POST, &query("other"), text), None, "a forgery is taken");
    assert_eq!(open(OURS, &Method::POST, &query("nonce"), text), None, "clear text where there is a key");
}

/// A question in the first line, answers in the others: the talk ends or goes on, and can always be carried on.
pub fn answer(bytes: &[u8]) {
    drop(wecom::token(bytes));
    drop(official_account::token(bytes));
    let app = App::of([("agent_id", "1000002")]);
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let ask = lines.next().unwrap_or_default();
    if let Ok(ask) = serde_json::from_slice(ask) {
        talk(wecom::Conversation::new(ask), &app, lines.clone());
    }
    if let Ok(ask) = serde_json::from_slice(ask) {
        talk(official_account::Conversation(ask), &app, lines);
    }
}

fn talk<'a, T: Talk>(mut talk: T, app: &App, answers: impl Iterator<Item = &'a [u8]>) {
    for answer in answers {
        drop(talk.request(app, "token"));
        match talk.hear(answer) {
            Ok(None) => {}
            Ok(Some(heard)) => {
                let kept = serde_json::to_string(&heard).unwrap_or_else(|error| unreachable!("not kept: {error}"));
                let again = serde_json::from_str::<T::Answer>(&kept).map(|again| serde_json::to_string(&again).ok());
                assert_eq!(again.ok().flatten().as_deref(), Some(kept.as_str()), "what was heard is kept");
                return;
            }
            Err(_) => return,
        }
    }
}
