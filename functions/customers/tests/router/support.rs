//! The function's router over a database in memory, with a signer and a log to append to. All people and numbers are invented.

use axum::Router;
use axum::body::Body;
use domain::{
    Amounts, Event, Fen, Identity, IdentityKind, Order, OrderEvent, OrderId, OrderKey, OrderStatus, OrderTimes,
    Platform, Refund, RefundClaim, RefundEvent, RefundId, RefundKind, RefundStatus, UnixMs, Version,
};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kit::{App, Cx, DbError, Native, events};
use platforms::standard_webhooks::{self, Key};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tower::ServiceExt;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const VARIABLES: [(&str, &str); 5] = [
    ("api_token", "first-token"),
    ("clock", "virtual"),
    ("data_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ("webhook_secret", SECRET),
    ("wecom_corp_id", "ww0000000000000001"),
];

/// 2026-02-14T01:30:00Z.
const NOON: i64 = 1_771_032_600;
pub const DAY: i64 = 86_400;

pub fn at(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(NOON + seconds).unwrap()
}

pub struct House {
    pub app: App,
    router: Router,
}

impl House {
    pub async fn open() -> Self {
        let app = App::native(&Native::in_memory(VARIABLES)).unwrap();
        app.clock().set(at(0)).await.unwrap();
        Self { router: customers::router(app.clone()), app }
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response: Response<_> = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer first-token")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        self.send(request).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A body at the open door, signed.
    pub async fn tell(&self, body: &Value) -> (StatusCode, Value) {
        let body = body.to_string();
        let now = self.app.clock().now().await.unwrap();
        let key = Key::parse(SECRET).unwrap();
        let signature = standard_webhooks::sign(&key, "m-1", now, body.as_bytes()).unwrap();
        let request = Request::post("/hooks/events")
            .header("webhook-id", "m-1")
            .header("webhook-timestamp", now.seconds())
            .header("webhook-signature", signature)
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// Told, taken and consumed.
    pub async fn told(&self, event: &Value) {
        let (status, body) = self.tell(event).await;
        assert_eq!(status, 200, "{body}");
        self.consume().await;
    }

    /// Appends events to the log as another function would.
    pub async fn append(&self, events: Vec<Event>) {
        let now = self.app.clock().now().await.unwrap();
        let write = move |tx: &kit::Tx<'_>| {
            for event in &events {
                events::append(tx, "/functions/orders", "invented", event)?;
            }
            Ok::<_, DbError>(())
        };
        self.app.db().write(&Cx::at(now), write).await.unwrap();
    }

    /// Consumes to the head, own events included.
    pub async fn consume(&self) {
        loop {
            let request = Request::post("/consume").body(Body::from("{}")).unwrap();
            let (status, body) = self.send(request).await;
            assert_eq!(status, 200, "{body}");
            if body["more"] == false {
                break;
            }
        }
        assert_eq!(self.column("select error as v from dead_letter").await, Vec::<String>::new());
        let failing = self.column("select error as v from consumer where error is not null").await;
        assert_eq!(failing, Vec::<String>::new());
    }

    pub async fn happened(&self, events: Vec<Event>) {
        self.append(events).await;
        self.consume().await;
    }

    /// Moves the virtual clock to so many seconds after noon, fires what is due and consumes.
    pub async fn wait_until(&self, seconds: i64) {
        self.app.clock().set(at(seconds)).await.unwrap();
        let fired = self.app.db().write(&Cx::at(at(seconds)), |tx| events::fire_due(tx, 100)).await;
        fired.map(drop).map_err(|error: DbError| error).unwrap();
        self.consume().await;
    }

    /// All values of a query's column `v`, as text.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        self.app
            .db()
            .read(&Cx::at(at(0)), |tx| {
                tx.query(sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, DbError>>()
            })
            .await
            .unwrap()
    }

    /// Who is who: the values of identities, by customer, sorted.
    pub async fn partition(&self) -> Vec<Vec<String>> {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let rows =
            self.column("select customer || ' ' || kind || ' ' || value as v from identity order by kind, value").await;
        for row in rows {
            let (customer, identity) = row.split_once(' ').unwrap();
            groups.entry(customer.to_owned()).or_default().push(identity.to_owned());
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort();
        groups
    }

    /// The only customer in the list.
    pub async fn only_customer(&self) -> Value {
        let list = self.get("/v1/customers").await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
        let id = list["items"][0]["id"].as_str().unwrap().to_owned();
        self.get(&format!("/v1/customers/{id}")).await
    }
}

pub fn who(kind: IdentityKind, value: &str) -> Identity {
    Identity { kind, scope: None, value: value.to_owned() }
}

/// An order of so many fen, paid so many seconds after noon.
pub fn order(number: u8, identities: &[Identity], paid_at: i64, paid: i64) -> OrderEvent {
    let amounts = Amounts { goods: Fen::new(paid), payable: Fen::new(paid), ..Amounts::default() };
    let order = Order {
        key: OrderKey { platform: Platform::Taobao, shop_id: "s".to_owned(), platform_order_id: number.to_string() },
        status: OrderStatus::Paid,
        raw_status: None,
        flags: Vec::new(),
        complete: true,
        lines: Vec::new(),
        amounts: Some(amounts),
        paid: Some(Fen::new(paid)),
        identities: identities.to_vec(),
        region: None,
        live_room: None,
        guide: None,
        member_level: None,
        shipments: Vec::new(),
        times: OrderTimes { created_at: Some(at(paid_at)), paid_at: Some(at(paid_at)), ..OrderTimes::default() },
    };
    OrderEvent { v: Version, order_id: order_id(number), at: at(paid_at), order }
}

pub fn paid(number: u8, identities: &[Identity], paid_at: i64, fen: i64) -> Event {
    Event::OrderPaid(order(number, identities, paid_at, fen))
}

pub fn refunded(number: u8, order_number: u8, amount: i64, seconds: i64) -> Event {
    let claim = RefundClaim {
        kind: RefundKind::RefundOnly,
        amount: Fen::new(amount),
        freight: Fen::ZERO,
        lines: Vec::new(),
        reason_code: None,
    };
    let refund = Refund {
        order: order(order_number, &[], 0, 0).order.key,
        after_sale_id: number.to_string(),
        status: RefundStatus::Refunded,
        raw_status: None,
        unknown_status: false,
        claim: Some(claim),
        times: BTreeMap::new(),
    };
    let refund_id = RefundId::new(UnixMs::EPOCH, [number; 10]);
    Event::RefundRefunded(RefundEvent {
        v: Version,
        refund_id,
        order_id: order_id(order_number),
        at: at(seconds),
        refund,
    })
}

pub fn order_id(number: u8) -> OrderId {
    OrderId::new(UnixMs::EPOCH, [number; 10])
}

/// An event of the open door, about who has this unionid.
pub fn event(id: &str, type_name: &str, unionid: &str, what: Value) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "mini-program", "type": type_name, "time": at(0).to_string(),
        "data": { "who": { "identities": [{ "kind": "wechat_union_id", "scope": null, "value": unionid }] }, "what": what } })
}
