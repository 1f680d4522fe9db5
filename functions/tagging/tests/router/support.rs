//! A log with events as other functions write them. All people and numbers are invented.

use axum::Router;
use axum::body::Body;
use domain::{
    Activity, ActivityRecorded, Amounts, CustomerId, CustomerIdentified, CustomerMerged, CustomerSplit, Event, Fen,
    Identity, IdentityKind, Line, Order, OrderEvent, OrderId, OrderKey, OrderStatus, OrderTimes, Platform, Refund,
    RefundClaim, RefundEvent, RefundId, RefundKind, RefundStatus, Region, UnixMs, Version,
};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kit::{App, Cx, DbError, Native, params};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Midnight of 2 March 2026, a Monday, for the merchant.
pub const MONDAY: i64 = 1_772_380_800_000;
pub const DAY: i64 = 86_400_000;
pub const HOUR: i64 = 3_600_000;

pub struct Desk {
    pub app: App,
    router: Router,
}

pub fn at(millis: i64) -> UnixMs {
    UnixMs::from_millis(MONDAY + millis).unwrap()
}

impl Desk {
    pub async fn open() -> Self {
        let app = App::native(&Native::in_memory([("api_token", "first-token"), ("clock", "virtual")])).unwrap();
        app.clock().set(at(10 * HOUR)).await.unwrap();
        let desk = Self { router: tagging::router(app.clone()), app };
        // No customers' function runs here: the log is written by hand.
        desk.run("update consumer set follows = null where name = 'tagging'").await;
        desk
    }

    pub async fn run(&self, sql: &str) {
        let sql = sql.to_owned();
        let wrote: Result<(), DbError> = self.app.db().write(&Cx::at(at(0)), move |tx| tx.run(&sql, &[])).await;
        wrote.unwrap();
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let response: Response<_> = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer first-token")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        let (status, body) = self.send(request).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call("POST", path, Some(body)).await;
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    /// Writes events into the log, so many milliseconds after Monday's midnight.
    pub async fn append(&self, millis: i64, events: Vec<Event>) {
        self.app.clock().set(at(millis)).await.unwrap();
        let append = move |tx: &kit::Tx<'_>| -> Result<(), DbError> {
            for event in &events {
                kit::events::append(tx, "/functions/invented", "invented", event)?;
            }
            Ok(())
        };
        self.app.db().write(&Cx::at(at(millis)), append).await.unwrap();
    }

    /// The same, and applies them.
    pub async fn log(&self, millis: i64, events: Vec<Event>) {
        self.append(millis, events).await;
        self.consume(false).await;
    }

    pub async fn consume(&self, careful: bool) {
        loop {
            let request = json!({ "careful": careful }).to_string();
            let (status, body) = self.send(Request::post("/consume").body(Body::from(request)).unwrap()).await;
            assert_eq!(status, 200, "{body}");
            let body: Value = serde_json::from_str(&body).unwrap();
            if body["applied"] == 0 && body["more"] == false {
                break;
            }
        }
        assert_eq!(self.column("select error as v from dead_letter").await, Vec::<String>::new());
        let failed = self.column("select error as v from consumer where name = 'tagging' and error is not null").await;
        assert_eq!(failed, Vec::<String>::new());
    }

    /// Moves the clock, fires what is due at that time and before it, and applies it, until nothing is due.
    pub async fn tick(&self, millis: i64) {
        self.app.clock().set(at(millis)).await.unwrap();
        loop {
            let fired = self.app.db().write(&Cx::at(at(millis)), |tx| kit::events::fire_due(tx, 100)).await;
            let fired: Result<usize, DbError> = fired;
            self.consume(false).await;
            if fired.unwrap() == 0 {
                break;
            }
        }
    }

    /// Lives through the beginnings of all days up to `last`, counted from Monday.
    pub async fn live_to(&self, first: i64, last: i64) {
        for day in first..=last {
            self.tick(day * DAY).await;
        }
    }

    /// All values of a query's column `v`, as text.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        let read =
            |tx: &kit::Tx<'_>| tx.query(sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, DbError>>();
        self.app.db().read(&Cx::at(at(0)), read).await.unwrap()
    }

    /// A group with these tags; tells the tags' ids.
    pub async fn tags(&self, group: &str, single: bool, names: &[&str]) -> Vec<String> {
        let made = self.post("/v1/tag-groups", json!({ "name": group, "single": single })).await;
        let path = format!("/v1/tag-groups/{}/tags", made["id"].as_str().unwrap());
        let mut ids = Vec::new();
        for name in names {
            ids.push(self.post(&path, json!({ "name": name })).await["id"].as_str().unwrap().to_owned());
        }
        ids
    }

    /// A drafted rule's id.
    pub async fn draft(&self, name: &str, condition: Value, effects: Value) -> String {
        let rule = json!({ "name": name, "condition": condition, "effects": effects });
        self.post("/v1/tag-rules", rule).await["id"].as_str().unwrap().to_owned()
    }

    /// A rule at work, at so many milliseconds; its id.
    pub async fn rule(&self, millis: i64, name: &str, condition: Value, effects: Value) -> String {
        let id = self.draft(name, condition, effects).await;
        self.activate(millis, &id).await;
        id
    }

    pub async fn activate(&self, millis: i64, id: &str) {
        self.app.clock().set(at(millis)).await.unwrap();
        let (status, answer) = self.call("POST", &format!("/v1/tag-rules/{id}/activate"), None).await;
        assert_eq!(status, 202, "{answer}");
        self.tick(millis).await;
    }

    /// Limits between RFM scores (of recency, frequency, money), or else the merchant's own fifths, at so many milliseconds.
    pub async fn rfm(&self, millis: i64, window: &str, limits: Option<[[i64; 4]; 3]>) {
        self.app.clock().set(at(millis)).await.unwrap();
        let body = match limits {
            Some([recency, frequency, monetary]) => json!({
                "window": window,
                "thresholds": { "recency_days": recency, "frequency": frequency, "monetary": monetary },
            }),
            None => json!({ "window": window, "quantiles": 5 }),
        };
        let (status, answer) = self.call("PUT", "/v1/rfm", Some(body)).await;
        assert_eq!(status, 202, "{answer}");
        self.tick(millis).await;
    }

    /// Names of a customer's tags.
    pub async fn names(&self, customer: CustomerId) -> Vec<String> {
        let tags = self.get(&format!("/v1/customers/{customer}/tags")).await;
        let mut names: Vec<String> =
            tags.as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    pub async fn features(&self, customer: CustomerId, names: &str) -> Value {
        let names = form_urlencoded::byte_serialize(names.as_bytes()).collect::<String>();
        self.get(&format!("/v1/customers/{customer}/features?names={names}")).await
    }

    /// How many events of a type the log has.
    pub async fn count(&self, kind: &str) -> usize {
        self.column(&format!("select data as v from event where type = '{kind}'")).await.len()
    }

    pub async fn copy_from(&self, other: &Self, table: &'static str, columns: &'static str) {
        let names: Vec<&str> = columns.split(", ").collect();
        let fields: Vec<String> = names.iter().map(|name| format!("'{name}', {name}")).collect();
        let rows = other.column(&format!("select json_object({}) as v from {table}", fields.join(", "))).await;
        let values: Vec<String> = names.iter().map(|name| format!("?1 ->> '{name}'")).collect();
        let sql = format!("insert into {table} ({columns}) values ({})", values.join(", "));
        let write = move |tx: &kit::Tx<'_>| -> Result<(), DbError> {
            for row in &rows {
                tx.run(&sql, &params![row.as_str()])?;
            }
            Ok(())
        };
        self.app.db().write(&Cx::at(at(0)), write).await.unwrap();
    }
}

pub fn customer(number: u8) -> CustomerId {
    CustomerId::new(at(-i64::from(250 - number) * DAY), [number; 10])
}

pub fn card(value: &str) -> Identity {
    Identity { kind: IdentityKind::MemberCard, scope: None, value: value.to_owned() }
}

pub fn identified(id: CustomerId, cards: &[&str]) -> Event {
    let identities = cards.iter().map(|value| card(value)).collect();
    Event::CustomerIdentified(CustomerIdentified { v: Version, customer_id: id, new: true, identities, at: at(0) })
}

pub fn merged(into: CustomerId, merged_id: CustomerId) -> Event {
    let (v, by, reason) = (Version, None, None);
    Event::CustomerMerged(CustomerMerged { v, customer_id: into, merged_id, by, reason, at: at(0) })
}

pub fn split(from: CustomerId, split_id: CustomerId) -> Event {
    let (v, by, reason) = (Version, None, None);
    Event::CustomerSplit(CustomerSplit { v, customer_id: from, split_id, by, reason, at: at(0) })
}

pub fn did(cards: &[&str], millis: i64, activity: Activity) -> Event {
    Event::ActivityRecorded(ActivityRecorded {
        v: Version,
        source: "mini-program".to_owned(),
        identities: cards.iter().map(|value| card(value)).collect(),
        hints: Vec::new(),
        channel: None,
        store: None,
        staff: None,
        at: at(millis),
        activity,
    })
}

pub fn viewed(cards: &[&str], millis: i64, product: &str) -> Event {
    let (page, category, dwell_ms) = (None, None, None);
    did(cards, millis, Activity::PageViewed { page, product: Some(product.to_owned()), category, dwell_ms })
}

pub fn order_id(number: u8) -> OrderId {
    OrderId::new(UnixMs::EPOCH, [number; 10])
}

/// A paid order of one piece of TEA; `amount` in fen.
pub fn order(number: u8, cards: &[&str], millis: i64, platform: Platform, amount: i64, complete: bool) -> OrderEvent {
    let fen = Fen::new(amount);
    let line = Line {
        line_id: "1".to_owned(),
        sku: "TEA".to_owned(),
        product_id: None,
        title: "Tea".to_owned(),
        quantity: 1,
        unit_price: fen,
        discount: Fen::ZERO,
    };
    let platform_order_id = format!("A-{number}");
    OrderEvent {
        v: Version,
        order_id: order_id(number),
        at: at(millis),
        order: Order {
            key: OrderKey { platform, shop_id: "shop-01".to_owned(), platform_order_id },
            status: OrderStatus::Paid,
            raw_status: None,
            flags: Vec::new(),
            complete,
            lines: if complete { vec![line] } else { Vec::new() },
            amounts: complete.then(|| Amounts { goods: fen, payable: fen, ..Amounts::default() }),
            paid: Some(fen),
            identities: cards.iter().map(|value| card(value)).collect(),
            region: complete.then(|| Region { province: "浙江省".to_owned(), city: Some("杭州市".to_owned()) }),
            live_room: None,
            guide: None,
            member_level: None,
            shipments: Vec::new(),
            times: OrderTimes { paid_at: Some(at(millis)), ..OrderTimes::default() },
        },
    }
}

pub fn bought(number: u8, cards: &[&str], millis: i64, amount: i64) -> Event {
    Event::OrderPaid(order(number, cards, millis, Platform::Douyin, amount, true))
}

/// Money of an order went back; `amount` in fen.
pub fn refunded(number: u8, of: u8, millis: i64, amount: i64) -> Event {
    let (reason_code, raw_status, freight, lines) = (None, None, Fen::ZERO, Vec::new());
    let claim = RefundClaim { kind: RefundKind::Return, amount: Fen::new(amount), freight, lines, reason_code };
    Event::RefundRefunded(RefundEvent {
        v: Version,
        refund_id: RefundId::new(UnixMs::EPOCH, [number; 10]),
        order_id: order_id(of),
        at: at(millis),
        refund: Refund {
            order: order(of, &[], 0, Platform::Douyin, 0, false).order.key,
            after_sale_id: format!("R-{number}"),
            status: RefundStatus::Refunded,
            raw_status,
            unknown_status: false,
            claim: Some(claim),
            times: [(RefundStatus::Refunded, at(millis))].into(),
        },
    })
}
