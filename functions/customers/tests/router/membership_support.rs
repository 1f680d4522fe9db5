//! A shop with customers, for tests of membership. Customers and identities are written directly, as who-is-who leaves them. All people
//! and numbers are invented.

use axum::Router;
use axum::body::Body;
use domain::{
    Amounts, CustomerId, Event, Fen, Identity, IdentityKind, Line, Order, OrderEvent, OrderId, OrderKey, OrderStatus,
    OrderTimes, Platform, Refund, RefundClaim, RefundEvent, RefundId, RefundKind, RefundLine, RefundStatus, UnixMs,
    Version,
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use kit::{App, Cx, DbError, Native, Tx, params};
use serde_json::{Value, json};
use tower::ServiceExt;

const VARIABLES: [(&str, &str); 4] = [
    ("api_token", "first-token"),
    ("clock", "virtual"),
    ("data_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ("public_url", "https://crm.example.com/"),
];

/// Midnight of the merchant's calendar on 2026-02-14, so many days later.
pub fn day(days: i64) -> UnixMs {
    let start: UnixMs = "2026-02-14T00:00:00+08:00".parse().unwrap();
    start.try_add_millis(days * 86_400_000).unwrap()
}

pub struct Shop {
    pub app: App,
    router: Router,
}

impl Shop {
    /// On the first day, with one point a yuan when paid, for 10 days.
    pub async fn open() -> Self {
        let app = App::native(&Native::in_memory(VARIABLES)).unwrap();
        let shop = Self { router: customers::router(app.clone()), app };
        shop.app.clock().set(day(0)).await.unwrap();
        let (status, rules) = shop.call("PUT", "/v1/point-rules", Some(rules())).await;
        assert_eq!(status, 200, "{rules}");
        shop
    }

    /// The status and the text of an answer.
    pub async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.call_with("first-token", None, method, path, body).await
    }

    pub async fn call_with(
        &self,
        token: &str,
        key: Option<&str>,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let (status, text) = self.send(request.body(body).unwrap()).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn write<T: Send + 'static>(
        &self,
        writing: impl FnOnce(&Tx<'_>) -> Result<T, DbError> + Send + 'static,
    ) -> T {
        let now = self.app.clock().now().await.unwrap();
        self.app.db().write(&Cx::at(now), writing).await.unwrap()
    }

    /// A customer with these identities; the first is its home.
    pub async fn customer(&self, number: u8, identities: &[Identity]) -> CustomerId {
        let (id, identities) = (customer(number), identities.to_vec());
        self.write(move |tx| {
            for (place, identity) in identities.iter().enumerate() {
                let row: i64 = tx
                    .scalar(
                        "insert into identity (kind, scope, value, customer, first_seen) values (?1, ?2, ?3, ?4, 0)
                         returning id",
                        &params![
                            identity.kind.as_str(),
                            identity.scope.as_deref().unwrap_or_default(),
                            identity.value.as_str(),
                            id.to_string()
                        ],
                    )?
                    .unwrap();
                if place == 0 {
                    tx.run(
                        "insert into customer (id, survivor, home, created_at, stage_since, store)
                         values (?1, ?1, ?2, 0, 0, '/east/shanghai-01')",
                        &params![id.to_string(), row],
                    )?;
                }
            }
            Ok(id)
        })
        .await
    }

    /// One becomes part of another, or (itself) its own again, with its home.
    pub async fn part_of(&self, part: CustomerId, whole: CustomerId) {
        self.write(move |tx| {
            let ids = params![part.to_string(), whole.to_string()];
            tx.run("update customer set survivor = ?2 where id = ?1", &ids)?;
            tx.run("update identity set customer = ?2 where id = (select home from customer where id = ?1)", &ids)
        })
        .await;
    }

    /// Tells an event and consumes to the head.
    pub async fn tell(&self, event: Event) {
        self.write(move |tx| kit::events::append(tx, "/functions/orders", "invented", &event).map(drop)).await;
        self.consume().await;
    }

    pub async fn consume(&self) {
        loop {
            let request = Request::post("/consume").body(Body::from("{}")).unwrap();
            let (status, body) = self.send(request).await;
            assert_eq!(status, 200, "{body}");
            if !body.contains("\"more\":true") {
                break;
            }
        }
        assert_eq!(self.column("select error as v from dead_letter").await, Vec::<String>::new());
    }

    /// Moves the clock, and lets every timer come that is due by then.
    pub async fn wait_until(&self, instant: UnixMs) {
        self.app.clock().set(instant).await.unwrap();
        loop {
            let fired = self.write(|tx| kit::events::fire_due(tx, 100)).await;
            self.consume().await;
            if fired == 0 {
                break;
            }
        }
    }

    /// All values of a query's first column, as text.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        self.app
            .db()
            .read(&Cx::at(day(0)), |tx| {
                tx.query(sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, DbError>>()
            })
            .await
            .unwrap()
    }

    /// The data of all events of a type.
    pub async fn events(&self, name: &str) -> Vec<Value> {
        let rows = self.column(&format!("select data as v from event where type = '{name}' order by seq")).await;
        rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
    }

    /// Balance and what is owed.
    pub async fn points(&self, id: CustomerId) -> (i64, i64) {
        let points = self.get(&format!("/v1/customers/{id}/points")).await;
        (points["balance"].as_i64().unwrap(), points["owed"].as_i64().unwrap())
    }

    /// What membership must be at any time: the ledger's sum is what remains less what is owed.
    pub async fn is_balanced(&self) {
        let odd = self
            .column(
                "select 'ledger ' || coalesce(sum(points), 0) as v from point_entry
                 having coalesce(sum(points), 0) <> (select coalesce(sum(remains), 0) from point_lot)
                                                  - (select coalesce(sum(points - paid), 0) from point_debt)",
            )
            .await;
        assert_eq!(odd, Vec::<String>::new());
    }
}

/// One point a yuan when paid, for 10 days, with a reminder 3 days before.
pub fn rules() -> Value {
    json!({ "rate": { "points": 1, "fen": 100 }, "when": "paid", "lifetime": { "kind": "days", "days": 10 }, "remind_days": 3 })
}

pub fn customer(number: u8) -> CustomerId {
    format!("01890a5d-ac96-774b-bcce-0000000000{number:02x}").parse().unwrap()
}

pub fn order_id(number: u8) -> OrderId {
    format!("01890a5d-ac96-774b-bcce-0000000001{number:02x}").parse().unwrap()
}

pub fn refund_id(number: u8) -> RefundId {
    format!("01890a5d-ac96-774b-bcce-0000000002{number:02x}").parse().unwrap()
}

pub fn buyer(name: &str) -> Identity {
    Identity { kind: IdentityKind::DouyinOpenId, scope: Some("app-123".to_owned()), value: name.to_owned() }
}

/// A paid order of one line a SKU, prices in fen, with 10 yuan of freight.
pub fn order(number: u8, who: &Identity, paid_at: UnixMs, lines: &[(&str, i64)]) -> OrderEvent {
    let goods: i64 = lines.iter().map(|(_, price)| price).sum();
    let line = |(place, (sku, price)): (usize, &(&str, i64))| Line {
        line_id: place.to_string(),
        sku: (*sku).to_owned(),
        product_id: None,
        title: "Oolong milk tea".to_owned(),
        quantity: 1,
        unit_price: Fen::new(*price),
        discount: Fen::ZERO,
    };
    let order = Order {
        key: order_key(number),
        status: OrderStatus::Paid,
        raw_status: None,
        flags: vec![],
        complete: true,
        lines: lines.iter().enumerate().map(line).collect(),
        amounts: Some(Amounts {
            goods: Fen::new(goods),
            freight: Fen::new(1000),
            payable: Fen::new(goods + 1000),
            ..Amounts::default()
        }),
        paid: Some(Fen::new(goods + 1000)),
        identities: vec![who.clone()],
        region: None,
        live_room: None,
        guide: None,
        member_level: None,
        shipments: vec![],
        times: OrderTimes { paid_at: Some(paid_at), ..OrderTimes::default() },
    };
    OrderEvent { v: Version, order_id: order_id(number), at: paid_at, order }
}

fn order_key(number: u8) -> OrderKey {
    OrderKey { platform: Platform::Douyin, shop_id: "7".to_owned(), platform_order_id: number.to_string() }
}

/// A refund of an order, its money with the buyer; of a line, or of the whole.
pub fn refund(number: u8, order: u8, of_line: Option<&str>, amount: i64) -> RefundEvent {
    let at = day(0);
    let line = |line_id: &str| RefundLine { line_id: line_id.to_owned(), quantity: None, amount: Fen::new(amount) };
    let lines = of_line.map(line).into_iter().collect();
    RefundEvent {
        v: Version,
        refund_id: refund_id(number),
        order_id: order_id(order),
        at,
        refund: Refund {
            order: order_key(order),
            after_sale_id: number.to_string(),
            status: RefundStatus::Refunded,
            raw_status: None,
            unknown_status: false,
            claim: Some(RefundClaim {
                kind: RefundKind::Return,
                amount: Fen::new(amount),
                freight: Fen::ZERO,
                lines,
                reason_code: None,
            }),
            times: [(RefundStatus::Refunded, at)].into(),
        },
    }
}
