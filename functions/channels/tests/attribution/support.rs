//! A log with events as other functions write them. All people and numbers are invented.

use axum::Router;
use axum::body::Body;
use domain::{
    Activity, ActivityRecorded, CustomerId, CustomerIdentified, Event, Fen, Identity, IdentityKind, Order, OrderEvent,
    OrderId, OrderKey, OrderStatus, OrderTimes, Platform, Refund, RefundClaim, RefundEvent, RefundId, RefundKind,
    RefundStatus, UnixMs, Version,
};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kit::auth::StorePath;
use kit::{App, Cx, DbError, Native};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Midnight of 2 March 2026, a Monday, for the merchant.
pub const MONDAY: i64 = 1_772_380_800_000;
pub const DAY: i64 = 86_400_000;
pub const HOUR: i64 = 3_600_000;
/// Monday as a number, as days are kept.
pub const MONDAY_NUMBER: i64 = (MONDAY + 8 * HOUR) / DAY;

pub fn at(millis: i64) -> UnixMs {
    UnixMs::from_millis(MONDAY + millis).unwrap()
}

pub struct Desk {
    pub app: App,
    router: Router,
}

impl Desk {
    pub async fn open() -> Self {
        let app = App::native(&Native::in_memory([("api_token", "first-token"), ("clock", "virtual")])).unwrap();
        app.clock().set(at(40 * DAY)).await.unwrap();
        let desk = Self { router: channels::router(app.clone()), app };
        // No customers' function runs here: the log is written by hand.
        desk.run("update consumer set follows = null where name = 'channels'").await;
        for name in ["metro", "live"] {
            let (status, body) = desk.call("PUT", &format!("/v1/channels/{name}"), json!({ "label": name })).await;
            assert_eq!(status, 200, "{body}");
        }
        desk
    }

    pub async fn run(&self, sql: &'static str) {
        let wrote: Result<(), DbError> = self.app.db().write(&Cx::at(at(0)), move |tx| tx.run(sql, &[])).await;
        wrote.unwrap();
    }

    pub async fn token(&self, store: &str, staff: Option<&'static str>) -> String {
        let store = StorePath::try_from(store.to_owned()).unwrap();
        let made = move |tx: &kit::Tx<'_>| {
            let scopes = ["channels:read".to_owned(), "channels:write".to_owned()];
            Ok::<_, DbError>(kit::auth::create(tx, "invented", &scopes, &store, staff, None)?.text)
        };
        self.app.db().write(&Cx::at(at(0)), made).await.unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> (StatusCode, String) {
        let response: Response<_> = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    pub async fn call_as(&self, token: &str, method: &str, path: &str, body: String) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let (status, body) = self.send(request.body(Body::from(body)).unwrap()).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    pub async fn call(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        self.call_as("first-token", method, path, body.to_string()).await
    }

    pub async fn get_as(&self, token: &str, path: &str) -> Value {
        let (status, body) = self.call_as(token, "GET", path, String::new()).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn get(&self, path: &str) -> Value {
        self.get_as("first-token", path).await
    }

    /// The report of March and April 2026.
    pub async fn report(&self, by: &str, model: &str) -> Value {
        self.get(&format!("/v1/channels/report?from=2026-03-01&to=2026-04-30&by={by}&model={model}")).await
    }

    pub async fn append(&self, events: Vec<Event>) {
        let append = move |tx: &kit::Tx<'_>| -> Result<(), DbError> {
            for event in &events {
                kit::events::append(tx, "/functions/invented", "invented", event)?;
            }
            Ok(())
        };
        self.app.db().write(&Cx::at(at(40 * DAY)), append).await.unwrap();
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
        let failed = self.column("select error as v from consumer where name = 'channels' and error is not null").await;
        assert_eq!(failed, Vec::<String>::new());
    }

    /// Writes events into the log and applies them.
    pub async fn log(&self, events: Vec<Event>) {
        self.append(events).await;
        self.consume(false).await;
    }

    /// Fires what is due, and applies it, until nothing is due.
    pub async fn tick(&self) {
        loop {
            let fired: Result<usize, DbError> =
                self.app.db().write(&Cx::at(at(41 * DAY)), |tx| kit::events::fire_due(tx, 100)).await;
            self.consume(false).await;
            if fired.unwrap() == 0 {
                break;
            }
        }
    }

    /// All values of a query's column `v`, as text.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        let read =
            |tx: &kit::Tx<'_>| tx.query(sql, &[])?.iter().map(|row| row.get("v")).collect::<Result<_, DbError>>();
        self.app.db().read(&Cx::at(at(0)), read).await.unwrap()
    }

    /// What an order is shared out to: `channel/code/store/staff amount`, sorted.
    pub async fn owed(&self, number: u8, model: &str) -> Vec<String> {
        let sql = format!(
            "select coalesce(channel || '/' || coalesce(code, '') || coalesce(store, '') || '/' || coalesce(staff, ''), '-')
                    || ' ' || amount as v
               from attribution where order_id = '{}' and model = '{model}' order by 1",
            order_id(number)
        );
        self.column(&sql).await
    }
}

pub fn customer(number: u8) -> CustomerId {
    CustomerId::new(at(-i64::from(250 - number) * DAY), [number; 10])
}

/// A WeCom contact.
pub fn contact(value: &str) -> Identity {
    Identity { kind: IdentityKind::WecomExternalUserId, scope: None, value: value.to_owned() }
}

pub fn identified(id: CustomerId, contacts: &[&str]) -> Event {
    let identities = contacts.iter().map(|value| contact(value)).collect();
    Event::CustomerIdentified(CustomerIdentified { v: Version, customer_id: id, new: true, identities, at: at(0) })
}

/// A channel, a store and a member of staff; empty for none.
pub type Place<'a> = (&'a str, &'a str, &'a str);

pub fn did(who: &str, millis: i64, (channel, store, staff): Place<'_>, activity: Activity) -> Event {
    let named = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Event::ActivityRecorded(ActivityRecorded {
        v: Version,
        source: "invented".to_owned(),
        identities: vec![contact(who)],
        hints: Vec::new(),
        channel: named(channel),
        store: named(store),
        staff: named(staff),
        at: at(millis),
        activity,
    })
}

pub fn added(code: &str) -> Activity {
    Activity::ContactAdded { code: Some(code.to_owned()).filter(|code| !code.is_empty()), half: false }
}

pub fn scanned(code: &str) -> Activity {
    Activity::CodeScanned { code: code.to_owned() }
}

pub fn wrote() -> Activity {
    Activity::MessageSent { account: "wx0".to_owned(), form: "text".to_owned(), keywords: Vec::new() }
}

pub fn order_id(number: u8) -> OrderId {
    OrderId::new(UnixMs::EPOCH, [number; 10])
}

pub fn bought(number: u8, who: Option<&str>, millis: i64, amount: i64) -> Event {
    let platform_order_id = format!("A-{number}");
    Event::OrderPaid(OrderEvent {
        v: Version,
        order_id: order_id(number),
        at: at(millis),
        order: Order {
            key: OrderKey { platform: Platform::Douyin, shop_id: "shop-01".to_owned(), platform_order_id },
            status: OrderStatus::Paid,
            raw_status: None,
            flags: Vec::new(),
            complete: false,
            lines: Vec::new(),
            amounts: None,
            paid: Some(Fen::new(amount)),
            identities: who.into_iter().map(contact).collect(),
            region: None,
            live_room: None,
            guide: None,
            member_level: None,
            shipments: Vec::new(),
            times: OrderTimes { paid_at: Some(at(millis)), ..OrderTimes::default() },
        },
    })
}

/// Money of an order went back; `amount` in fen.
pub fn refunded(number: u8, of: u8, amount: i64) -> Event {
    let (reason_code, raw_status, freight, lines) = (None, None, Fen::ZERO, Vec::new());
    let claim = RefundClaim { kind: RefundKind::Return, amount: Fen::new(amount), freight, lines, reason_code };
    let platform_order_id = format!("A-{of}");
    Event::RefundRefunded(RefundEvent {
        v: Version,
        refund_id: RefundId::new(UnixMs::EPOCH, [number; 10]),
        order_id: order_id(of),
        at: at(0),
        refund: Refund {
            order: OrderKey { platform: Platform::Douyin, shop_id: "shop-01".to_owned(), platform_order_id },
            after_sale_id: format!("R-{number}"),
            status: RefundStatus::Refunded,
            raw_status,
            unknown_status: false,
            claim: Some(claim),
            times: [(RefundStatus::Refunded, at(0))].into(),
        },
    })
}
