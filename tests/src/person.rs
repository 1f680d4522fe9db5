//! One person's way through the merchant's channels: she scans a code in a store, follows, looks at the menu, views a product three
//! times, comments in a live room, and buys on Douyin and on Taobao. Each platform knows her by another id. All of it is invented.

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::Client;
use crate::marketplace::server::Server;
use crate::merchant::baskets;
use crate::standard_webhooks;
use crate::system::{System, WEBHOOK_SECRET};

/// What she buys and looks at, as the merchant's catalogue calls it.
pub const PRODUCT: &str = "TEA-STRAWBERRY";
/// Her ids: WeChat's, and the marketplaces'.
pub const UNIONID: &str = "oTestUnion-0001";
/// Her id on every marketplace.
pub const BUYER: &str = "测试草莓爱好者";
/// The store that she walks into.
pub const STORE: &str = "/east/shanghai-01";

/// The tags that she has in the end, sorted.
pub const TAGS: [&str; 8] = [
    "Asks for the price",
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
    Ok(())
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

/// An event about whoever has these ids: kind, scope, value.
pub fn event(id: &str, source: &str, kind: &str, who: &[(&str, Option<&str>, &str)], what: Value) -> Value {
    let identities: Vec<_> =
        who.iter().map(|(kind, scope, value)| json!({ "kind": kind, "scope": scope, "value": value })).collect();
    json!({ "specversion": "1.0", "id": id, "source": source, "type": kind, "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "data": { "who": { "identities": identities }, "channel": "测试渠道", "what": what } })
}

/// Play her way. `taobao` is the simulated Taobao among the system's other platforms, with its shop connected.
///
/// # Errors
/// When something is not taken.
pub async fn play(system: &System, taobao: &Server) -> Result<()> {
    let wechat = ("wechat_union_id", None, UNIONID);
    let douyin = ("douyin_open_id", Some(system.platform.app().key.as_str()), BUYER);
    let on_taobao = ("taobao_open_uid", Some(taobao.app().key.as_str()), BUYER);
    let mut scanned = event("p-1", "store-codes", "code.scanned", &[wechat], json!({ "code": "shanghai-01-door" }));
    scanned["data"]["store"] = json!(STORE);
    scanned["data"]["staff"] = json!("G-07");
    scanned["data"]["who"]["name"] = json!("虚构草莓");
    let mut events = vec![
        scanned,
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
        let placed = Timestamp::now().as_second() - 120;
        server
            .shop(|shop| {
                let mut basket = baskets::plain(vec![baskets::tea(PRODUCT, 2, 1_990)]);
                basket.buyer = BUYER.to_owned();
                let id = shop.place(basket, placed);
                shop.pay(&id, placed + 30)
            })
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        // Taobao's messages wait in a queue that the application asks for.
        if let crate::marketplace::dialect::Delivery::Push(_) = server.dialect().delivery() {
            let none = crate::marketplace::push::Mishaps::NONE;
            server.deliver(&none, &Client::new(), &hook).await?;
        }
    }
    Ok(())
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
