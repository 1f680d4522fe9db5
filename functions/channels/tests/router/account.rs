//! The Official Account: followers by scene, menus, messages.

use crate::support::{ACCOUNT, House};
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
    assert_eq!(shown["expires_at"], crate::support::at(600).to_string());
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
