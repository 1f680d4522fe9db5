//! The Official Account: tokens, codes, followers, messages, and callbacks in every mode.

use std::time::Duration;

use serde_json::{Value, json};
use siyu_tests::http::Client;
use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::official_account::{OfficialAccount, Settings};
use siyu_tests::wechat::callback::{Mode, element, xml};
use siyu_tests::wechat::seal;

use super::receiver::{Answer, Receiver};
use super::{Caller, THEN, kinds, somebody};

const DAY: i64 = 86_400;

fn grant(secret: &str, force: bool) -> Value {
    json!({ "grant_type": "client_credential", "appid": Settings::default().app_id, "secret": secret, "force_refresh": force })
}

async fn account_with(settings: Settings) -> (OfficialAccount, Caller) {
    let body = grant(&settings.secret, false);
    let account = OfficialAccount::start(settings).await.unwrap();
    account.set_clock(Some(THEN));
    account.set_token_life(400 * DAY);
    account.set_pause(Duration::from_millis(5));
    let (client, base) = (Client::new(), account.base());
    let answer = client.json("POST", &format!("{base}/cgi-bin/stable_token"), &body).await.unwrap().json().unwrap();
    let token = answer["access_token"].as_str().unwrap().to_owned();
    (account, Caller { client, base, token })
}

async fn account() -> (OfficialAccount, Caller) {
    account_with(Settings::default()).await
}

async fn code(caller: &Caller, action: &str, scene: Value) -> Value {
    let body = json!({ "action_name": action, "expire_seconds": 3600, "action_info": { "scene": scene } });
    caller.post("qrcode/create", body).await
}

#[tokio::test]
async fn the_stable_token_is_the_same_for_all_and_the_old_one_new_each_time() {
    let (account, caller) = account().await;
    let secret = Settings::default().secret;
    let stable = async |body: Value| {
        let url = format!("{}/cgi-bin/stable_token", caller.base);
        caller.client.json("POST", &url, &body).await.unwrap().json().unwrap()
    };
    let old = async || {
        let query = format!("grant_type=client_credential&appid={}&secret={secret}", Settings::default().app_id);
        let url = format!("{}/cgi-bin/token?{query}", caller.base);
        caller.client.get(&url).await.unwrap().json().unwrap()["access_token"].as_str().unwrap().to_owned()
    };
    assert_eq!(stable(grant(&secret, false)).await["access_token"], json!(caller.token));
    let with = |token: &str| Caller { token: token.to_owned(), client: Client::new(), base: account.base() };
    let works = async |token: &str| with(token).get("user/info", "openid=x").await["errcode"] == 40003;
    let (first, second) = (old().await, old().await);
    assert_ne!(first, second);
    assert!(works(&first).await && works(&second).await, "a few minutes of overlap");
    account.set_clock(Some(THEN + 300));
    assert!(!works(&first).await && works(&second).await && works(&caller.token).await);
    let forced = stable(grant(&secret, true)).await["access_token"].as_str().unwrap().to_owned();
    assert!(works(&forced).await && !works(&caller.token).await, "at once");
    assert_eq!(stable(grant("a-guess", false)).await["errcode"], 40125);
    assert_eq!(stable(json!({ "grant_type": "x" })).await["errcode"], 40002);
    let got = caller.client.get(&format!("{}/cgi-bin/stable_token", caller.base)).await.unwrap().json().unwrap();
    assert_eq!(got["errcode"], 43002);
    account.set_trusted(false);
    assert_eq!(with(&forced).get("user/info", "openid=x").await["errcode"], 40164);
}

#[tokio::test]
async fn codes_have_scenes_lives_and_a_quota() {
    let (account, caller) = account_with(Settings { permanent_codes: 2, ..Settings::default() }).await;
    let text = |length: usize| json!({ "scene_str": "s".repeat(length) });
    for (action, scene, expected) in [
        ("QR_STR_SCENE", text(64), 0),
        ("QR_STR_SCENE", text(65), 40053),
        ("QR_STR_SCENE", text(0), 40053),
        ("QR_SCENE", json!({ "scene_id": 0 }), 40053),
        ("QR_SCENE", json!({ "scene_id": 123 }), 0),
        ("QR_NO_SCENE", text(3), 40053),
        ("QR_LIMIT_SCENE", json!({ "scene_id": 100_001 }), 40053),
        ("QR_LIMIT_STR_SCENE", json!({ "scene_str": "door" }), 0),
        ("QR_LIMIT_SCENE", json!({ "scene_id": 7 }), 0),
        ("QR_LIMIT_STR_SCENE", json!({ "scene_str": "door" }), 0),
        ("QR_LIMIT_STR_SCENE", json!({ "scene_str": "window" }), 45029),
    ] {
        let answer = code(&caller, action, scene.clone()).await;
        assert_eq!(answer["errcode"], expected, "{action} {scene}");
        if expected == 0 {
            assert!(answer["ticket"].is_string() && answer["url"].is_string());
            assert_eq!(answer.get("expire_seconds").is_some(), !action.contains("LIMIT"));
        }
    }
    let long =
        json!({ "action_name": "QR_STR_SCENE", "expire_seconds": 2_592_001, "action_info": { "scene": text(3) } });
    assert_eq!(caller.post("qrcode/create", long).await["errcode"], 40053);
    account.set_clock(Some(THEN + 3600));
    assert!(account.subscribe(&somebody(), Some("123")).is_err(), "the temporary one is over");
    account.subscribe(&somebody(), Some("door")).unwrap();
}

#[tokio::test]
async fn people_follow_scan_write_and_leave() {
    let (account, caller) = account().await;
    let ticket = code(&caller, "QR_LIMIT_STR_SCENE", json!({ "scene_str": "door" })).await["ticket"].clone();
    let receiver = Receiver::start(account.console(), THEN, Vec::new()).await;
    account.route(&receiver.address);
    let person = somebody();
    assert!(account.write(&person, "?").is_err() && account.unsubscribe(&person).is_err());
    account.scan(&person, "door").unwrap();
    assert!(account.subscribe(&person, None).is_err(), "follows already");
    account.scan(&person, "door").unwrap();
    account.write(&person, "多少钱").unwrap();
    account.click(&person, "MENU_1").unwrap();
    account.view(&person, "https://example.com/").unwrap();
    account.send(&person, "image", json!({ "PicUrl": "https://example.com/1.png", "MediaId": "m" })).unwrap();
    let openid = account.openid(&person);
    let info = async || caller.get("user/info", &format!("openid={openid}&lang=zh_CN")).await;
    let known = info().await;
    assert_eq!(
        (&known["subscribe"], &known["qr_scene_str"], &known["unionid"]),
        (&json!(1), &json!("door"), &json!(person.unionid))
    );
    assert_eq!((&known["subscribe_time"], &known["subscribe_scene"]), (&json!(THEN), &json!("ADD_SCENE_QR_CODE")));
    account.unsubscribe(&person).unwrap();
    assert_eq!(info().await["subscribe"], 0);
    assert_eq!(caller.get("user/info", "openid=nobody").await["errcode"], 40003);
    account.deliver(&Mishaps::NONE).await.unwrap();
    let told = receiver.told();
    let seen: Vec<_> = told
        .iter()
        .map(|told| {
            let text = |name: &str| told[name].as_str().unwrap_or_default();
            (text(if text("MsgType") == "event" { "Event" } else { "MsgType" }), text("EventKey"))
        })
        .collect();
    let expected = [
        ("subscribe", "qrscene_door"),
        ("SCAN", "door"),
        ("text", ""),
        ("CLICK", "MENU_1"),
        ("VIEW", "https://example.com/"),
        ("image", ""),
        ("unsubscribe", ""),
    ];
    assert_eq!(seen, expected);
    assert!(told.iter().all(|told| told["FromUserName"] == json!(openid) && told["ToUserName"] == "gh_0123456789cd"));
    assert_eq!((&told[0]["Ticket"], &told[2]["Content"]), (&ticket, &json!("多少钱")));
    assert_ne!(told[2]["MsgId"], told[5]["MsgId"]);
}

#[tokio::test]
async fn template_messages_are_told_of_and_refused_as_documented() {
    let (account, caller) = account().await;
    let person = somebody();
    account.subscribe(&person, None).unwrap();
    account.untold();
    let openid = account.openid(&person);
    let message = |field: &str, value: Value| {
        let mut body = json!({ "touser": openid, "template_id": "template-coupon", "client_msg_id": "m-1", "data": { "a": { "value": "x" } } });
        body[field] = value;
        body
    };
    let send = async |body: Value| caller.post("message/template/send", body).await;
    for (field, value, expected) in
        [("touser", json!("nobody"), 40003), ("template_id", json!("t"), 40037), ("data", json!("x"), 47001)]
    {
        assert_eq!(send(message(field, value)).await["errcode"], expected, "{field}");
    }
    let first = send(message("url", json!("https://example.com"))).await;
    assert_eq!(send(message("url", json!("https://example.com"))).await["msgid"], first["msgid"], "the same message");
    account.set_blocks(&person, true);
    let second = send(message("client_msg_id", json!("m-2"))).await;
    let told = account.untold();
    assert_eq!(kinds(&told), ["TEMPLATESENDJOBFINISH", "TEMPLATESENDJOBFINISH"]);
    assert_eq!((&told[0].content["MsgID"], &told[0].content["Status"]), (&first["msgid"], &json!("success")));
    assert_eq!(
        (&told[1].content["MsgID"], &told[1].content["Status"]),
        (&second["msgid"], &json!("failed:user block"))
    );
    let delivered: Vec<_> = account.template_messages(&person).into_iter().map(|sent| sent.is_delivered).collect();
    assert_eq!(delivered, [true, false]);
    account.unsubscribe(&person).unwrap();
    assert_eq!(send(message("client_msg_id", json!("m-3"))).await["errcode"], 43004);
}

#[tokio::test]
async fn customer_service_messages_have_a_window() {
    for (settings, after_other, messages) in
        [(Settings::default(), 48 * 3600, 20), (Settings::default().with_narrow_windows(), 60, 3)]
    {
        let (account, caller) = account_with(settings).await;
        let person = somebody();
        account.subscribe(&person, None).unwrap();
        let openid = account.openid(&person);
        let send = async |text: &str| {
            let body = json!({ "touser": openid, "msgtype": "text", "text": { "content": text } });
            caller.post("message/custom/send", body).await["errcode"].as_i64().unwrap()
        };
        account.set_clock(Some(THEN + after_other - 1));
        for _ in 0..messages {
            assert_eq!(send("a").await, 0);
        }
        assert_eq!(send("a").await, 45047);
        account.click(&person, "k").unwrap();
        assert_eq!((send("").await, send(&"x".repeat(2049)).await, send("b").await), (44004, 45002, 0));
        account.set_clock(Some(THEN + 2 * after_other));
        assert_eq!(send("c").await, 45015);
        account.view(&person, "https://example.com").unwrap();
        assert_eq!(send("c").await, 45015, "a page is no reason to write");
        account.write(&person, "?").unwrap();
        account.set_clock(Some(THEN + 2 * after_other + 48 * 3600 - 1));
        assert_eq!(send("c").await, 0);
        account.unsubscribe(&person).unwrap();
        assert_eq!(send("c").await, 45015);
        let poem = json!({ "touser": openid, "msgtype": "poem", "poem": {} });
        assert_eq!(caller.post("message/custom/send", poem).await["errcode"], 40008);
        assert_eq!(account.custom_messages(&person).len(), messages + 2);
    }
}

#[tokio::test]
async fn callbacks_come_in_every_mode() {
    let (account, _) = account().await;
    let person = somebody();
    account.subscribe(&person, None).unwrap();
    account.untold();
    let receiver = Receiver::start(account.console(), THEN, Vec::new()).await;
    account.route(&receiver.address);
    for mode in [Mode::Plain, Mode::Compatible, Mode::Sealed] {
        account.set_mode(mode);
        account.write(&person, "你好").unwrap();
        account.deliver(&Mishaps::NONE).await.unwrap();
    }
    let heard = receiver.heard();
    let readable = heard.each_content();
    assert_eq!(readable, [Some("你好".to_owned()), Some("你好".to_owned()), None]);
    let opened: Vec<_> =
        heard.iter().map(|heard| heard.content.as_ref().map(|content| content["Content"].clone())).collect();
    assert_eq!(opened, [None, Some(json!("你好")), Some(json!("你好"))], "plain ones prove nothing and do not open");
    for (heard, sealed) in heard.iter().zip([false, true, true]) {
        assert_eq!(heard.query.contains("encrypt_type=aes&msg_signature="), sealed);
        assert!(heard.query.contains(&format!("openid={}", account.openid(&person))));
    }
    account.verify_url().await.unwrap();
}

trait Contents {
    fn each_content(&self) -> Vec<Option<String>>;
}

impl Contents for Vec<super::receiver::Heard> {
    /// What anybody on the way can read.
    fn each_content(&self) -> Vec<Option<String>> {
        self.iter().map(|heard| element(&heard.body, "Content")).collect()
    }
}

#[tokio::test]
async fn replies_reach_people_and_nonsense_annoys_them() {
    let (account, _) = account().await;
    let person = somebody();
    account.subscribe(&person, None).unwrap();
    let console = account.console();
    let text = xml(&json!({ "MsgType": "text", "Content": "您好" }));
    let sealed = seal::seal(&console.key, [7; 16], &text, &console.receive_id).unwrap();
    let signature = seal::signature(vec![&console.token, "1790000000", "n", &sealed]);
    let reply = |signature: &str| {
        xml(&json!({ "Encrypt": sealed, "MsgSignature": signature, "TimeStamp": THEN, "Nonce": "n" }))
    };
    let answers = [String::new(), "success".to_owned(), reply(&signature), reply("0"), text.clone(), "{}".to_owned()];
    let receiver = Receiver::start(account.console(), THEN, answers.map(Answer::Body).into()).await;
    account.route(&receiver.address);
    (0..5).for_each(|n| account.write(&person, &n.to_string()).unwrap());
    account.deliver(&Mishaps::NONE).await.unwrap();
    let replies: Vec<_> = account.replies(&person).into_iter().map(|reply| element(&reply.xml, "Content")).collect();
    assert_eq!(replies, [Some("您好".to_owned())]);
    assert_eq!(account.annoyances(&person), 3, "a wrong signature, a text in the clear, and no message at all");
}
