//! Every platform's module against its simulated server, over HTTP and with no host between: both were written from the
//! platform's documents, and share nothing.
//!
//! A new platform is a row in [`dialects`].

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{OrderStatus, Platform, RefundKind, RefundStatus, Secret, UnixMs};
use http::{HeaderMap, Method};
use platforms::Fact;
use platforms::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, Received, Says, Seen, Shelf, Shop, Source, VerifyError, Window,
};
use siyu_tests::http::Client;
use siyu_tests::marketplace::dialect::{self, Dialect};
use siyu_tests::marketplace::doudian::Doudian;
use siyu_tests::marketplace::kuaishou::Kuaishou;
use siyu_tests::marketplace::pinduoduo::Pinduoduo;
use siyu_tests::marketplace::push::{Mishaps, Push};
use siyu_tests::marketplace::server::{Server, Trouble};
use siyu_tests::marketplace::shop::{Basket, CaseStatus, Goods};

/// Some time in the past, Unix seconds.
const THEN: i64 = 1_790_000_000;

/// What a platform's module is configured with beside the app that its server knows: name and text.
type Settings = &'static [(&'static str, &'static str)];

/// Every simulated platform.
fn dialects() -> Vec<(Arc<dyn Dialect>, Settings)> {
    vec![
        (Arc::new(Doudian), &[("return_address_id", "7000001"), ("refuse_reason_code", "20001")]),
        (Arc::new(Kuaishou), &[]),
        (Arc::new(Pinduoduo), &[]),
    ]
}

/// A platform's module, and the server that it asks.
struct Pair {
    server: Server,
    app: App,
    api: &'static dyn Api,
    source: &'static dyn Source,
    shop_id: String,
    token: Secret<String>,
    refresh: Secret<String>,
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
        let (token, refresh) = (Secret::new(issued.access), Secret::new(issued.refresh));
        let mut pair = Self { server, app, api, source, shop_id, token, refresh };
        // Nobody lives on the first token for long: all that follows is asked with the next one.
        if let Some(request) = api.token_request(&pair.app, &pair.shop(), now()) {
            let token = api.token(&pair.send(&request).await, now()).unwrap();
            assert!(token.expires_in > 0);
            assert_ne!(token.access_token.expose(), pair.token.expose(), "{platform}");
            pair.token = token.access_token;
        }
        pair
    }

    async fn all() -> Vec<Self> {
        let mut pairs = Vec::new();
        for (dialect, more) in dialects() {
            pairs.push(Self::of(dialect, more).await);
        }
        pairs
    }

    fn shop(&self) -> Shop<'_> {
        Shop { id: &self.shop_id, access_token: Some(&self.token), refresh_token: Some(&self.refresh) }
    }

    /// Whether the platform has no call for a question or a command.
    fn lacks(&self, operation: &str) -> bool {
        self.server.dialect().lacks().contains(&operation)
    }

    /// The basket, as far as an order of the platform can hold it.
    fn basket(&self) -> Basket {
        let mut basket = basket();
        basket.goods.truncate(self.server.dialect().lines());
        basket
    }

    async fn send(&self, request: &platforms::marketplace::Request) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", request.content_type.parse().unwrap());
        let url = format!("{}{}", self.server.base(), request.path_and_query);
        let body = request.body.clone().into_bytes();
        Client::new().send(request.method.as_str(), &url, &headers, body).await.unwrap().body.to_vec()
    }

    /// Asks, and takes the steps that follow.
    async fn try_to(&self, ask: &Ask) -> Result<Answer, ApiError> {
        let mut ask = ask.clone();
        loop {
            let request = self.api.request(&self.app, &self.shop(), &ask, now())?;
            let answer = self.api.check(&ask, &self.send(&request).await)?;
            match self.source.read(&self.app, &self.shop_id, &ask, &answer).unwrap() {
                Answer::Changed { asks, next: None } if matches!(asks[..], [Ask::Further { .. }]) => {
                    ask = asks[0].clone();
                }
                answer => return Ok(answer),
            }
        }
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

    /// All that changed in an hour, window after window and page after page.
    async fn changed(&self, ask: impl Fn(Window) -> Ask) -> BTreeSet<Ask> {
        let end = UnixMs::from_seconds(THEN + 3600).unwrap();
        let (mut since, mut found) = (UnixMs::from_seconds(THEN).unwrap(), BTreeSet::new());
        while since < end {
            let until = since.try_add_millis(self.source.longest_window_ms()).unwrap().min(end);
            let mut page = None;
            loop {
                let window = Window { since, until, page };
                let Answer::Changed { asks, next } = self.ask(&ask(window)).await else { panic!("not a list") };
                found.extend(asks);
                page = next;
                if page.is_none() {
                    break;
                }
            }
            since = until;
        }
        found
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
            let id = shop.place(pair.basket(), THEN);
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
        let goods = pair.basket().goods;
        assert_eq!(lines, goods.iter().map(|goods| (goods.code.as_str(), goods.quantity)).collect::<Vec<_>>());
        assert!(order.status >= OrderStatus::Shipped, "{:?}", order.status);
    }
}

#[tokio::test]
async fn what_changed_is_found_over_all_pages() {
    for pair in Pair::all().await {
        let (orders, cases): (BTreeSet<_>, BTreeSet<_>) = pair.server.shop(|shop| {
            let orders: Vec<_> = (0..250).map(|number| shop.place(pair.basket(), THEN + number)).collect();
            for order in &orders {
                shop.pay(order, THEN + 300).unwrap();
            }
            let cases = orders.iter().map(|order| shop.ask_refund(order, 100, THEN + 600).unwrap()).collect();
            shop.place(pair.basket(), THEN - 1);
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
            let id = shop.place(pair.basket(), THEN);
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
        assert!(matches!(pair.try_to(&soon).await, Err(ApiError::Permanent(_))), "it has changed since");
        pair.ask(&receipt().await).await;
        assert_eq!(status(&back), CaseStatus::Refunded);

        let refused = pair.server.shop(|shop| shop.ask_return(&order_id, 100, THEN + 360).unwrap());
        let refuse = Ask::Refuse {
            order_id: order_id.clone(),
            after_sale_id: refused.clone(),
            seen: pair.seen(&order_id, &refused).await,
            reason: "已拆封".to_owned(),
        };
        let rejected = if pair.lacks("refuse") {
            assert!(matches!(pair.try_to(&refuse).await, Err(ApiError::Permanent(_))), "{refuse:?}");
            assert_eq!(status(&refused), CaseStatus::Applied);
            RefundStatus::Applied
        } else {
            pair.ask(&refuse).await;
            assert_eq!(status(&refused), CaseStatus::Rejected);
            RefundStatus::Rejected
        };
        for (case, wanted) in [(&back, RefundStatus::Refunded), (&refused, rejected)] {
            let ask = Ask::AfterSale { order_id: Some(order_id.clone()), after_sale_id: case.clone() };
            let Fact::Refund { order, after_sale_id, facts } = pair.fact(&ask).await else { panic!() };
            assert_eq!((&order.platform_order_id, &after_sale_id), (&order_id, case));
            assert_eq!(facts.status(), Some(wanted));
        }
    }
}

#[tokio::test]
async fn stock_is_set() {
    for pair in Pair::all().await {
        let shelf = pair.server.shop(|shop| shop.shelf("TEA-A"));
        let shelf = Shelf { product_id: shelf.product_id, sku_id: Some(shelf.sku_id) };
        for quantity in [7, 0] {
            if pair.lacks("set_stock") {
                let error = pair.try_to(&Ask::SetStock { shelf: shelf.clone(), quantity }).await;
                assert!(matches!(error, Err(ApiError::Permanent(_))), "{error:?}");
                assert_eq!(pair.server.shop(|shop| shop.stock("TEA-A")), None);
                continue;
            }
            assert_eq!(pair.ask(&Ask::SetStock { shelf: shelf.clone(), quantity }).await, Answer::Done);
            assert_eq!(pair.server.shop(|shop| shop.stock("TEA-A")), Some(quantity));
        }
    }
}

#[tokio::test]
async fn refusals_say_what_to_do_next() {
    for pair in Pair::all().await {
        let order_id = pair.server.shop(|shop| shop.place(pair.basket(), THEN));
        let ask = Ask::Order { order_id };
        pair.server.trouble(Trouble { broken_gateway: 1, server_errors: 1, rate_limited: 1, ..Trouble::default() });
        for _ in 0..3 {
            assert!(matches!(pair.try_to(&ask).await, Err(ApiError::Retryable(_))));
        }
        pair.ask(&ask).await;
        let nothing = Ask::Order { order_id: "1".to_owned() };
        assert!(matches!(pair.try_to(&nothing).await, Err(ApiError::Permanent(_))));
        let others = pair.server.shops(|shops| shops[1].place(pair.basket(), THEN));
        assert!(matches!(pair.try_to(&Ask::Order { order_id: others }).await, Err(ApiError::Permanent(_))));
        pair.server.expire_tokens();
        assert!(matches!(pair.try_to(&ask).await, Err(ApiError::TokenExpired(_))));
    }
}

#[tokio::test]
async fn pushes_are_authentic_and_tell_of_the_order_or_what_to_ask() {
    for pair in Pair::all().await {
        let dialect = pair.server.dialect();
        let order_id = pair.server.shop(|shop| {
            let id = shop.place(pair.basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            id
        });
        if !matches!(dialect.delivery(), dialect::Delivery::Push(_)) {
            let headers = HeaderMap::new();
            let claimed = Push { query: String::new(), headers, body: b"{}".to_vec() };
            assert!(pair.receive(&claimed).is_err(), "{} does not push", dialect.name());
            continue;
        }
        let deliveries = pair.server.deliveries(&Mishaps::NONE);
        assert_eq!(deliveries.len(), 2, "{}", dialect.name());
        for messages in deliveries {
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
            let forged = dialect.push(&forger(pair.server.app()), &messages, now().seconds()).unwrap();
            assert!(pair.receive(&forged).is_err(), "{}", dialect.name());
        }
    }
}

/// Who knows the app's key and guesses its secrets: each begins with another letter.
fn forger(app: &dialect::App) -> dialect::App {
    let mut app = app.clone();
    for secret in app.more.values_mut().chain([&mut app.secret]) {
        let guess = if secret.starts_with('b') { "c" } else { "b" };
        secret.replace_range(..1, guess);
    }
    app
}
