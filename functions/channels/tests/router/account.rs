//! The Official Account: followers by scene, menus, messages.

use crate::support::{ACCOUNT, House, at};
use axum::body::Body;
use domain::{CustomerId, CustomerIdentified, Event, Identity, IdentityKind, Version};
use http::Request;
use serde_json::{Value, json};

fn subscribed(scene: &str) -> String {
    format!("<MsgType>event</MsgType><Event>subscribe</Event><EventKey>qrscene_{scene}</EventKey><Ticket>t</Ticket>")
}

#[tokio::test]
async fn a_follower_by_a_code_is_credited_welcomed_and_asked_about() {
    let house = House::open().await;
    let plan = json!({ "welcome": { "default": { "text": "你好{customer}，欢迎",
        "attachments": [{ "kind": "link", "title": "菜单", "url": "https://a.example" }] } } });
    let code = house.code("account", plan).await;
    let asked = house.asked_for("create_code").await;
    assert_eq!((&asked[0]["scene"], &asked[0]["permanent"]), (&code["state"], &json!(true)));
    let made =
        json!({ "answer": "code_created", "ticket": "t", "url": "http://weixin.example/q/1", "expires_in": null });
    house.answer("create_code", made).await;
    let shown = house.get(&format!("/v1/channel-codes/{}", code["id"].as_str().unwrap())).await;
    assert_eq!((&shown["status"], &shown["target"]), (&json!("ready"), &json!("http://weixin.example/q/1")));
    let answer = house.account("o1", &subscribed(code["state"].as_str().unwrap())).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "success"));
    house.consume().await;
    assert_eq!(house.told().await, ["account_followed", "code_scanned"]);
    let said = house.asked_for("service_message").await;
    assert_eq!((said.len(), &said[0]["message"]["text"]), (2, &json!("你好，欢迎")));
    house.answer("service_message", json!({ "answer": "sent", "message_id": null })).await;
    assert_eq!(house.column("select outcome as v from welcome").await, ["sent_as_message"]);
    let person = json!({ "answer": "person", "open_id": "o1", "subscribed": true, "union_id": "u1",
        "subscribed_at": null, "subscribed_by": null, "scene": null });
    house.answer("get_person", person).await;
    let told = house.column("select data as v from event where type = 'contact.detailed'").await;
    let told: Value = serde_json::from_str(&told[0]).unwrap();
    assert_eq!(told["identities"][1], json!({ "kind": "wechat_open_id", "scope": ACCOUNT, "value": "o1" }));
}

#[tokio::test]
async fn a_temporary_code_says_until_when_it_works() {
    let house = House::open().await;
    let code = house.code("account_temporary", json!({ "seconds": 600 })).await;
    let made =
        json!({ "answer": "code_created", "ticket": "t", "url": "http://weixin.example/q/2", "expires_in": 600 });
    house.answer("create_code", made).await;
    let shown = house.get(&format!("/v1/channel-codes/{}", code["id"].as_str().unwrap())).await;
    assert_eq!(shown["expires_at"], at(600).to_string());
}

#[tokio::test]
async fn what_people_write_is_sealed_and_its_keywords_are_told() {
    let house = House::open().await;
    let write =
        |tx: &kit::Tx<'_>| tx.run("insert into keyword (word, created_at) values ('奶粉', 0), ('退款', 0)", &[]);
    let made = house.app.db().write(&kit::Cx::at(crate::support::at(0)), write).await;
    made.map_err(|error: kit::DbError| error).unwrap();
    let fields = "<MsgType>text</MsgType><Content><![CDATA[我要买奶粉，电话13800000001]]></Content><MsgId>77</MsgId>";
    assert_eq!(house.account("o1", fields).await.status, 200);
    house.consume().await;
    let events = house.column("select data as v from event").await;
    assert!(events.iter().all(|event| !event.contains("13800000001")));
    assert!(events[0].contains("\"keywords\":[\"奶粉\"]"), "{}", events[0]);
    let kept = house.column(
        "select form || ' ' || (length(sealed) > 20) || ' ' || (instr(sealed, '奶粉') > 0) as v from inbound_message",
    );
    assert_eq!(kept.await, ["text 1 0"]);
}

/// Pictures and places are kept with all that they hold, sealed; keywords are those of words.
#[tokio::test]
async fn what_people_send_besides_words_is_kept() {
    let house = House::open().await;
    let write = |tx: &kit::Tx<'_>| tx.run("insert into keyword (word, created_at) values ('南京路', 0)", &[]);
    let made = house.app.db().write(&kit::Cx::at(at(0)), write).await;
    made.map_err(|error: kit::DbError| error).unwrap();
    for fields in [
        "<MsgType>image</MsgType><PicUrl><![CDATA[http://p.example/1]]></PicUrl><MediaId>m1</MediaId><MsgId>1</MsgId>",
        "<MsgType>location</MsgType><Location_X>31.23</Location_X><Location_Y>121.47</Location_Y><Scale>20</Scale>\
         <Label><![CDATA[南京路1号]]></Label><MsgId>2</MsgId>",
    ] {
        assert_eq!(house.account("o1", fields).await.status, 200);
        house.app.clock().set(at(1)).await.unwrap();
    }
    let read = |tx: &kit::Tx<'_>| {
        let rows = tx.query("select form, sealed from inbound_message order by at", &[])?;
        rows.iter().map(|row| Ok((row.get("form")?, row.get("sealed")?))).collect::<Result<Vec<_>, kit::DbError>>()
    };
    let kept: Vec<(String, Vec<u8>)> = house.app.db().read(&kit::Cx::at(at(0)), read).await.unwrap();
    let vault = kit::Vault::new(house.app.variables()).unwrap();
    let opened: Vec<(String, Value)> = kept
        .into_iter()
        .map(|(form, sealed)| (form, vault.open(platforms::official_account::TEXT, &sealed).unwrap()))
        .map(|(form, clear)| (form, serde_json::from_slice(&clear).unwrap()))
        .collect();
    let place = json!({ "Location_X": "31.23", "Location_Y": "121.47", "Scale": "20", "Label": "南京路1号" });
    let image = json!({ "PicUrl": "http://p.example/1", "MediaId": "m1" });
    assert_eq!(opened, [("image".to_owned(), image), ("location".to_owned(), place)]);
    let told = house.column("select data as v from event where type = 'activity.recorded'").await;
    assert!(told.iter().all(|event| event.contains("\"keywords\":[]") && !event.contains("南京")), "{told:?}");
}

#[tokio::test]
async fn menus_scans_and_leaving_are_told() {
    let house = House::open().await;
    let code = house.code("account", json!({})).await;
    let scene = code["state"].as_str().unwrap();
    for fields in [
        "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>menu-1</EventKey>".to_owned(),
        "<MsgType>event</MsgType><Event>VIEW</Event><EventKey>https://a.example</EventKey>".to_owned(),
        format!("<MsgType>event</MsgType><Event>SCAN</Event><EventKey>{scene}</EventKey><Ticket>t</Ticket>"),
        "<MsgType>event</MsgType><Event>unsubscribe</Event><EventKey></EventKey>".to_owned(),
    ] {
        assert_eq!(house.account("o1", &fields).await.status, 200, "{fields}");
    }
    assert_eq!(house.told().await, ["menu_used", "menu_used", "code_scanned", "account_unfollowed"]);
}

/// Who followed before this application was there is met by what it does first; who scans again is welcomed back.
#[tokio::test]
async fn a_follower_who_scans_again_is_met_and_welcomed() {
    let house = House::open().await;
    let plan = json!({ "welcome": { "default": { "text": "欢迎回来" } } });
    let code = house.code("account", plan).await;
    let scan = format!(
        "<MsgType>event</MsgType><Event>SCAN</Event><EventKey>{}</EventKey><Ticket>t</Ticket>",
        code["state"].as_str().unwrap()
    );
    assert_eq!(house.account("o1", &scan).await.status, 200);
    house.consume().await;
    assert_eq!(house.asked_for("get_person").await.len(), 1);
    assert_eq!(house.asked_for("service_message").await[0]["message"]["text"], json!("欢迎回来"));
    let person = json!({ "answer": "person", "open_id": "o1", "subscribed": true, "union_id": "u1",
        "subscribed_at": null, "subscribed_by": null, "scene": null });
    house.answer("get_person", person).await;
    let who = Identity { kind: IdentityKind::WechatOpenId, scope: Some(ACCOUNT.to_owned()), value: "o1".to_owned() };
    let customer_id = CustomerId::new(at(0), kit::unique());
    house
        .happened(Event::CustomerIdentified(CustomerIdentified {
            v: Version,
            customer_id,
            new: true,
            identities: vec![who],
            at: at(0),
        }))
        .await;
    assert_eq!(
        house.account("o1", "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>m</EventKey>").await.status,
        200
    );
    house.consume().await;
    assert!(house.asked_for("get_person").await.is_empty(), "who is known is not asked about");
}

#[tokio::test]
async fn a_temporary_code_expires() {
    let house = House::open().await;
    let code = house.code("account_temporary", json!({ "seconds": 60 })).await;
    let made = json!({ "answer": "code_created", "ticket": "t", "url": "http://weixin.example/q/2", "expires_in": 60 });
    house.answer("create_code", made).await;
    let path = format!("/v1/channel-codes/{}", code["id"].as_str().unwrap());
    assert_eq!(house.get(&path).await["status"], "ready");
    let page = format!("/q/{}", code["state"].as_str().unwrap());
    let open = || house.send(Request::get(&page).body(Body::empty()).unwrap());
    assert_eq!(open().await.status, 200);
    house.app.clock().set(at(60)).await.unwrap();
    assert_eq!(house.get(&path).await["status"], "expired");
    assert_eq!(open().await.status, 410);
}

#[tokio::test]
async fn how_a_template_message_ended_is_told() {
    let house = House::open().await;
    for (number, status) in ["success", "failed:user block"].into_iter().enumerate() {
        let fields = format!(
            "<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>{number}</MsgID><Status><![CDATA[{status}]]></Status>"
        );
        assert_eq!(house.account("o1", &fields).await.status, 200);
    }
    let told = house.column(
        "select subject || ' ' || (data ->> '$.identity.value') || ' ' || (data ->> '$.delivered') || ' ' || (data ->> '$.status') as v
           from event where type = 'template_message.ended' order by seq",
    );
    assert_eq!(told.await, ["0 o1 1 success", "1 o1 0 failed:user block"]);
}
