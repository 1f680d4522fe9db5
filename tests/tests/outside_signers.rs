//! Outside clients sign: libraries that others have published on PyPI, in the place of a platform or of its callers. What they send
//! is accepted, and so we agree with them and not only with ourselves.
//!
//! `tests/python/requirements.txt` tells which library stands for which platform, `tests/python/outside.py` calls them. Youzan's and
//! Kuaidi100's pushes have none there, Weidian signs nothing, and Kuaishou's pushes are only enciphered.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, LazyLock};

use domain::UnixMs;
use http::{HeaderMap, Method};
use platforms::marketplace::{App, Delivery, Received, VerifyError};
use platforms::wechat::crypto::{Key, signature};
use platforms::wechat::{self, Callback};
use serde_json::{Value, json};
use siyu_tests::host::root;
use siyu_tests::http::Client;
use siyu_tests::marketplace::dialect::{Dialect, Refused};
use siyu_tests::marketplace::doudian::{self, Doudian, sign};
use siyu_tests::marketplace::jd::Jd;
use siyu_tests::marketplace::kuaishou::Kuaishou;
use siyu_tests::marketplace::pinduoduo::Pinduoduo;
use siyu_tests::marketplace::push::Push;
use siyu_tests::marketplace::server::{Call, Server};
use siyu_tests::marketplace::shop::Basket;
use siyu_tests::marketplace::taobao::Taobao;
use siyu_tests::marketplace::wechat_store::WechatStore;
use siyu_tests::marketplace::xiaohongshu::Xiaohongshu;
use siyu_tests::merchant::baskets;
use siyu_tests::merchant::tills::Sale;
use siyu_tests::system::{System, WEBHOOK_SECRET};
use siyu_tests::wechat::callback::xml;
use siyu_tests::wechat::people::Person;
use siyu_tests::wechat::seal;

#[tokio::test]
async fn a_webhook_signed_by_the_reference_library_is_accepted() {
    let Some(python) = python() else { return };
    let system = System::start().await.unwrap();
    let sale = Sale {
        shop_id: "S-001".to_owned(),
        order_id: "POS-来自-Python".to_owned(),
        at: 1_790_000_000,
        lines: vec![("TEA-1".to_owned(), "测试茶".to_owned(), 1, 1_990)],
        member_card: None,
        phone: None,
    };
    let body = sale.message("paid", 1_790_000_000).unwrap().body.to_string();
    let send = |secret: &str| {
        let message =
            json!({"url": system.orders_hook(), "secret": secret, "message_id": "msg_python_1", "body": body});
        outside(python, "standard_webhooks", &message)
    };
    assert_eq!(send("whsec_c29tZWJvZHktZWxzZS1zLXNlY3JldC0wMDAx"), 401);
    let status = send(WEBHOOK_SECRET);
    assert!([200, 202].map(Value::from).contains(&status), "{status}");
    assert_eq!(system.orders().await.unwrap().len(), 1);
}

/// The simulated platforms check signatures as the code under test makes them: a library that they answer agrees with both.
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_answers_outside_callers_who_know_the_secret_and_no_others() {
    let Some(python) = python() else { return };
    let platforms: [Arc<dyn Dialect>; 6] = [
        Arc::new(Taobao),
        Arc::new(Jd),
        Arc::new(Pinduoduo),
        Arc::new(Kuaishou),
        Arc::new(Xiaohongshu),
        Arc::new(Doudian),
    ];
    for dialect in platforms {
        let name = dialect.name();
        let server = Server::with_shops(dialect, 1).await.unwrap();
        let order = server.shop(|shop| {
            let order = shop.place(basket(), 1_790_000_000);
            shop.pay(&order, 1_790_000_060).unwrap();
            order
        });
        let (app, token) = (server.app(), server.issue_token(0).access);
        let ask = |secret: &str, sign_secret: &str| {
            let call = json!({
                "base": server.base(), "key": app.key, "secret": secret, "sign_secret": sign_secret,
                "token": token, "order": order,
            });
            run(python, name, &call)
        };
        let answers = [ask(&app.secret, app.text("sign_secret")), ask("a-guess", "a-guess")];
        let calls = [Call { asked: "order", refused: None }, Call { asked: "", refused: Some(Refused::BadSignature) }];
        assert_eq!(server.calls(), calls, "{name}: {answers:?}");
    }
}

#[test]
fn outside_libraries_and_we_accept_the_same_pushes() {
    let Some(python) = python() else { return };
    for Row { dialect, push, tampered, kind } in [wechat_store(python), xiaohongshu(python), doudian(python)] {
        let Ok(Received::Messages(messages)) = receive(dialect, &push) else { panic!("{}", dialect.name()) };
        assert_eq!(messages.iter().map(|message| message.kind.as_str()).collect::<Vec<_>>(), [kind]);
        assert!(matches!(receive(dialect, &tampered), Err(VerifyError::Mismatch(_))), "{}", dialect.name());
    }
}

/// wechatpy in the place of WeCom and of an Official Account: what it seals we open, and it opens what we seal.
#[test]
fn the_outside_library_and_we_open_each_other_s_callbacks() {
    let Some(python) = python() else { return };
    // The first key has the two bits set that 43 characters hold too many, the second has not.
    let families = [
        ("wecom", "ww0123456789abcdef", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"),
        ("account", "wx00000000000a11ce", "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws"),
    ];
    for (family, receive_id, key) in families {
        let (token, timestamp, nonce) = ("inventedToken", now().seconds().to_string(), "263014780");
        let message = "<xml><Event><![CDATA[subscribe]]></Event><Content><![CDATA[欢迎 & 再见]]></Content></xml>";
        let input = json!({
            "family": family, "token": token, "key": key, "receive_id": receive_id, "message": message,
            "timestamp": timestamp, "nonce": nonce,
        });
        let envelope = outside(python, "wechat_seal", &input);
        let (sealed, signed) = (envelope["Encrypt"].as_str().unwrap(), envelope["MsgSignature"].as_str().unwrap());
        let received = |signature: &str, ours: &str, sealed: &str| {
            let callback =
                Callback { token, key, receive_ids: &[ours], minutes: 10, variables: "token and key", plain: false };
            let query = format!("msg_signature={signature}&timestamp={timestamp}&nonce={nonce}");
            let (method, headers) = (&Method::POST, &HeaderMap::new());
            let body = format!("<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>");
            let delivery = Delivery { method, path: "/", query: &query, headers, body: body.as_bytes(), now: now() };
            callback.open(&delivery)
        };
        assert_eq!(received(signed, receive_id, sealed), Ok(wechat::Call::Message(message.to_owned())), "{family}");
        let forged = signed.chars().rev().collect::<String>();
        assert!(received(&forged, receive_id, sealed).is_err(), "{family}: a signature that is none");
        assert!(received(signed, "wx0", sealed).is_err(), "{family}: for somebody else");

        // The other way: a reply's envelope, as we seal and sign it.
        let sealed = Key::parse(key).unwrap().seal(*b"0123456789abcdef", message, receive_id).unwrap();
        let signed = signature(&[token, &timestamp, nonce, &sealed]);
        let open = |signed: &str| {
            let body = format!("<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>");
            let input = json!({
                "family": family, "token": token, "key": key, "receive_id": receive_id, "body": body,
                "signature": signed, "timestamp": timestamp, "nonce": nonce,
            });
            outside(python, "wechat_open", &input)
        };
        assert_eq!(open(&signed), message, "{family}");
        assert_eq!(open("0"), Value::Null, "{family}");
    }
}

/// The whole application in the place of the receiver: what wechatpy seals for WeCom and for an Official Account is taken once, what it seals for somebody else is not,
/// and the echo that it wants comes back.
#[tokio::test]
async fn what_the_outside_library_seals_the_application_takes() {
    let Some(python) = python() else { return };
    let system = System::start().await.unwrap();
    let person = Person::new("wechatpy");
    let number = |sql: &str| siyu_tests::database::number_in(system.state(), sql).unwrap();
    for (family, path, console, event) in [
        ("wecom", "/hooks/wecom", system.wecom.console(), "add_external_contact"),
        ("account", "/hooks/official-account", system.account.console(), "subscribe"),
    ] {
        let message = if family == "wecom" {
            json!({ "ToUserName": console.receive_id, "FromUserName": "sys", "CreateTime": now().seconds(), "MsgType": "event",
                "Event": "change_external_contact", "ChangeType": event, "UserID": "li",
                "ExternalUserID": person.external_userid(&console.receive_id) })
        } else {
            json!({ "ToUserName": console.to, "FromUserName": person.openid(&console.receive_id), "CreateTime": now().seconds(),
                "MsgType": "event", "Event": event })
        };
        let timestamp = now().seconds().to_string();
        let seal = |token: &str, message: &str| {
            let input = json!({ "family": family, "token": token, "key": console.key, "receive_id": console.receive_id,
                "message": message, "timestamp": timestamp, "nonce": "263014780" });
            let envelope = outside(python, "wechat_seal", &input);
            let text = |name: &str| envelope[name].as_str().unwrap().to_owned();
            let signature = text("MsgSignature");
            let query = format!("msg_signature={signature}&timestamp={timestamp}&nonce=263014780&encrypt_type=aes");
            let body =
                format!("<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{}]]></Encrypt></xml>", text("Encrypt"));
            (query, body, text("Encrypt"))
        };
        let send = async |(query, body, _): (String, String, String)| {
            let url = format!("{}?{query}", system.host.at(path));
            Client::new().send("POST", &url, &HeaderMap::new(), body.into_bytes()).await.unwrap().status.as_u16()
        };
        let message = xml(&message);
        assert_eq!(send(seal("somebody else's", &message)).await, 401, "{family}");
        for _ in 0..2 {
            assert_eq!(send(seal(&console.token, &message)).await, 200, "{family}");
        }
        let taken = format!(
            "select count(*) from inbox where source = '{}'",
            if family == "wecom" { "wecom" } else { "official_account" }
        );
        assert_eq!(number(&taken), 1, "{family}: once");

        let (query, _, sealed) = seal(&console.token, "4857093420");
        let echo = form_urlencoded::byte_serialize(sealed.as_bytes()).collect::<String>();
        let answer = Client::new().get(&format!("{}?{query}&echostr={echo}", system.host.at(path))).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (200, b"4857093420".as_slice()), "{family}");
    }
    assert_eq!(number("select count(*) from contact"), 1);
    assert_eq!(number("select count(*) from inbox_quarantine"), 0);
}

/// The simulators seal by themselves: what they send to try an address out, the library answers as their console wants it.
#[test]
fn the_outside_library_opens_what_the_simulators_seal() {
    let Some(python) = python() else { return };
    let (token, key, receive_id) =
        ("inventedToken", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "ww0123456789abcdef");
    let sealed = seal::seal(key, *b"fedcba9876543210", "4857093420", receive_id).unwrap();
    let signed = seal::signature(vec![token, "1790000000", "n-1", &sealed]);
    let input = json!({
        "token": token, "key": key, "receive_id": receive_id, "echo": sealed, "signature": signed,
        "timestamp": "1790000000", "nonce": "n-1",
    });
    assert_eq!(outside(python, "wecom_echo", &input), "4857093420");
}

/// A push with one message, and the same after someone has changed it on its way.
struct Row {
    dialect: &'static dyn Dialect,
    push: Push,
    tampered: Push,
    /// What the message is about.
    kind: &'static str,
}

/// wechatpy seals and signs; the changed push holds what it has sealed at another time.
fn wechat_store(python: &Path) -> Row {
    let event = json!({
        "ToUserName": "gh_0123456789ab", "FromUserName": "OPENID", "CreateTime": 1_662_480_000, "MsgType": "event",
        "Event": "channels_ec_order_cancel",
        "order_info": {"order_id": 3_705_115_058_471_208_928_u64, "cancel_type": 1},
    });
    let app = WechatStore.app();
    let seal = || {
        let sealed = outside(
            python,
            "wechat_store_push",
            &json!({
                "token": app.text("message_token"), "message_key": app.text("message_key"), "app_id": app.key,
                "event": event.to_string(), "timestamp": now().seconds().to_string(), "nonce": "263014780",
            }),
        );
        let text = |name: &str| sealed[name].as_str().unwrap().to_owned();
        Push { query: text("query"), headers: HeaderMap::new(), body: text("body").into_bytes() }
    };
    let push = seal();
    let tampered = Push { body: seal().body, ..push.clone() };
    Row { dialect: &WechatStore, push, tampered, kind: "channels_ec_order_cancel" }
}

/// The library signs as callers of the API's first version did, which is how pushes are signed. The body is not covered.
fn xiaohongshu(python: &Path) -> Row {
    let (app, timestamp) = (Xiaohongshu.app(), now().millis().to_string());
    let input = json!({"key": app.key, "secret": app.secret, "path": Xiaohongshu.hook(&app), "timestamp": timestamp});
    let sign = outside(python, "xiaohongshu_push", &input);
    let push = |timestamp: &str| {
        let headers = [("app-key", app.key.as_str()), ("timestamp", timestamp), ("sign", sign.as_str().unwrap())];
        let headers =
            headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).into_iter().collect();
        let data = json!({"orderId": "P1", "orderStatus": 2, "updateTime": 1_790_000_000_000_i64}).to_string();
        let body = json!([{"msgTag": "msg_fulfillment_status_change", "sellerId": "5f00", "data": data}]);
        Push { query: String::new(), headers, body: body.to_string().into_bytes() }
    };
    let later = (now().millis() + 60_000).to_string();
    Row { dialect: &Xiaohongshu, push: push(&timestamp), tampered: push(&later), kind: "msg_fulfillment_status_change" }
}

/// The library receives: it knows the older way of signing, which the app has to be switched to.
fn doudian(python: &Path) -> Row {
    let app = Doudian.app();
    let push = doudian::push(&app, &[doudian::probe()], sign::Method::Md5).unwrap();
    let body = String::from_utf8(push.body.clone()).unwrap();
    let tampered = Push { body: body.replace("2020-", "2021-").into_bytes(), ..push.clone() };
    let received = |push: &Push| {
        let headers: BTreeMap<_, _> =
            push.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let body = std::str::from_utf8(&push.body).unwrap();
        outside(python, "douyin_push", &json!({"key": app.key, "secret": app.secret, "headers": headers, "body": body}))
    };
    assert_eq!(received(&push).to_string(), body);
    assert_eq!(received(&tampered), Value::Null);
    Row { dialect: &Doudian, push, tampered, kind: "0" }
}

/// What a platform's module makes of a push to the webhook.
fn receive(dialect: &dyn Dialect, push: &Push) -> Result<Received, VerifyError> {
    let theirs = dialect.app();
    let app = App::of([
        ("app_key", &theirs.key),
        ("app_secret", &theirs.secret),
        ("message_token", theirs.text("message_token")),
        ("message_key", theirs.text("message_key")),
        ("md5", "on"),
    ]);
    let Push { query, headers, body } = push;
    let path = dialect.hook(&theirs);
    let delivery = Delivery { method: &Method::POST, path: &path, query, headers, body, now: now() };
    platforms::source(dialect.name().parse().unwrap()).unwrap().receive(&app, &delivery)
}

fn basket() -> Basket {
    Basket { freight: 600, ..baskets::plain(vec![baskets::tea("TEA-A", 2, 1_990)]) }
}

fn now() -> UnixMs {
    UnixMs::from_millis(jiff::Timestamp::now().as_millisecond()).unwrap()
}

/// What a library makes of an input that it has to cope with.
fn outside(python: &Path, what: &str, input: &Value) -> Value {
    let output = run(python, what, input);
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn run(python: &Path, what: &str, input: &Value) -> Output {
    let mut command = Command::new(python);
    command.arg(root().join("tests/python/outside.py")).args([what, &input.to_string()]);
    // Platforms have one zone. Not by its name, which is unknown where there is no database of zones.
    command.envs([("TZ", "CST-8"), ("NO_PROXY", "127.0.0.1")]).output().unwrap()
}

/// Python with the libraries.
fn python() -> Option<&'static Path> {
    static PYTHON: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside-signers");
        siyu_tests::python::python(&folder, &root().join("tests/python/requirements.txt"))
    });
    PYTHON.as_deref()
}
