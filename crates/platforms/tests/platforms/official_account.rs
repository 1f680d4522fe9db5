//! Official Accounts' events to notices, and what is asked of them. Accounts and followers are invented or from public samples.

use std::collections::BTreeMap;

use domain::{Secret, UnixMs};
use platforms::marketplace::{ApiError, App};
use platforms::official_account::callback::{Notice, read};
use platforms::official_account::{self, Answer, Ask, Content, Conversation, MiniProgram};
use platforms::wechat::talk::Talk;
use serde_json::{Value, json};

fn message(fields: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName>\
         <CreateTime>1348831860</CreateTime>{fields}</xml>"
    )
}

fn event(kind: &str, fields: &str) -> Notice {
    let fields = format!("<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{kind}]]></Event>{fields}");
    let received = read(&message(&fields)).unwrap();
    assert_eq!((received.account.as_str(), received.at), ("gh_1", UnixMs::from_seconds(1_348_831_860).unwrap()));
    received.notice
}

#[test]
fn events_are_read() {
    let open_id = || "o1".to_owned();
    let text = |text: &str| text.to_owned();
    let key = |key: &str| format!("<EventKey><![CDATA[{key}]]></EventKey>");
    let hidden = |text: &str| Secret::new(text.to_owned());
    for (found, expected) in [
        (
            event("subscribe", &key("qrscene_123123")),
            Notice::Subscribed { open_id: open_id(), scene: Some(text("123123")) },
        ),
        (event("subscribe", &key("")), Notice::Subscribed { open_id: open_id(), scene: None }),
        (event("subscribe", &key("last_trade_no_42")), Notice::Subscribed { open_id: open_id(), scene: None }),
        (event("SCAN", &key("SCENE_VALUE")), Notice::Scanned { open_id: open_id(), scene: text("SCENE_VALUE") }),
        (event("unsubscribe", &key("")), Notice::Unsubscribed { open_id: open_id() }),
        (event("CLICK", &key("K1")), Notice::MenuClicked { open_id: open_id(), key: text("K1") }),
        (
            event("VIEW", &key("https://siyu.example.com")),
            Notice::MenuViewed { open_id: open_id(), url: text("https://siyu.example.com") },
        ),
        (
            event("LOCATION", "<Latitude>23.137466</Latitude><Longitude>113.352425</Longitude>"),
            Notice::Located { open_id: open_id(), latitude: hidden("23.137466"), longitude: hidden("113.352425") },
        ),
        (
            event("TEMPLATESENDJOBFINISH", "<MsgID>200163836</MsgID><Status><![CDATA[failed:user block]]></Status>"),
            Notice::TemplateSent {
                open_id: open_id(),
                message_id: text("200163836"),
                status: text("failed:user block"),
            },
        ),
        (event("SCAN", ""), Notice::Other { kind: text("SCAN") }),
        (event("user_info_modified", "<OpenID>o1</OpenID>"), Notice::Other { kind: text("user_info_modified") }),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn messages_are_read_in_xml_and_json() {
    let written = |form: &str, text: Option<&str>, content: Option<Value>| Notice::Message {
        open_id: "o1".to_owned(),
        form: form.to_owned(),
        text: text.map(|text| Secret::new(text.to_owned())),
        content: content.map(|content| Secret::new(content.to_string())),
        id: Some("1234567890123456".to_owned()),
    };
    let id = "<MsgId>1234567890123456</MsgId>";
    let text = format!("<MsgType>text</MsgType><Content><![CDATA[this is a test]]></Content>{id}");
    assert_eq!(read(&message(&text)).unwrap().notice, written("text", Some("this is a test"), None));
    let image = format!("<MsgType>image</MsgType><PicUrl>http://x</PicUrl>{id}");
    assert_eq!(read(&message(&image)).unwrap().notice, written("image", None, Some(json!({ "PicUrl": "http://x" }))));
    let voice =
        format!("<MsgType>voice</MsgType><MediaId>m</MediaId><Format>amr</Format><Recognition>hi</Recognition>{id}");
    let content = json!({ "MediaId": "m", "Format": "amr", "Recognition": "hi" });
    assert_eq!(read(&message(&voice)).unwrap().notice, written("voice", Some("hi"), Some(content)));
    let json = json!({ "ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": 1, "MsgType": "text",
        "Content": "hi", "MsgId": 1_234_567_890_123_456_i64 });
    assert_eq!(read(&json.to_string()).unwrap().notice, written("text", Some("hi"), None));
    for text in ["", "hello", "<xml/>", "{}", "<xml><CreateTime>1</CreateTime></xml>"] {
        assert_eq!(read(text), None, "{text}");
    }
    let shown = format!("{:?}", read(&message(&text)).unwrap());
    assert!(!shown.contains("test"), "{shown}");
}

fn ask(ask: &Ask, answer: &Value) -> (String, Value, Result<Option<Answer>, ApiError>) {
    let mut conversation = Conversation(ask.clone());
    let request = conversation.request(&App::default(), "token");
    let body = serde_json::from_str(&request.body).unwrap_or(Value::Null);
    let heard = conversation.hear(answer.to_string().as_bytes());
    if let Ok(Some(answer)) = &heard {
        let kept = serde_json::to_vec(answer).unwrap();
        assert_eq!(&serde_json::from_slice::<Answer>(&kept).unwrap(), answer, "as it is kept");
    }
    (request.path_and_query, body, heard)
}

#[test]
fn codes_are_made_for_a_while_or_for_ever() {
    let code = |permanent, seconds| Ask::CreateCode { scene: "c1".to_owned(), permanent, seconds };
    let answer = json!({ "ticket": "gQ", "url": "http://weixin.qq.com/q/x", "expire_seconds": 60 });
    let (path, body, heard) = ask(&code(false, Some(60)), &answer);
    assert_eq!(path, "/cgi-bin/qrcode/create?access_token=token");
    let scene = json!({ "scene": { "scene_str": "c1" } });
    assert_eq!(body, json!({ "action_name": "QR_STR_SCENE", "action_info": scene, "expire_seconds": 60 }));
    let (ticket, url) = ("gQ".to_owned(), "http://weixin.qq.com/q/x".to_owned());
    assert_eq!(heard, Ok(Some(Answer::CodeCreated { ticket, url, expires_in: Some(60) })));
    let (_, body, heard) = ask(&code(true, None), &json!({ "ticket": "gQ", "url": "u" }));
    assert_eq!(body, json!({ "action_name": "QR_LIMIT_STR_SCENE", "action_info": scene }));
    assert!(matches!(heard, Ok(Some(Answer::CodeCreated { expires_in: None, .. }))));
    assert!(matches!(ask(&code(true, None), &json!({})).2, Err(ApiError::Retryable(_))), "a proxy's page");
    let named = |length: usize| Ask::CreateCode { scene: "x".repeat(length), permanent: false, seconds: None };
    for (ask, fits) in [
        (code(false, Some(2_592_000)), true),
        (code(false, Some(2_592_001)), false),
        (code(true, Some(60)), false),
        (named(64), true),
        (named(65), false),
        (named(0), false),
    ] {
        assert_eq!(ask.check().is_ok(), fits, "{ask:?}");
    }
}

#[test]
fn persons_are_known_as_long_as_they_follow() {
    let who = Ask::GetPerson { open_id: "o1".to_owned() };
    let follows = json!({ "subscribe": 1, "openid": "o1", "subscribe_time": 1_434_093_047, "unionid": "oU1",
        "subscribe_scene": "ADD_SCENE_QR_CODE", "qr_scene": 0, "qr_scene_str": "c1" });
    let (path, _, heard) = ask(&who, &follows);
    assert_eq!(path, "/cgi-bin/user/info?access_token=token&openid=o1&lang=zh_CN");
    let Ok(Some(Answer::Person { subscribed, union_id, scene, .. })) = heard else { panic!("{heard:?}") };
    assert_eq!((subscribed, union_id.as_deref(), scene.as_deref()), (true, Some("oU1"), Some("c1")));
    let left = ask(&who, &json!({ "subscribe": 0, "openid": "o1" })).2;
    assert!(matches!(left, Ok(Some(Answer::Person { subscribed: false, union_id: None, .. }))), "{left:?}");
}

#[test]
fn templates_and_the_customer_service_say_things() {
    let template = Ask::TemplateMessage {
        open_id: "o1".to_owned(),
        template_id: "t1".to_owned(),
        url: Some("https://siyu.example.com".to_owned()),
        mini_program: Some(MiniProgram { app_id: "wx1".to_owned(), page: "index".to_owned() }),
        data: BTreeMap::from([("first".to_owned(), "您好".to_owned())]),
        client_message_id: Some("m1".to_owned()),
    };
    let sent = json!({ "errcode": 0, "errmsg": "ok", "msgid": 200_228_332 });
    let (path, body, heard) = ask(&template, &sent);
    assert_eq!(path, "/cgi-bin/message/template/send?access_token=token");
    let expected = json!({ "touser": "o1", "template_id": "t1", "url": "https://siyu.example.com",
        "miniprogram": { "appid": "wx1", "pagepath": "index" }, "data": { "first": { "value": "您好" } },
        "client_msg_id": "m1" });
    assert_eq!(body, expected);
    assert_eq!(heard, Ok(Some(Answer::Sent { message_id: Some("200228332".to_owned()) })));
    let again = ask(&template, &json!({ "errcode": 45_065, "errmsg": "x" })).2;
    assert_eq!(again, Ok(Some(Answer::Sent { message_id: None })), "a repeated try");
    let said = |message| Ask::ServiceMessage { open_id: "o1".to_owned(), message };
    let link = Content::Link { title: "t".to_owned(), description: None, url: "u".to_owned(), picture_url: None };
    for (content, kind, expected) in [
        (Content::Text { text: "hi".to_owned() }, "text", json!({ "content": "hi" })),
        (Content::Image { media_id: "m".to_owned() }, "image", json!({ "media_id": "m" })),
        (link, "news", json!({ "articles": [{ "title": "t", "url": "u" }] })),
    ] {
        let (_, body, _) = ask(&said(content), &json!({ "errcode": 0 }));
        assert_eq!((&body["msgtype"], &body[kind]), (&json!(kind), &expected));
    }
    assert!(said(Content::Text { text: "x".repeat(2049) }).check().is_err());
    assert!(said(Content::Text { text: "x".repeat(2048) }).check().is_ok());
}

#[test]
fn codes_of_errors_say_what_to_do() {
    let said = Ask::ServiceMessage { open_id: "o1".to_owned(), message: Content::Text { text: "hi".to_owned() } };
    let refused = |code: i64| ask(&said, &json!({ "errcode": code, "errmsg": "x" })).2.unwrap_err();
    for code in [40_001, 40_014, 42_001] {
        assert!(matches!(refused(code), ApiError::TokenExpired(_)), "{code}");
    }
    for code in [45_009, 45_011] {
        assert!(matches!(refused(code), ApiError::RateLimited(_)), "{code}");
    }
    for code in [-1, 40_164] {
        assert!(matches!(refused(code), ApiError::Retryable(_)), "{code}");
    }
    for code in [40_003, 40_037, 43_004, 43_101, 45_015, 45_047, 45_065, 48_001] {
        assert!(matches!(refused(code), ApiError::Permanent(_)), "{code}");
    }
    assert!(refused(45_015).to_string().contains("48 hours"));
    let app = App::of([("app_id", "wx1"), ("secret", "invented")]);
    let request = official_account::token_request(&app);
    assert_eq!(request.path_and_query, "/cgi-bin/stable_token");
    assert!(request.body.contains("\"force_refresh\":false"));
    assert!(official_account::token(br#"{"access_token":"t","expires_in":7200}"#).is_ok());
    let wrong = official_account::token(br#"{"errcode":40013,"errmsg":"x"}"#).unwrap_err();
    assert!(matches!(&wrong, ApiError::Retryable(_)) && wrong.to_string().contains("official_account_app_id"));
}
