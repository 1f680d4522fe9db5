//! Every platform's module against its simulated server, over HTTP and with no host between: both were written from the
//! platform's documents, and share nothing.
//!
//! A new platform is a row in [`dialects`].

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{
    OrderFacts, OrderKey, OrderStatus, Platform, PullKind, RefundFacts, RefundKind, RefundStatus, Secret, UnixMs,
};
use http::{HeaderMap, Method};
use platforms::Fact;
use platforms::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, Received, Says, Seen, Shelf, Shop, Source, VerifyError, Window,
};
use siyu_tests::http::Client;
use siyu_tests::marketplace::dialect::Dialect;
use siyu_tests::marketplace::doudian::Doudian;
use siyu_tests::marketplace::push::{Mishaps, Push};
use siyu_tests::marketplace::server::{Server, Trouble};
use siyu_tests::marketplace::shop::{self, Basket, CaseStatus, Goods, Impossible};
use siyu_tests::marketplace::wechat_store::{self, WechatStore};
use siyu_tests::marketplace::xiaohongshu::Xiaohongshu;

/// Some time in the past, Unix seconds.
const THEN: i64 = 1_790_000_000;

/// What a platform's module is configured with beside the app that its server knows: name and text.
type Settings = &'static [(&'static str, &'static str)];

/// Every simulated platform.
fn dialects() -> Vec<(Arc<dyn Dialect>, Settings)> {
    vec![
        (Arc::new(Doudian), &[("return_address_id", "7000001"), ("refuse_reason_code", "20001")]),
        (Arc::new(WechatStore), &[("return_address_id", "7000001"), ("refusal_reason", "1")]),
        (
            Arc::new(Xiaohongshu),
            &[("return_address_id", "7000001"), ("refusal_reason", "5"), ("receipt_refusal_reason", "6")],
        ),
    ]
}

/// Platforms whose calls do not say which state of a case was decided on: they carry out what fits the state it is in now.
const WITHOUT_VERSIONS: &[&str] = &["wechat_store", "xiaohongshu"];
/// Platforms that tell of all pieces of one SKU together.
const ADDS_UP_SKUS: &[&str] = &["xiaohongshu"];

/// A platform's module, and the server that it asks.
struct Pair {
    server: Server,
    app: App,
    api: &'static dyn Api,
    source: &'static dyn Source,
    shop_id: String,
    token: Secret<String>,
    refresh_token: Secret<String>,
}

impl Pair {
    async fn of(dialect: Arc<dyn Dialect>, more: Settings) -> Self {
        let platform: Platform = dialect.name().parse().unwrap();
        let server = Server::with_shops(dialect, 2).await.unwrap();
        let theirs = server.app();
        let own = [("app_key", theirs.key.as_str()), ("app_secret", theirs.secret.as_str())].into_iter();
        let others = theirs.more.iter().map(|(name, text)| (*name, text.as_str()));
        let settings = own.chain(others).chain(more.iter().copied());
        let variables: BTreeMap<_, _> = settings.map(|(name, text)| (format!("{platform}_{name}"), text)).collect();
        let app = App::configured(platform, |name| variables.get(name).copied()).unwrap();
        let shop_id = server.shop(|shop| shop.id().to_owned());
        let (api, source) = (platforms::api(platform).unwrap(), platforms::source(platform).unwrap());
        let issued = server.issue_token(0);
        let (token, refresh_token) = (Secret::new(issued.access), Secret::new(issued.refresh));
        let mut pair = Self { server, app, api, source, shop_id, token, refresh_token };
        pair.renew().await;
        pair
    }

    /// Fetches a new token; false where the merchant's own is all there is.
    async fn renew(&mut self) -> bool {
        let Some(request) = self.api.token_request(&self.app, &self.shop(), now()) else { return false };
        let token = self.api.token(&self.send(&request).await, now()).unwrap();
        assert!(token.expires_in > 0);
        self.token = token.access_token;
        self.refresh_token = token.refresh_token.unwrap_or_else(|| self.refresh_token.clone());
        true
    }

    fn is_one_of(&self, platforms: &[&str]) -> bool {
        platforms.contains(&self.server.dialect().name())
    }

    async fn all() -> Vec<Self> {
        let mut pairs = Vec::new();
        for (dialect, more) in dialects() {
            pairs.push(Self::of(dialect, more).await);
        }
        pairs
    }

    fn shop(&self) -> Shop<'_> {
        Shop { id: &self.shop_id, access_token: Some(&self.token), refresh_token: Some(&self.refresh_token) }
    }

    async fn send(&self, request: &platforms::marketplace::Request) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", request.content_type.parse().unwrap());
        let url = format!("{}{}", self.server.base(), request.path_and_query);
        let body = request.body.clone().into_bytes();
        Client::new().send(request.method.as_str(), &url, &headers, body).await.unwrap().body.to_vec()
    }

    async fn try_to(&self, ask: &Ask) -> Result<Answer, ApiError> {
        let request = self.api.request(&self.app, &self.shop(), ask, now())?;
        let answer = self.api.check(ask, &self.send(&request).await)?;
        Ok(self.source.read(&self.app, &self.shop_id, ask, &answer).unwrap())
    }

    async fn ask(&self, ask: &Ask) -> Answer {
        self.try_to(ask).await.unwrap_or_else(|error| panic!("{}: {ask:?}: {error}", self.server.dialect().name()))
    }

    async fn fact(&self, ask: &Ask) -> Fact {
        let Answer::Facts(mut facts) = self.ask(ask).await else { panic!("{ask:?}") };
        assert_eq!(facts.len(), 1, "{ask:?}");
        facts.remove(0)
    }

    /// How a case stands, as who decides on it sees it.
    async fn seen(&self, order_id: &str, case: &str) -> Seen {
        let ask = Ask::AfterSale { order_id: Some(order_id.to_owned()), after_sale_id: case.to_owned() };
        let Fact::Refund { facts, .. } = self.fact(&ask).await else { panic!() };
        Seen::of(&facts)
    }

    /// All that changed, window after window and page after page.
    async fn changed(&self, ask: impl Fn(Window) -> Ask) -> BTreeSet<Ask> {
        let (mut since, end) = (UnixMs::from_seconds(THEN).unwrap(), UnixMs::from_seconds(THEN + 3600).unwrap());
        let (mut page, mut found) = (None, BTreeSet::new());
        while since < end {
            let until = since.try_add_millis(self.source.longest_window_ms()).unwrap().min(end);
            let Answer::Changed { asks, next } = self.ask(&ask(Window { since, until, page })).await else {
                panic!("not a list")
            };
            found.extend(asks);
            if next.is_none() {
                since = until;
            }
            page = next;
        }
        found
    }

    /// All that the platform tells by now: what it has pushed since the last call, and the records.
    async fn told(&self, order_id: &str) -> Vec<Fact> {
        let mut told = vec![self.fact(&Ask::Order { order_id: order_id.to_owned() }).await];
        let cases = self.server.shop(|shop| shop.cases().map(|case| case.id.clone()).collect::<Vec<_>>());
        for after_sale_id in cases {
            told.push(self.fact(&Ask::AfterSale { order_id: Some(order_id.to_owned()), after_sale_id }).await);
        }
        for messages in self.server.deliveries(&Mishaps::NONE) {
            let push = self.server.push(&messages).unwrap();
            let Ok(Received::Messages(received)) = self.receive(&push) else { panic!("{push:?}") };
            told.extend(received.into_iter().filter_map(|message| match message.says {
                Says::Fact(fact) => Some(*fact),
                Says::Hint { .. } => None,
                other => panic!("{}: {other:?}", message.kind),
            }));
        }
        told
    }

    fn receive(&self, push: &Push) -> Result<Received, VerifyError> {
        let path = self.server.dialect().hook(self.server.app());
        let delivery = Delivery {
            method: &Method::POST,
            path: &path,
            query: &push.query,
            headers: &push.headers,
            body: &push.body,
            now: now(),
        };
        self.source.receive(&self.app, &delivery)
    }
}

fn now() -> UnixMs {
    UnixMs::from_millis(jiff::Timestamp::now().as_millisecond()).unwrap()
}

/// Two lines of one SKU and one of another, with discounts that do not divide evenly.
fn basket() -> Basket {
    let goods = |code: &str, quantity, unit_price| Goods {
        code: code.to_owned(),
        title: "测试茶".to_owned(),
        quantity,
        unit_price,
    };
    Basket {
        buyer: "测试买家-1".to_owned(),
        goods: vec![goods("TEA-A", 2, 1_990), goods("TEA-B", 1, 3_335), goods("TEA-A", 1, 1_990)],
        discount_merchant: 100,
        discount_platform: 1,
        freight: 600,
        room: None,
        region: ("浙江省", "杭州市"),
    }
}

#[tokio::test]
async fn a_record_tells_what_the_platform_s_books_say() {
    for pair in Pair::all().await {
        let order_id = pair.server.shop(|shop| {
            let id = shop.place(basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            shop.ship(&id, THEN + 120).unwrap();
            shop.sign(&id, THEN + 180).unwrap();
            id
        });
        let Fact::Order { key, facts } = pair.fact(&Ask::Order { order_id: order_id.clone() }).await else { panic!() };
        assert_eq!((&key.shop_id, &key.platform_order_id), (&pair.shop_id, &order_id));
        let order = facts.order(key);
        assert_eq!(order.flags, [], "{order:?}");
        assert_eq!(order.paid.unwrap().get(), pair.server.books().paid);
        assert_eq!(order.amounts.as_ref().unwrap().payable.get(), pair.server.books().paid);
        let lines: Vec<_> = order.lines.iter().map(|line| (line.sku.as_str(), line.quantity)).collect();
        if pair.is_one_of(ADDS_UP_SKUS) {
            assert_eq!(lines, [("TEA-A", 3), ("TEA-B", 1)]);
        } else {
            assert_eq!(lines, [("TEA-A", 2), ("TEA-B", 1), ("TEA-A", 1)]);
        }
        assert!(order.status >= OrderStatus::Shipped, "{:?}", order.status);
    }
}

#[tokio::test]
async fn what_changed_is_found_over_all_pages() {
    for pair in Pair::all().await {
        let (orders, cases): (BTreeSet<_>, BTreeSet<_>) = pair.server.shop(|shop| {
            let orders: Vec<_> = (0..250).map(|number| shop.place(basket(), THEN + number)).collect();
            for order in &orders {
                shop.pay(order, THEN + 300).unwrap();
            }
            let cases = orders.iter().map(|order| shop.ask_refund(order, 100, THEN + 600).unwrap()).collect();
            shop.place(basket(), THEN - 1);
            (orders.into_iter().collect(), cases)
        });
        let found = pair.changed(Ask::ChangedOrders).await.into_iter().map(|ask| match ask {
            Ask::Order { order_id } => order_id,
            other => panic!("{other:?}"),
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), orders);
        let found = pair.changed(Ask::ChangedAfterSales).await.into_iter().map(|ask| match ask {
            Ask::AfterSale { after_sale_id, .. } => after_sale_id,
            other => panic!("{other:?}"),
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), cases);
    }
}

#[tokio::test]
async fn decisions_are_carried_out() {
    for pair in Pair::all().await {
        let (order_id, early, back) = pair.server.shop(|shop| {
            let id = shop.place(basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            let early = shop.ask_refund(&id, 100, THEN + 120).unwrap();
            shop.ship(&id, THEN + 180).unwrap();
            let back = shop.ask_return(&id, 1_990, THEN + 240).unwrap();
            (id, early, back)
        });
        let status = |case: &str| pair.server.shop(|shop| shop.case(case).unwrap().status);
        let agree = |case: &str, seen| Ask::Agree { order_id: order_id.clone(), after_sale_id: case.to_owned(), seen };

        assert_eq!(pair.ask(&agree(&early, pair.seen(&order_id, &early).await)).await, Answer::Done);
        assert_eq!(status(&early), CaseStatus::Refunded);
        let seen = pair.seen(&order_id, &back).await;
        assert_eq!((seen.kind, seen.status), (Some(RefundKind::Return), Some(RefundStatus::Applied)));
        assert_eq!(pair.ask(&agree(&back, seen)).await, Answer::Done);
        assert_eq!(status(&back), CaseStatus::Agreed);
        let receipt = async || Ask::ConfirmReceipt {
            order_id: order_id.clone(),
            after_sale_id: back.clone(),
            seen: pair.seen(&order_id, &back).await,
        };
        let soon = receipt().await;
        assert!(matches!(pair.try_to(&soon).await, Err(ApiError::Permanent(_))), "nothing came back yet");
        pair.server.shop(|shop| shop.send_back(&back, now().seconds() + 5).unwrap());
        if pair.is_one_of(WITHOUT_VERSIONS) {
            assert_eq!(pair.try_to(&soon).await, Ok(Answer::Done));
        } else {
            assert!(matches!(pair.try_to(&soon).await, Err(ApiError::Permanent(_))), "it has changed since");
            pair.ask(&receipt().await).await;
        }
        assert_eq!(status(&back), CaseStatus::Refunded);

        let refused = pair.server.shop(|shop| shop.ask_return(&order_id, 100, THEN + 360).unwrap());
        let refuse = Ask::Refuse {
            order_id: order_id.clone(),
            after_sale_id: refused.clone(),
            seen: pair.seen(&order_id, &refused).await,
            reason: "已拆封".to_owned(),
        };
        pair.ask(&refuse).await;
        assert_eq!(status(&refused), CaseStatus::Rejected);
        for (case, wanted) in [(&back, RefundStatus::Refunded), (&refused, RefundStatus::Rejected)] {
            let ask = Ask::AfterSale { order_id: Some(order_id.clone()), after_sale_id: case.clone() };
            let Fact::Refund { order, after_sale_id, facts } = pair.fact(&ask).await else { panic!() };
            assert_eq!((&order.platform_order_id, &after_sale_id), (&order_id, case));
            assert_eq!(facts.status(), Some(wanted));
        }
    }
}

/// Platforms that have another call for the refusal of what came back, or none, are not among these.
#[tokio::test]
async fn what_came_back_can_be_refused() {
    for pair in Pair::all().await.iter().filter(|pair| pair.is_one_of(&["douyin", "wechat_store", "xiaohongshu"])) {
        let (order_id, case) = pair.server.shop(|shop| {
            let id = shop.place(basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            shop.ship(&id, THEN + 120).unwrap();
            let case = shop.ask_return(&id, 1_990, THEN + 180).unwrap();
            shop.agree(&case, THEN + 240).unwrap();
            shop.send_back(&case, THEN + 300).unwrap();
            (id, case)
        });
        let seen = pair.seen(&order_id, &case).await;
        let refuse = Ask::Refuse { order_id, after_sale_id: case.clone(), seen, reason: "不是原件".to_owned() };
        assert_eq!(pair.ask(&refuse).await, Answer::Done);
        let (status, words) = pair.server.shop(|shop| {
            let case = shop.case(&case).unwrap();
            (case.status, case.refusal.clone())
        });
        assert_eq!((status, words.as_deref()), (CaseStatus::Rejected, Some("不是原件")));
        assert_eq!(pair.server.books().refunded, 0);
    }
}

/// A step of an order's life, at a time.
type Step = fn(&mut shop::Shop, &str, i64) -> Result<(), Impossible>;

/// Does something to the only case.
fn on_case(
    shop: &mut shop::Shop,
    step: impl Fn(&mut shop::Shop, &str) -> Result<(), Impossible>,
) -> Result<(), Impossible> {
    let case = shop.cases().next().unwrap().id.clone();
    step(shop, &case)
}

const LIFE: [Step; 7] = [
    |shop, order, at| shop.pay(order, at),
    |shop, order, at| shop.ship(order, at),
    |shop, order, at| shop.ask_return(order, 1_990, at).map(drop),
    |shop, _, at| on_case(shop, |shop, case| shop.agree(case, at)),
    |shop, _, at| on_case(shop, |shop, case| shop.send_back(case, at)),
    |shop, order, at| shop.finish(order, at),
    |shop, _, at| on_case(shop, |shop, case| shop.confirm_receipt(case, at)),
];

/// What a receiver's books hold after these facts, in this order.
fn books(facts: Vec<Fact>) -> (BTreeMap<OrderKey, OrderFacts>, BTreeMap<(OrderKey, String), RefundFacts>) {
    let (mut orders, mut refunds) = (BTreeMap::<_, OrderFacts>::new(), BTreeMap::<_, RefundFacts>::new());
    for fact in facts {
        match fact {
            Fact::Order { key, facts } => orders.entry(key).or_default().merge(facts),
            Fact::Refund { order, after_sale_id, facts } => {
                refunds.entry((order, after_sale_id)).or_default().merge(facts);
            }
        }
    }
    (orders, refunds)
}

#[tokio::test]
async fn every_sequence_of_messages_and_records_ends_in_the_same_books() {
    for pair in Pair::all().await {
        let order_id = pair.server.shop(|shop| shop.place(basket(), THEN));
        let mut told = pair.told(&order_id).await;
        for (at, step) in (THEN + 1..).zip(LIFE) {
            pair.server.shop(|shop| step(shop, &order_id, at)).unwrap();
            told.extend(pair.told(&order_id).await);
        }
        let (orders, refunds) = books(told.clone());
        let (key, facts) = orders.first_key_value().unwrap();
        let order = facts.order(key.clone());
        assert_eq!((orders.len(), order.status, order.flags), (1, OrderStatus::Completed, vec![]));
        let (order_books, refund) = (pair.server.books(), refunds.values().next().unwrap());
        assert_eq!(order.paid.unwrap().get(), order_books.paid);
        assert_eq!((refunds.len(), refund.status()), (1, Some(RefundStatus::Refunded)));
        assert_eq!(refund.claim.as_ref().unwrap().value.amount.get(), order_books.refunded);
        for seed in 0..50 {
            let mut dice = fastrand::Rng::with_seed(seed);
            let again: Vec<_> = told.iter().filter(|_| dice.bool()).cloned().collect();
            let mut noisy = [told.clone(), again].concat();
            dice.shuffle(&mut noisy);
            assert_eq!(books(noisy), (orders.clone(), refunds.clone()), "{} {seed}", pair.server.dialect().name());
        }
    }
}

#[tokio::test]
async fn the_longest_window_is_not_too_long() {
    for pair in Pair::all().await {
        // Between two seconds, so that rounding makes it longer.
        let since = UnixMs::from_seconds(THEN).unwrap().try_add_millis(1).unwrap();
        let until = since.try_add_millis(pair.source.longest_window_ms()).unwrap();
        let window = Window { since, until, page: None };
        for kind in pair.source.pulls() {
            let ask = match kind {
                PullKind::Orders => Ask::ChangedOrders(window.clone()),
                PullKind::AfterSales => Ask::ChangedAfterSales(window.clone()),
                PullKind::Messages => continue,
            };
            assert_eq!(pair.ask(&ask).await, Answer::Changed { asks: vec![], next: None });
        }
    }
}

#[tokio::test]
async fn stock_is_set() {
    for pair in Pair::all().await {
        let shelf = pair.server.shop(|shop| shop.shelf("TEA-A"));
        let shelf = Shelf { product_id: shelf.product_id, sku_id: Some(shelf.sku_id) };
        for quantity in [7, 0] {
            assert_eq!(pair.ask(&Ask::SetStock { shelf: shelf.clone(), quantity }).await, Answer::Done);
            assert_eq!(pair.server.shop(|shop| shop.stock("TEA-A")), Some(quantity));
        }
    }
}

#[tokio::test]
async fn refusals_say_what_to_do_next() {
    for mut pair in Pair::all().await {
        let order_id = pair.server.shop(|shop| shop.place(basket(), THEN));
        let ask = Ask::Order { order_id };
        pair.server.trouble(Trouble { broken_gateway: 1, server_errors: 1, rate_limited: 1, ..Trouble::default() });
        for _ in 0..3 {
            assert!(matches!(pair.try_to(&ask).await, Err(ApiError::Retryable(_))));
        }
        pair.ask(&ask).await;
        let nothing = Ask::Order { order_id: "1".to_owned() };
        assert!(matches!(pair.try_to(&nothing).await, Err(ApiError::Permanent(_))));
        let others = pair.server.shops(|shops| shops[1].place(basket(), THEN));
        assert!(matches!(pair.try_to(&Ask::Order { order_id: others }).await, Err(ApiError::Permanent(_))));
        pair.server.expire_tokens();
        assert!(matches!(pair.try_to(&ask).await, Err(ApiError::TokenExpired(_))));
        if pair.renew().await {
            pair.ask(&ask).await;
        }
    }
}

#[tokio::test]
async fn pushes_are_authentic_and_tell_of_the_order_or_what_to_ask() {
    for pair in Pair::all().await {
        let dialect = pair.server.dialect();
        let order_id = pair.server.shop(|shop| {
            let id = shop.place(basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            id
        });
        for messages in pair.server.deliveries(&Mishaps::NONE) {
            let push = pair.server.push(&messages).unwrap();
            let Ok(Received::Messages(received)) = pair.receive(&push) else { panic!("{push:?}") };
            assert_eq!(received.len(), messages.len());
            for message in received {
                match message.says {
                    Says::Fact(fact) => {
                        assert!(matches!(*fact, Fact::Order { key, .. } if key.platform_order_id == order_id));
                    }
                    Says::Hint { shop_id, ask } => {
                        assert_eq!((shop_id, ask), (pair.shop_id.clone(), Ask::Order { order_id: order_id.clone() }));
                    }
                    other => panic!("{}: {other:?}", dialect.name()),
                }
            }
            let forger = dialect.guess(pair.server.app());
            assert!(pair.receive(&dialect.push(&forger, &messages, now().seconds()).unwrap()).is_err());
        }
    }
}

#[tokio::test]
async fn wechat_store_tries_the_address_out() {
    let pair = Pair::of(Arc::new(WechatStore), &[]).await;
    let echo = |query: &str| {
        let (method, headers) = (&Method::GET, &HeaderMap::new());
        let delivery = Delivery { method, path: "/hooks/wechat-store", query, headers, body: b"", now: now() };
        pair.source.receive(&pair.app, &delivery)
    };
    let query = |app| wechat_store::trial(app, "4857093420", now().seconds());
    assert_eq!(echo(&query(pair.server.app())), Ok(Received::Echo("4857093420".to_owned())));
    assert!(echo(&query(&pair.server.dialect().guess(pair.server.app()))).is_err());
}
