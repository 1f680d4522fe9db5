//! Grows customers by the functions' own code, natively: generated events go into the log and are consumed.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use domain::{
    Activity, ActivityRecorded, Amounts, Event, Fen, Identity, IdentityKind, Line, Order, OrderEvent, OrderId,
    OrderKey, OrderStatus, OrderTimes, Platform, Region, UnixMs, Version,
};
use http::Request;
use http_body_util::BodyExt;
use kit::db::Location;
use kit::{App, Client, Cx, DbError, Native, Variables, events};
use serde_json::{Value, json};
use siyu_tests::system::{API_TOKEN, DATA_KEY, WEBHOOK_SECRET};
use tower::ServiceExt;

use super::RULES;

/// Customers whose events are written at a time.
const STEP: u64 = 1_000;

/// What was grown.
pub struct Grown {
    /// The segment of three conditions.
    pub segment: String,
    customers: Vec<String>,
}

impl Grown {
    /// The path of one of the customers.
    pub fn customer(&self, number: u64) -> String {
        let place = usize::try_from(number.wrapping_mul(7_919)).unwrap_or(0) % self.customers.len().max(1);
        format!("/v1/customers/{}", self.customers.get(place).map_or("", String::as_str))
    }
}

/// The value by which a customer is known.
pub fn identity(number: u64) -> String {
    format!("grown-{number:08}")
}

/// Grows so many customers in a new database.
///
/// # Errors
/// When something is refused.
pub async fn grow(database: &Path, customers: u64) -> Result<Grown> {
    let variables = [("api_token", API_TOKEN), ("data_key", DATA_KEY), ("webhook_secret", WEBHOOK_SECRET)];
    let app = App::native(&Native {
        location: Location::File(database.to_owned()),
        variables: Variables::from_pairs(variables),
        client: Client::default(),
        most_per_commit: 256,
    })?;
    let tagging = tagging::router(app.clone());
    let segment = rules(&tagging).await?;
    // Who follows the log, so that the host has nothing to make up for. But orders: these are not in its tables.
    let functions = [customers::router(app.clone()), tagging, channels::router(app.clone())];
    let now = app.clock().now().await?;
    // The rules go to work before there is anybody to look at.
    consume(&functions).await?;
    while app.db().write(&Cx::at(now), |tx| -> Result<_, DbError> { events::fire_due(tx, 500) }).await? > 0 {
        consume(&functions).await?;
    }
    app.db().write(&Cx::at(now), in_memory).await?;
    let began = Instant::now();
    for first in (0..customers).step_by(usize::try_from(STEP)?) {
        let write = move |tx: &kit::Tx<'_>| -> Result<(), DbError> {
            for number in first..(first + STEP).min(customers) {
                for event in of(number, now) {
                    events::append(tx, "/bench", "grown", &event)?;
                }
            }
            Ok(())
        };
        app.db().write(&Cx::at(now), write).await?;
        consume(&functions).await?;
        let passed = "update consumer set seq = (select max(seq) from event) where name = 'orders'";
        app.db().write(&Cx::at(now), |tx| -> Result<(), DbError> { tx.run(passed, &[]) }).await?;
        if (first + STEP).is_multiple_of(20_000) {
            eprintln!("    {} after {:.0?}", first + STEP, began.elapsed());
        }
    }
    // The log of writes is moved before anything is measured.
    app.db().write(&Cx::at(now), |tx| tx.query("pragma wal_autocheckpoint = 1", &[]).map(drop)).await?;
    let ids = |tx: &kit::Tx<'_>| -> Result<Vec<String>, DbError> {
        tx.query("select id from customer order by id limit 5000", &[])?.iter().map(|row| row.get("id")).collect()
    };
    Ok(Grown { segment, customers: app.db().read(&Cx::at(now), ids).await? })
}

/// Growing touches the whole database again and again: what was read stays in memory, and the log of writes is moved seldom.
fn in_memory(tx: &kit::Tx<'_>) -> Result<(), DbError> {
    tx.query("pragma cache_size = -12000000", &[])?;
    tx.query("pragma wal_autocheckpoint = 200000", &[]).map(drop)
}

/// Rules that ask for products, for views and for orders, and a segment.
async fn rules(tagging: &Router) -> Result<String> {
    let group = call(tagging, "/v1/tag-groups", &json!({ "name": "Bench" })).await?;
    let group = group["id"].as_str().context("a group without id")?;
    for number in 0..RULES {
        let tag =
            call(tagging, &format!("/v1/tag-groups/{group}/tags"), &json!({ "name": format!("T-{number}") })).await?;
        let (feature, value) = match number {
            0 => ("follows.count.ever".to_owned(), 1),
            1..100 => (format!("views.count.7d{{product=P-{number}}}"), 2),
            100..150 => ("views.count.30d".to_owned(), number - 97),
            _ => ("orders.amount.365d".to_owned(), 5_000 + 1_000 * (number - 149)),
        };
        let condition = json!({ "feature": feature, "op": ">=", "value": value });
        let effect = json!({ "add_tag": tag["id"], "while_true": true });
        let rule = json!({ "name": format!("R-{number}"), "condition": condition, "effects": [effect] });
        let rule = call(tagging, "/v1/tag-rules", &rule).await?;
        let id = rule["id"].as_str().context("a rule without id")?;
        call(tagging, &format!("/v1/tag-rules/{id}/activate"), &json!({})).await?;
    }
    let condition = json!({ "all": [
        { "feature": "orders.count.365d", "op": ">=", "value": 1 },
        { "feature": "views.count.30d", "op": ">=", "value": 1 },
        { "region": { "province": "浙江省" } },
    ] });
    let segment = call(tagging, "/v1/segments", &json!({ "name": "Bench", "condition": condition })).await?;
    segment["id"].as_str().map(str::to_owned).context("a segment without id")
}

/// What is known of a customer: a view, and for every other one a paid order. Even ones are known by a unionid, odd ones by a device.
fn of(number: u64, now: UnixMs) -> Vec<Event> {
    let who = |kind, scope: Option<&str>, value| Identity { kind, scope: scope.map(str::to_owned), value };
    let wechat = who(IdentityKind::WechatUnionId, None, identity(number));
    let device = who(IdentityKind::SourceId, Some("grown"), identity(number));
    let activity = Activity::PageViewed {
        page: None,
        product: Some(format!("P-{}", number % 100)),
        category: Some("tea".to_owned()),
        dwell_ms: Some(900),
    };
    let viewed = ActivityRecorded {
        v: Version,
        source: "grown".to_owned(),
        identities: if number.is_multiple_of(2) { vec![wechat.clone()] } else { vec![device] },
        hints: Vec::new(),
        channel: Some("bench".to_owned()),
        store: Some("/east/shanghai-01".to_owned()),
        staff: None,
        at: now,
        activity,
    };
    let mut events = vec![Event::ActivityRecorded(viewed)];
    if number.is_multiple_of(2) {
        events.push(Event::OrderPaid(paid(number, wechat, now)));
    }
    events
}

fn paid(number: u64, who: Identity, now: UnixMs) -> OrderEvent {
    let fen = Fen::new(i64::try_from(1_000 + number % 9_000).unwrap_or(1_000));
    let line = Line {
        line_id: "1".to_owned(),
        sku: format!("P-{}", number % 100),
        product_id: None,
        title: "测试茶".to_owned(),
        quantity: 1,
        unit_price: fen,
        discount: Fen::ZERO,
    };
    let key = OrderKey { platform: Platform::Own, shop_id: "bench".to_owned(), platform_order_id: number.to_string() };
    let province = if number.is_multiple_of(4) { "浙江省" } else { "四川省" };
    let order = Order {
        key,
        status: OrderStatus::Paid,
        raw_status: None,
        flags: Vec::new(),
        complete: true,
        lines: vec![line],
        amounts: Some(Amounts { goods: fen, payable: fen, ..Amounts::default() }),
        paid: Some(fen),
        identities: vec![who],
        region: Some(Region { province: province.to_owned(), city: None }),
        live_room: None,
        guide: None,
        member_level: None,
        shipments: Vec::new(),
        times: OrderTimes { created_at: Some(now), paid_at: Some(now), ..OrderTimes::default() },
    };
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    OrderEvent { v: Version, order_id: OrderId::new(UnixMs::EPOCH, random), at: now, order }
}

/// The functions consume to the head, and what they appended too.
async fn consume(functions: &[Router]) -> Result<()> {
    loop {
        let mut applied = 0;
        for function in functions {
            loop {
                let request = Request::post("/consume").body(Body::from("{}"))?;
                let consumed = answer(function, request).await?;
                applied += consumed["applied"].as_u64().unwrap_or(0);
                if consumed["more"] != true {
                    break;
                }
            }
        }
        if applied == 0 {
            return Ok(());
        }
    }
}

async fn call(function: &Router, path: &str, body: &Value) -> Result<Value> {
    let request = Request::post(path)
        .header("authorization", format!("Bearer {API_TOKEN}"))
        .body(Body::from(Bytes::from(body.to_string())))?;
    answer(function, request).await
}

async fn answer(function: &Router, request: Request<Body>) -> Result<Value> {
    let path = request.uri().to_string();
    let response = function.clone().oneshot(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
    Ok(serde_json::from_slice(&body)?)
}
