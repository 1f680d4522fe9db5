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
use siyu_tests::marketplace::jd::Jd;
use siyu_tests::marketplace::push::{Mishaps, Push};
use siyu_tests::marketplace::server::{Server, Trouble};
use siyu_tests::marketplace::shop::{Basket, CaseStatus, Goods};
use siyu_tests::marketplace::taobao::Taobao;

/// Some time in the past, Unix seconds.
const THEN: i64 = 1_790_000_000;

/// What a platform's module is configured with beside the app that its server knows: name and text.
type Settings = &'static [(&'static str, &'static str)];

/// Every simulated platform.
fn dialects() -> Vec<(Arc<dyn Dialect>, Settings)> {
    vec![
        (Arc::new(Doudian), &[("return_address_id", "7000001"), ("refuse_reason_code", "20001")]),
        (Arc::new(Taobao), &[("return_address_id", "7000001")]),
        (Arc::new(Jd), &[]),
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
        if let Some(request) = api.token_request(&pair.app, &pair.shop(), now()) {
            pair.token = api.token(&pair.send(&request).await, now()).unwrap().access_token;
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

    /// The simulated platform of this name.
    async fn named(name: &str) -> Self {
        let (dialect, more) = dialects().into_iter().find(|(dialect, _)| dialect.name() == name).unwrap();
        Self::of(dialect, more).await
    }

    fn name(&self) -> &'static str {
        self.server.dialect().name()
    }

    /// What the module calls a case of the server's.
    fn case_name(&self, case: &str) -> String {
        self.server.shop(|shop| self.server.dialect().case_name(shop.case(case).unwrap()))
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

    /// What comes of a question in the end, through all its steps.
    async fn try_to(&self, ask: &Ask) -> Result<Answer, ApiError> {
        let mut ask = ask.clone();
        loop {
            let request = self.api.request(&self.app, &self.shop(), &ask, now())?;
            let answer = self.api.check(&ask, &self.send(&request).await)?;
            match self.source.read(&self.app, &self.shop_id, &ask, &answer).unwrap() {
                Answer::Changed { asks, next: None } if matches!(asks.as_slice(), [Ask::Further { .. }]) => {
                    ask = asks.into_iter().next().unwrap();
                }
                answer => return Ok(answer),
            }
        }
    }

    async fn ask(&self, ask: &Ask) -> Answer {
        self.try_to(ask).await.unwrap_or_else(|error| panic!("{}: {ask:?}: {error}", self.name()))
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

    /// All that changed, page after page.
    async fn changed(&self, ask: impl Fn(Window) -> Ask) -> BTreeSet<Ask> {
        let (since, until) = (UnixMs::from_seconds(THEN).unwrap(), UnixMs::from_seconds(THEN + 3600).unwrap());
        let (mut page, mut found) = (None, BTreeSet::new());
        loop {
            let window = Window { since, until, page: page.clone() };
            let Answer::Changed { asks, next } = self.ask(&ask(window)).await else { panic!("not a list") };
            found.extend(asks);
            match next {
                None => return found,
                next => page = next,
            }
        }
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
        assert_eq!(lines, [("TEA-A", 2), ("TEA-B", 1), ("TEA-A", 1)]);
        assert!(order.status >= OrderStatus::Shipped, "{:?}", order.status);
    }
}

#[tokio::test]
async fn what_changed_is_found_over_all_pages() {
    for pair in Pair::all().await {
        let (orders, cases): (BTreeSet<_>, Vec<_>) = pair.server.shop(|shop| {
            let orders: Vec<_> = (0..250).map(|number| shop.place(basket(), THEN + number)).collect();
            for order in &orders {
                shop.pay(order, THEN + 300).unwrap();
            }
            // Half of the cases are about goods that were shipped.
            for order in orders.iter().step_by(2) {
                shop.ship(order, THEN + 400).unwrap();
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
        let cases: BTreeSet<_> = cases.iter().map(|case| pair.case_name(case)).collect();
        assert_eq!(found.collect::<BTreeSet<_>>(), cases);
    }
}

#[tokio::test]
async fn decisions_are_carried_out() {
    for pair in Pair::all().await {
        if pair.name() == "jd" {
            continue; // See the test below.
        }
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

/// JD takes decisions on cancellations only; those on service bills are its staff's.
#[tokio::test]
async fn jd_is_told_of_cancellations_and_nothing_else() {
    let pair = Pair::named("jd").await;
    let (order_id, agreed, refused, service) = pair.server.shop(|shop| {
        let id = shop.place(basket(), THEN);
        shop.pay(&id, THEN + 60).unwrap();
        let agreed = shop.ask_refund(&id, 100, THEN + 120).unwrap();
        let refused = shop.ask_refund(&id, 200, THEN + 120).unwrap();
        shop.ship(&id, THEN + 180).unwrap();
        let service = shop.ask_return(&id, 1_990, THEN + 240).unwrap();
        (id, agreed, refused, service)
    });
    let status = |case: &str| pair.server.shop(|shop| shop.case(case).unwrap().status);
    let agree = |after_sale_id: String, seen| Ask::Agree { order_id: order_id.clone(), after_sale_id, seen };
    let refuse = |after_sale_id: String, seen| {
        let (order_id, reason) = (order_id.clone(), "已发货".to_owned());
        Ask::Refuse { order_id, after_sale_id, reason, seen }
    };

    let name = pair.case_name(&agreed);
    let seen = pair.seen(&order_id, &name).await;
    assert_eq!((seen.kind, seen.status), (Some(RefundKind::Unshipped), Some(RefundStatus::Applied)));
    assert_eq!(seen.amount.unwrap().get(), 100, "fen, where all else is yuan");
    assert_eq!(pair.ask(&agree(name.clone(), seen.clone())).await, Answer::Done);
    assert_eq!(status(&agreed), CaseStatus::Refunded);
    assert!(matches!(pair.try_to(&agree(name.clone(), seen)).await, Err(ApiError::Permanent(_))), "twice");
    assert_eq!(pair.seen(&order_id, &name).await.status, Some(RefundStatus::Agreed), "never told that it is paid");

    let name = pair.case_name(&refused);
    pair.ask(&refuse(name.clone(), pair.seen(&order_id, &name).await)).await;
    assert_eq!(status(&refused), CaseStatus::Rejected);
    assert_eq!(pair.seen(&order_id, &name).await.status, Some(RefundStatus::Rejected));

    let seen = pair.seen(&order_id, &service).await;
    assert_eq!((seen.kind, seen.status), (Some(RefundKind::Return), Some(RefundStatus::Applied)));
    let receipt =
        Ask::ConfirmReceipt { order_id: order_id.clone(), after_sale_id: service.clone(), seen: seen.clone() };
    for ask in [agree(service.clone(), seen.clone()), refuse(service.clone(), seen), receipt] {
        assert!(matches!(pair.try_to(&ask).await, Err(ApiError::Permanent(_))), "{ask:?}");
    }
    assert_eq!(status(&service), CaseStatus::Applied);
    for (step, wanted) in [
        (CaseStatus::Agreed, RefundStatus::Agreed),
        (CaseStatus::Returning, RefundStatus::Returning),
        (CaseStatus::Refunded, RefundStatus::Refunded),
    ] {
        pair.server.shop(|shop| match step {
            CaseStatus::Agreed => shop.agree(&service, THEN + 300).unwrap(),
            CaseStatus::Returning => shop.send_back(&service, THEN + 360).unwrap(),
            _ => shop.confirm_receipt(&service, THEN + 420).unwrap(),
        });
        let seen = pair.seen(&order_id, &service).await;
        assert_eq!((seen.status, seen.amount.unwrap().get()), (Some(wanted), 1_990));
    }
}

#[tokio::test]
async fn messages_of_a_queue_come_until_they_are_confirmed() {
    for pair in
        Pair::all().await.into_iter().filter(|pair| pair.server.dialect().delivery() == dialect::Delivery::Queue)
    {
        assert_eq!(pair.ask(&Ask::Messages).await, Answer::Messages(Vec::new()));
        let (order_id, case) = pair.server.shop(|shop| {
            let id = shop.place(basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            let case = shop.ask_refund(&id, 100, THEN + 120).unwrap();
            (id, case)
        });
        let Answer::Messages(messages) = pair.ask(&Ask::Messages).await else { panic!("{}", pair.name()) };
        let order = Ask::Order { order_id: order_id.clone() };
        let case = Ask::AfterSale { order_id: Some(order_id), after_sale_id: pair.case_name(&case) };
        let hint = |ask: &Ask| Says::Hint { shop_id: pair.shop_id.clone(), ask: ask.clone() };
        let said: Vec<_> = messages.iter().map(|message| &message.says).collect();
        assert_eq!(said, [&hint(&order), &hint(&order), &hint(&case)]);
        assert_eq!(pair.ask(&Ask::Messages).await, Answer::Messages(messages.clone()), "not confirmed");
        let message_ids = messages[..2].iter().map(|message| message.id.clone()).collect();
        assert_eq!(pair.ask(&Ask::ConfirmMessages { message_ids }).await, Answer::Done);
        assert_eq!(pair.ask(&Ask::Messages).await, Answer::Messages(messages[2..].to_vec()));
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
    for pair in Pair::all().await {
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
    }
}

#[tokio::test]
async fn pushes_are_authentic_and_tell_of_the_order_or_what_to_ask() {
    for pair in Pair::all().await {
        let dialect = pair.server.dialect();
        if !matches!(dialect.delivery(), dialect::Delivery::Push(_)) {
            let push = Push { query: String::new(), headers: HeaderMap::new(), body: b"{}".to_vec() };
            assert_eq!(pair.receive(&push), Err(VerifyError::NoPushes), "{}", dialect.name());
            continue;
        }
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
            let forger = dialect::App { secret: "a-guess".to_owned(), ..pair.server.app().clone() };
            assert!(pair.receive(&dialect.push(&forger, &messages, now().seconds()).unwrap()).is_err());
        }
    }
}
