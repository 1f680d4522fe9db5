//! The function's router over a database in memory, with signers for both webhooks. All people and numbers are invented.

use axum::Router;
use axum::body::Body;
use domain::{Event, OutboxFailed, OutboxSucceeded, UnixMs, Version};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kit::{App, Cx, Native, outbox, params};
use platforms::doudian::{self, Method};
use platforms::marketplace;
use platforms::standard_webhooks::{self, Key};
use serde_json::{Value, json};
use tower::ServiceExt;

pub const VARIABLES: [(&str, &str); 6] = [
    ("api_token", "first-token"),
    ("clock", "virtual"),
    ("data_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ("douyin_app_key", "app-123"),
    ("douyin_app_secret", "secret-456"),
    ("webhook_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
];

/// 2026-02-14T01:30:00Z.
pub const NOON: i64 = 1_771_032_600;

pub struct Shop {
    pub app: App,
    router: Router,
}

impl Shop {
    pub async fn open() -> Self {
        Self::with(&VARIABLES).await
    }

    pub async fn with(variables: &[(&str, &str)]) -> Self {
        let app = App::native(&Native::in_memory(variables.iter().copied())).unwrap();
        let shop = Self { router: orders::router(app.clone()), app };
        if variables.contains(&("clock", "virtual")) {
            shop.app.clock().set(at(0)).await.unwrap();
        }
        shop
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response: Response<_> = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub async fn douyin(&self, messages: &Value) -> (StatusCode, Value) {
        let body = messages.to_string();
        let sign = doudian::sign(&doudian_app(), Method::HmacSha256, body.as_bytes());
        self.send(push(&body, "app-123", &sign)).await
    }

    pub async fn own(&self, id: &str, message: &Value) -> (StatusCode, Value) {
        self.own_at(id, message, 0).await
    }

    /// Sent so many seconds away from the shop's clock.
    pub async fn own_at(&self, id: &str, message: &Value, skew: i64) -> (StatusCode, Value) {
        self.signed("/hooks/orders", id, message, skew).await
    }

    /// A message of the merchant's own systems, signed by Standard Webhooks so many seconds away from the shop's clock.
    pub async fn signed(&self, hook: &str, id: &str, message: &Value, skew: i64) -> (StatusCode, Value) {
        let body = message.to_string();
        let key = Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let sent = at(skew);
        let signature = standard_webhooks::sign(&key, id, sent, body.as_bytes()).unwrap();
        let request = Request::post(hook)
            .header("webhook-id", id)
            .header("webhook-timestamp", sent.seconds())
            .header("webhook-signature", signature)
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
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

    /// Moves the virtual clock to so many seconds after noon, fires what is due and consumes to the head.
    pub async fn wait_until(&self, seconds: i64) {
        self.app.clock().set(at(seconds)).await.unwrap();
        let fired = self.app.db().write(&Cx::at(at(seconds)), |tx| kit::events::fire_due(tx, 100)).await;
        fired.map(drop).map_err(|error: kit::DbError| error).unwrap();
        self.consume().await;
    }

    pub async fn consume(&self) {
        let request = Request::post("/consume").body(Body::from("{}")).unwrap();
        let (status, body) = self.send(request).await;
        assert_eq!(status, 200, "{body}");
    }

    /// What waits to be asked, oldest first: operation and request.
    pub async fn asked(&self) -> Vec<(String, Value)> {
        let rows =
            self.column("select operation || ' ' || request as v from outbox where state = 'pending' order by id");
        let split = |row: String| {
            let (operation, request) = row.split_once(' ').unwrap();
            (operation.to_owned(), serde_json::from_str(request).unwrap())
        };
        rows.await.into_iter().map(split).collect()
    }

    /// The oldest waiting call of this operation is answered, as the courier writes it, and consumed.
    pub async fn answer(&self, operation: &str, answer: Value) {
        let vault = kit::Vault::new(self.app.variables()).unwrap();
        let sealed = vault.seal(outbox::RESPONSE_PURPOSE, answer.to_string().as_bytes()).unwrap();
        self.finish(operation, Some(sealed)).await;
    }

    /// The oldest waiting call of this operation is given up, and that is consumed.
    pub async fn give_up(&self, operation: &str) {
        self.finish(operation, None).await;
    }

    async fn finish(&self, operation: &str, sealed: Option<Vec<u8>>) {
        let operation = operation.to_owned();
        let now = self.app.clock().now().await.unwrap();
        let write = move |tx: &kit::Tx<'_>| {
            let row = tx.query_one(
                "update outbox set state = ?2, finished_at = ?3, status = 200, response = ?4, error = 'invented'
                  where id = (select id from outbox where operation = ?1 and state = 'pending' order by id limit 1)
                 returning id, destination, subject",
                &params![
                    operation.as_str(),
                    if sealed.is_some() { "succeeded" } else { "failed" },
                    tx.cx().now.millis(),
                    sealed.clone()
                ],
            )?;
            let row = row.unwrap_or_else(|| panic!("nothing waits for {operation}"));
            let (outbox_id, destination) = (row.parse("id")?, row.get("destination")?);
            let (subject, at): (String, _) = (row.get("subject")?, tx.cx().now);
            let event = if sealed.is_some() {
                let operation = operation.clone();
                let subject = subject.clone();
                Event::OutboxSucceeded(OutboxSucceeded {
                    v: Version,
                    outbox_id,
                    destination,
                    operation,
                    subject,
                    status: 200,
                    attempts: 1,
                    at,
                })
            } else {
                Event::OutboxFailed(OutboxFailed {
                    v: Version,
                    outbox_id,
                    destination,
                    operation: operation.clone(),
                    subject: subject.clone(),
                    status: None,
                    attempts: 1,
                    error: "invented".to_owned(),
                    at,
                })
            };
            kit::events::append(tx, "/functions/courier", &subject, &event)
        };
        self.app.db().write(&Cx::at(now), write).await.unwrap();
        self.consume().await;
    }

    /// A shop as the courier connects it, told in the log and consumed.
    pub async fn connect(&self, platform: domain::Platform, shop_id: &str) {
        let (shop_id, now) = (shop_id.to_owned(), self.app.clock().now().await.unwrap());
        let write = move |tx: &kit::Tx<'_>| {
            tx.run(
                "insert into shop (platform, shop, name, connected_at) values (?1, ?2, 'invented', 0)",
                &params![platform.as_str(), shop_id.as_str()],
            )?;
            let (v, at) = (Version, tx.cx().now);
            let shop = domain::ShopEvent { v, platform, shop_id: shop_id.clone(), name: "invented".to_owned(), at };
            kit::events::append(tx, "/functions/courier", &shop_id, &Event::ShopConnected(shop))
        };
        self.app.db().write(&Cx::at(now), write).await.unwrap();
        self.consume().await;
    }

    /// All values of a query's first column, as text.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        self.app
            .db()
            .read(&Cx::at(at(0)), |tx| {
                tx.query(sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, kit::DbError>>()
            })
            .await
            .unwrap()
    }
}

pub fn push(body: &str, app_id: &str, sign: &str) -> Request<Body> {
    Request::post("/hooks/douyin")
        .header("app-id", app_id)
        .header("event-sign", sign)
        .header("sign-method", "hmac-sha256")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

pub fn doudian_app() -> marketplace::App {
    marketplace::App::of([("app_key", "app-123"), ("app_secret", "secret-456")])
}

pub fn at(seconds: i64) -> UnixMs {
    UnixMs::from_seconds(NOON + seconds).unwrap()
}

/// A message of Doudian's, its data as text like the platform sends it.
pub fn message(tag: &str, id: &str, data: Value) -> Value {
    json!({ "tag": tag, "msg_id": id, "data": data.to_string() })
}

/// An order of an own shop: two lines of one SKU and one of another, 48.50 yuan, paid.
pub fn own_order(order_id: &str, status: &str) -> Value {
    json!({
        "type": "order.updated",
        "timestamp": at(0).to_string(),
        "data": {
            "shop_id": "pos-01",
            "order_id": order_id,
            "status": status,
            "created_at": at(-60).to_string(),
            "paid_at": at(-30).to_string(),
            "shipped_at": null, "signed_at": null, "completed_at": null, "closed_at": null,
            "lines": [
                { "line_id": "1", "sku": "TEA-OOLONG", "product_id": null, "title": "Oolong milk tea", "quantity": 1, "unit_price": 1500, "discount": 0 },
                { "line_id": "2", "sku": "TEA-OOLONG", "product_id": null, "title": "Oolong milk tea", "quantity": 1, "unit_price": 1500, "discount": 0 },
                { "line_id": "3", "sku": "CUP", "product_id": null, "title": "Cup", "quantity": 1, "unit_price": 1850, "discount": 0 }
            ],
            "amounts": { "goods": 4850, "discount_merchant": 0, "discount_platform": 0, "freight": 0, "tax": 0, "payable": 4850 },
            "paid": 4850,
            "identities": [{ "kind": "member_card", "scope": null, "value": "M-0001" }],
            "phone": "13800000001",
            "region": null, "live_room": null,
            "guide": { "code": "G-07", "store_code": "east/shanghai-01" },
            "shipments": []
        }
    })
}
