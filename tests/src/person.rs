//! One person's way through the merchant's channels: she scans a code in a store, follows, looks at the menu, views a product three
//! times, comments in a live room, and buys on Douyin and on Taobao. Each platform knows her by another id. All of it is invented.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use domain::{UnixMs, day};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::Client;
use crate::marketplace::push::Mishaps;
use crate::marketplace::server::Server;
use crate::merchant::baskets;
use crate::standard_webhooks;
use crate::system::{System, WEBHOOK_SECRET};
use crate::wechat::people::Person;

/// What she buys and looks at, as the merchant's catalogue calls it.
pub const PRODUCT: &str = "TEA-STRAWBERRY";
/// What the simulated WeChat calls her.
pub const HER: &str = "草莓";
/// Her id on every marketplace.
pub const BUYER: &str = "测试草莓爱好者";
/// The store that she walks into.
pub const STORE: &str = "/east/shanghai-01";
/// The channel of the code at its door.
pub const CHANNEL: &str = "store-doors";
/// What the channel cost today, fen.
pub const COST: i64 = 2_000;
/// Who receives those who scan it.
pub const ADVISOR: &str = "staff-01";

/// The tags that she has in the end, sorted.
pub const TAGS: [&str; 9] = [
    "Asks for the price",
    "Came by the store's door",
    "Hesitates at the menu",
    "Looked at a product three times",
    "New follower",
    "Repeat buyer",
    "Strawberry",
    "Taobao VIP",
    "Yangtze delta",
];

/// What the merchant sets up first: the catalogue, words to listen for, the rules that ship and one of its own.
///
/// # Errors
/// When something is refused.
pub async fn prepare(system: &System) -> Result<()> {
    let product = json!({ "category": "fruit tea", "brand": "测试茶饮", "flavour": "strawberry" });
    call(system, "PUT", &format!("/v1/products/{PRODUCT}"), &product).await?;
    call(system, "PUT", "/v1/keywords", &json!({ "words": ["多少钱", "price"] })).await?;
    let mut rules = Vec::new();
    for set in ["interest", "value", "profile"] {
        let installed = call(system, "POST", &format!("/v1/tag-rules/seeds/{set}"), &json!({})).await?;
        rules.extend(installed["drafted"].as_array().context("nothing was drafted")?.iter().cloned());
    }
    let group = call(system, "POST", "/v1/tag-groups", &json!({ "name": "Questions" })).await?;
    let group = group["id"].as_str().context("a group without id")?;
    let tag =
        call(system, "POST", &format!("/v1/tag-groups/{group}/tags"), &json!({ "name": "Asks for the price" })).await?;
    let condition = json!({ "keyword": "多少钱", "window": "7d", "op": ">=", "value": 1 });
    let rule = json!({ "name": "Asks for the price", "condition": condition, "effects": [{ "add_tag": tag["id"] }] });
    rules.push(call(system, "POST", "/v1/tag-rules", &rule).await?["id"].clone());
    for rule in rules {
        let id = rule.as_str().context("a rule without id")?;
        call(system, "POST", &format!("/v1/tag-rules/{id}/activate"), &json!({})).await?;
    }
    let path = format!("/v1/tag-groups/{group}/tags");
    let door = call(system, "POST", &path, &json!({ "name": "Came by the store's door" })).await?;
    call(system, "PUT", &format!("/v1/channels/{CHANNEL}"), &json!({ "label": "门店海报" })).await?;
    let members = json!([{ "staff": ADVISOR, "daily_cap": 100 }]);
    let plan = json!({
        "reception": { "staff": [{ "from": "00:00", "until": "24:00", "members": members }] },
        "tags": [door["id"]],
        "welcome": { "default": { "text": "你好{customer}，欢迎光临" } },
    });
    let code = json!({ "channel": CHANNEL, "kind": "contact_way", "name": "A店门口", "store": STORE, "plan": plan });
    call(system, "POST", "/v1/channel-codes", &code).await?;
    Ok(())
}

/// The code at the store's door, once WeCom has made it.
async fn door(system: &System) -> Result<String> {
    let made = async |system: &System| {
        let codes = system.client.pages(&system.host.at(&format!("/v1/channel-codes?channel={CHANNEL}"))).await?;
        let ready = codes.iter().find(|code| code["status"] == "ready");
        Ok(ready.and_then(|code| code["state"].as_str()).map(str::to_owned))
    };
    system.wait_for("WeCom to make the code", Duration::from_secs(20), made).await
}

/// She, as the simulated WeChat knows her.
pub fn her() -> Person {
    Person::new(HER)
}

async fn call(system: &System, method: &str, path: &str, body: &Value) -> Result<Value> {
    let answer = system.client.json(method, &system.host.at(path), body).await?;
    ensure!(answer.status.is_success(), "{method} {path} was answered with {answer}");
    answer.json()
}

/// Tell the application of events at its open door, as one signed batch.
///
/// # Errors
/// When it does not take all of them.
pub async fn tell(system: &System, id: &str, events: &[Value]) -> Result<()> {
    let body = json!(events).to_string().into_bytes();
    let headers = standard_webhooks::headers(WEBHOOK_SECRET, id, Timestamp::now().as_second(), &body)?;
    let answer = Client::new().send("POST", &system.host.at("/hooks/events"), &headers, body).await?;
    ensure!(answer.status == 200, "the events were answered with {answer}");
    Ok(())
}

/// An event about whoever has these ids: kind, scope, value. It names no channel, so that she came by the door alone.
pub fn event(id: &str, source: &str, kind: &str, who: &[(&str, Option<&str>, &str)], what: Value) -> Value {
    let identities: Vec<_> =
        who.iter().map(|(kind, scope, value)| json!({ "kind": kind, "scope": scope, "value": value })).collect();
    json!({ "specversion": "1.0", "id": id, "source": source, "type": kind, "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "data": { "who": { "identities": identities }, "what": what } })
}

/// Play her way. `taobao` is the simulated Taobao among the system's other platforms, with its shop connected.
///
/// # Errors
/// When something is not taken.
pub async fn play(system: &System, taobao: &Server) -> Result<()> {
    let her = her();
    let unionid = her.unionid.clone().context("she has a unionid")?;
    let wechat = ("wechat_union_id", None, unionid.as_str());
    let douyin = ("douyin_open_id", Some(system.platform.app().key.as_str()), BUYER);
    let on_taobao = ("taobao_open_uid", Some(taobao.app().key.as_str()), BUYER);
    system.wecom.scan(&door(system).await?, &her)?;
    system.wecom.deliver(&Mishaps::NONE).await?;
    let mut events = vec![
        event("p-2", "official-account", "account.followed", &[wechat], json!({ "account": "gh_test" })),
        event("p-3", "menu", "menu.dwelled", &[wechat], json!({ "menu": "spring", "dwell_ms": 42_000 })),
        event(
            "p-4",
            "live-room",
            "live.commented",
            &[wechat, douyin],
            json!({ "room": "r-1", "text": "草莓的多少钱?" }),
        ),
        event(
            "p-5",
            "members",
            "member.level_told",
            &[wechat, on_taobao],
            json!({ "program": "taobao", "level": "V2" }),
        ),
    ];
    events.extend((0..3).map(|view| {
        let what = json!({ "product": PRODUCT, "category": "fruit tea", "dwell_ms": 3_000 + view });
        event(&format!("p-view-{view}"), "mini-program", "page.viewed", &[wechat], what)
    }));
    tell(system, "person-1", &events).await?;
    for (server, hook) in [(&system.platform, system.douyin_hook()), (taobao, system.hook(taobao))] {
        // After the scan: what she buys is owed to the code at the door.
        let placed = Timestamp::now().as_second();
        server
            .shop(|shop| {
                let mut basket = baskets::plain(vec![baskets::tea(PRODUCT, 2, 1_990)]);
                basket.buyer = BUYER.to_owned();
                let id = shop.place(basket, placed);
                shop.pay(&id, placed)
            })
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        // Taobao's messages wait in a queue that the application asks for.
        if let crate::marketplace::dialect::Delivery::Push(_) = server.dialect().delivery() {
            server.deliver(&Mishaps::NONE, &Client::new(), &hook).await?;
        }
    }
    Ok(())
}

/// What the code at the door brought today, by the store that it hangs in, its cost entered before: the report's row; nothing before there is one.
///
/// # Errors
/// When the application cannot be asked.
pub async fn roi(system: &System) -> Result<Option<Value>> {
    let now = UnixMs::from_seconds(Timestamp::now().as_second())?;
    let today = day::date_of(day::of(now)).context("no such day")?;
    let cost = json!({ "amount": COST });
    let url = system.host.at(&format!("/v1/channels/{CHANNEL}/costs/{today}"));
    let entered = system.client.json("PUT", &url, &cost).await?;
    ensure!(entered.status == 204, "the cost was answered with {entered}");
    // Midnight may have come since she scanned.
    let from = today.yesterday()?;
    let path = format!("/v1/channels/report?from={from}&to={today}&by=store&channel={CHANNEL}");
    let answer = system.client.get(&system.host.at(&path)).await?;
    ensure!(answer.status == 200, "the report: {answer}");
    let report = answer.json()?;
    let rows = report["rows"].as_array().context("a report without rows")?;
    Ok(rows.iter().find(|row| row["key"] == STORE).cloned())
}

/// The customer who has her id, from all sides; nothing while there is not exactly one.
///
/// # Errors
/// When the application cannot be asked.
pub async fn found(system: &System) -> Result<Option<Value>> {
    let list = system.client.pages(&system.host.at("/v1/customers?store=/east")).await?;
    let [only] = list.as_slice() else { return Ok(None) };
    let id = only["id"].as_str().context("a customer without id")?;
    let answer = system.client.get(&system.host.at(&format!("/v1/customers/{id}"))).await?;
    ensure!(answer.status == 200, "customer {id}: {answer}");
    answer.json().map(Some)
}
