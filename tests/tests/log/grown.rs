//! A merchant's weeks, natively: people look, scan, add staff, leave, buy, send back, help each other and turn out to be one; rules, limits and words come between.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use domain::{
    Activity, ActivityRecorded, Amounts, Event, Fen, Identity, IdentityKind, Line, Order, OrderEvent, OrderId,
    OrderKey, OrderStatus, OrderTimes, Platform, Refund, RefundClaim, RefundEvent, RefundId, RefundKind, RefundStatus,
    RelationSide, UnixMs, Version,
};
use http::Request;
use http_body_util::BodyExt;
use kit::db::Location;
use kit::{App, Client, Cx, DbError, Native, Variables, events};
use serde_json::{Value, json};
use siyu_tests::system::{API_TOKEN, DATA_KEY, WEBHOOK_SECRET};
use tower::ServiceExt;

/// 2026-02-14T01:30:00Z.
const FIRST: i64 = 1_771_032_600_000;
pub const DAY_MS: i64 = 86_400_000;
const PEOPLE: u32 = 40;
/// Friends of theirs are numbered from here on.
const FRIENDS: u32 = 100;
/// Events of a day.
const PER_DAY: usize = 30;

pub struct Merchant {
    app: App,
    customers: Router,
    tagging: Router,
    channels: Router,
    dice: fastrand::Rng,
    day: i64,
    orders: Vec<OrderEvent>,
    refunds: usize,
    codes: Vec<String>,
    fission: String,
    tag: String,
}

impl Merchant {
    pub async fn open(file: &Path, seed: u64) -> Self {
        let variables = [
            ("api_token", API_TOKEN),
            ("data_key", DATA_KEY),
            ("webhook_secret", WEBHOOK_SECRET),
            ("public_url", "https://siyu.example"),
            ("clock", "virtual"),
        ];
        let app = App::native(&Native {
            location: Location::File(file.to_owned()),
            variables: Variables::from_pairs(variables),
            client: Client::default(),
            most_per_commit: 64,
        })
        .unwrap();
        app.clock().set(UnixMs::from_millis(FIRST).unwrap()).await.unwrap();
        let mut merchant = Self {
            customers: customers::router(app.clone()),
            tagging: tagging::router(app.clone()),
            channels: channels::router(app.clone()),
            app,
            dice: fastrand::Rng::with_seed(seed),
            day: 0,
            orders: Vec::new(),
            refunds: 0,
            codes: Vec::new(),
            fission: String::new(),
            tag: String::new(),
        };
        merchant.prepare().await;
        merchant
    }

    async fn prepare(&mut self) {
        let points =
            json!({ "rate": { "points": 1, "fen": 100 }, "when": "paid", "lifetime": { "kind": "days", "days": 10 } });
        call(&self.customers, "PUT", "/v1/point-rules", points).await;
        let levels =
            json!({ "window_days": 30, "keep_days": 5, "levels": [{ "name": "silver", "threshold": 20_000 }] });
        call(&self.customers, "PUT", "/v1/member-levels", levels).await;
        let group = text(&call(&self.tagging, "POST", "/v1/tag-groups", json!({ "name": "Taste" })).await, "id");
        let tags = format!("/v1/tag-groups/{group}/tags");
        let mut made = Vec::new();
        for (name, condition) in [
            ("looks", json!({ "feature": "views.count.7d", "op": ">=", "value": 3 })),
            ("buys", json!({ "feature": "orders.amount.30d", "op": ">=", "value": 9_000 })),
        ] {
            let tag = text(&call(&self.tagging, "POST", &tags, json!({ "name": name })).await, "id");
            let effect = json!({ "add_tag": tag, "while_true": true });
            let rule = json!({ "name": name, "condition": condition, "effects": [effect] });
            made.push((tag, text(&call(&self.tagging, "POST", "/v1/tag-rules", rule).await, "id")));
        }
        for (_, rule) in &made {
            call(&self.tagging, "POST", &format!("/v1/tag-rules/{rule}/activate"), json!({})).await;
        }
        self.tag = made.remove(0).0;
        let condition = json!({ "feature": "orders.count.365d", "op": ">=", "value": 2 });
        call(&self.tagging, "POST", "/v1/segments", json!({ "name": "again", "condition": condition })).await;
        call(&self.channels, "PUT", "/v1/channels/friends", json!({ "label": "老带新" })).await;
        let code = json!({ "channel": "friends", "kind": "account", "name": "裂变", "store": "/east", "plan": { "tags": [self.tag] } });
        let code = call(&self.channels, "POST", "/v1/channel-codes", code).await;
        let rules = json!({ "levels": [{ "helps": 2, "reward": "cup" }], "void_on_leaving": true,
            "starts": at(-1, 0).to_string(), "ends": at(90, 0).to_string() });
        let fission = json!({ "name": "春日裂变", "code": code["id"], "rules": rules });
        self.fission = text(&call(&self.channels, "POST", "/v1/fissions", fission).await, "id");
    }

    /// So many days, with what people of the merchant's do on some of them.
    pub async fn play(&mut self, days: i64) {
        for _ in 0..days {
            self.app.clock().set(at(self.day, 0)).await.unwrap();
            if self.day == 3 {
                for who in 0..6 {
                    let body = json!({ "identity": union(who), "device": format!("phone-{}", who / 2) });
                    let path = format!("/v1/fissions/{}/participants", self.fission);
                    self.codes.push(text(&call(&self.channels, "POST", &path, body).await, "code"));
                }
            }
            if self.day == 8 {
                call(&self.tagging, "PUT", "/v1/rfm", json!({ "quantiles": 5 })).await;
            }
            if self.day % 10 == 9 {
                self.say().await;
            }
            for step in 0..3 {
                let now = at(self.day, step * 7_200);
                self.app.clock().set(now).await.unwrap();
                let (mut told, log): (Vec<_>, Vec<_>) =
                    (0..PER_DAY / 3).map(|_| self.event(now)).partition(|(own, _)| *own);
                told.extend(self.friend(now).map(|event| (true, event)));
                self.write(now, "/functions/channels", told).await;
                self.write(now, "/functions/orders", log).await;
                self.settle(now).await;
            }
            self.day += 1;
        }
    }

    /// A person's word on a tag, for some and against others.
    async fn say(&mut self) {
        let (_, page) = send(&self.customers, "GET", "/v1/customers?limit=20", Value::Null).await;
        let ids: Vec<Value> = page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
        for (place, word) in ["mark", "unmark", "release"].into_iter().enumerate() {
            let some: Vec<_> = ids.iter().skip(place * 4).take(6).collect();
            let path = format!("/v1/tags/{}/{word}", self.tag);
            call(&self.tagging, "POST", &path, json!({ "customer_ids": some })).await;
        }
    }

    async fn write(&self, now: UnixMs, source: &'static str, list: Vec<(bool, Event)>) {
        let write = move |tx: &kit::Tx<'_>| -> Result<(), DbError> {
            list.iter().try_for_each(|(_, event)| events::append(tx, source, &subject(event), event).map(drop))
        };
        self.app.db().write(&Cx::at(now), write).await.unwrap();
    }

    /// What is due comes, and all functions consume to the head. Orders are not in the tables of theirs.
    pub async fn settle(&self, now: UnixMs) {
        loop {
            for function in [&self.customers, &self.tagging, &self.channels] {
                while call(function, "POST", "/consume", json!({})).await["more"] == true {}
            }
            let due = move |tx: &kit::Tx<'_>| -> Result<_, DbError> {
                tx.run("update consumer set seq = (select max(seq) from event) where name = 'orders'", &[])?;
                let behind = "select count(*) as n from consumer where seq < (select max(seq) from event)";
                Ok(events::fire_due(tx, 500)? > 0 || tx.scalar(behind, &[])? != Some(0))
            };
            if !self.app.db().write(&Cx::at(now), due).await.unwrap() {
                return;
            }
        }
    }

    /// Something happens; whether channels tell it.
    fn event(&mut self, now: UnixMs) -> (bool, Event) {
        let who = self.dice.u32(..PEOPLE);
        let staff = format!("s-{}", self.dice.u32(..4));
        let what = match self.dice.u32(..20) {
            0..=5 => return (false, recorded(now, vec![device(who)], None, viewed(who))),
            6..=7 => return (false, recorded(now, vec![union(who)], None, viewed(who))),
            8 => {
                // Seldom the form of somebody else: two who may be one.
                let other = if self.dice.u32(..12) == 0 { (who + 1) % PEOPLE } else { who };
                let form = Activity::FormSubmitted { form: "f".to_owned(), fields: Vec::new() };
                return (false, recorded(now, vec![device(other), union(who)], None, form));
            }
            9 => return (false, recorded(now, vec![union(who), contact(who)], Some(&staff), message())),
            10 => return (true, recorded(now, vec![contact(who)], Some(&staff), message())),
            11 => Activity::ContactAdded { code: None, half: false },
            12 => Activity::ContactRemoved { by: RelationSide::Customer },
            14 => {
                let account = "wx0".to_owned();
                return (
                    true,
                    recorded(now, vec![union(FRIENDS + who)], None, Activity::AccountUnfollowed { account }),
                );
            }
            15 if self.refunds < self.orders.len() => return (false, self.refunded(now)),
            16 if !self.orders.is_empty() => return (false, self.detailed(now)),
            _ => return (false, self.paid(who, now)),
        };
        (true, recorded(now, vec![contact(who)], Some(&staff), what))
    }

    /// A friend follows the account by the code of an inviter.
    fn friend(&mut self, now: UnixMs) -> impl Iterator<Item = Event> + use<> {
        let code = self.codes.get(self.dice.usize(..6)).cloned();
        let who = union(FRIENDS + self.dice.u32(..PEOPLE));
        let followed = Activity::AccountFollowed { account: "wx0".to_owned() };
        let scanned = code.map(|code| Activity::CodeScanned { code });
        let both = [scanned.is_some().then_some(followed), scanned];
        both.into_iter().flatten().map(move |what| recorded(now, vec![who.clone()], None, what))
    }

    fn paid(&mut self, who: u32, now: UnixMs) -> Event {
        let fen = Fen::new(self.dice.i64(1_000..9_000));
        let number = self.orders.len();
        let line = Line {
            line_id: "1".to_owned(),
            sku: format!("P-{}", who % 5),
            product_id: None,
            title: "测试茶".to_owned(),
            quantity: 1,
            unit_price: fen,
            discount: Fen::ZERO,
        };
        let key =
            OrderKey { platform: Platform::Own, shop_id: "grown".to_owned(), platform_order_id: number.to_string() };
        let order = Order {
            key,
            status: OrderStatus::Paid,
            raw_status: None,
            flags: Vec::new(),
            complete: true,
            lines: vec![line],
            amounts: Some(Amounts { goods: fen, payable: fen, ..Amounts::default() }),
            paid: Some(fen),
            identities: vec![if number.is_multiple_of(3) { device(who) } else { union(who) }],
            region: None,
            live_room: None,
            guide: None,
            member_level: None,
            shipments: Vec::new(),
            times: OrderTimes { created_at: Some(now), paid_at: Some(now), ..OrderTimes::default() },
        };
        let order_id = OrderId::new(now, random(number));
        self.orders.push(OrderEvent { v: Version, order_id, at: now, order });
        Event::OrderPaid(self.orders[number].clone())
    }

    /// A record tells that more, or less, was paid.
    fn detailed(&mut self, now: UnixMs) -> Event {
        let place = self.dice.usize(..self.orders.len());
        let order = &mut self.orders[place];
        let fen = Fen::new(self.dice.i64(1_000..9_000));
        order.order.paid = Some(fen);
        order.order.amounts = Some(Amounts { goods: fen, payable: fen, ..Amounts::default() });
        order.order.lines[0].unit_price = fen;
        order.at = now;
        Event::OrderDetailed(order.clone())
    }

    /// Each order has one case, the oldest first.
    fn refunded(&mut self, now: UnixMs) -> Event {
        let place = self.refunds;
        self.refunds += 1;
        let order = &self.orders[place];
        let amount = Fen::new(500);
        let (freight, lines, reason_code) = (Fen::ZERO, Vec::new(), None);
        let claim = RefundClaim { kind: RefundKind::RefundOnly, amount, freight, lines, reason_code };
        let refund = Refund {
            order: order.order.key.clone(),
            after_sale_id: place.to_string(),
            status: RefundStatus::Refunded,
            raw_status: None,
            unknown_status: false,
            claim: Some(claim),
            times: [(RefundStatus::Refunded, now)].into(),
        };
        let refund_id = RefundId::new(order.at, random(place + 1_000_000));
        Event::RefundRefunded(RefundEvent { v: Version, refund_id, order_id: order.order_id, at: now, refund })
    }
}

/// An order's events are its history.
fn subject(event: &Event) -> String {
    match event {
        Event::OrderPaid(told) | Event::OrderDetailed(told) => told.order_id.to_string(),
        Event::RefundRefunded(told) => told.refund_id.to_string(),
        _ => "grown".to_owned(),
    }
}

fn at(day: i64, seconds: i64) -> UnixMs {
    UnixMs::from_millis(FIRST + day * DAY_MS + seconds * 1_000).unwrap()
}

fn random(number: usize) -> [u8; 10] {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    random
}

fn identity(kind: IdentityKind, scope: Option<&str>, who: u32) -> Identity {
    Identity { kind, scope: scope.map(str::to_owned), value: format!("grown-{who:03}") }
}

fn union(who: u32) -> Identity {
    identity(IdentityKind::WechatUnionId, None, who)
}

fn device(who: u32) -> Identity {
    identity(IdentityKind::SourceId, Some("grown"), who)
}

fn contact(who: u32) -> Identity {
    identity(IdentityKind::WecomExternalUserId, None, who)
}

fn viewed(who: u32) -> Activity {
    Activity::PageViewed { page: None, product: Some(format!("P-{}", who % 5)), category: None, dwell_ms: Some(900) }
}

fn message() -> Activity {
    Activity::MessageSent { account: "wx0".to_owned(), form: "text".to_owned(), keywords: Vec::new() }
}

fn recorded(now: UnixMs, mut identities: Vec<Identity>, staff: Option<&str>, activity: Activity) -> Event {
    identities.sort();
    Event::ActivityRecorded(ActivityRecorded {
        v: Version,
        source: "grown".to_owned(),
        identities,
        hints: Vec::new(),
        channel: Some("doors".to_owned()),
        store: Some("/east/shanghai-01".to_owned()),
        staff: staff.map(str::to_owned),
        at: now,
        activity,
    })
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}

async fn call(function: &Router, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = send(function, method, path, body).await;
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
    answer
}

async fn send(function: &Router, method: &str, path: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {API_TOKEN}"))
        .body(body)
        .unwrap();
    let response = function.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}
