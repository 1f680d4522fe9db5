//! A platform's module, and the simulated server that it asks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{Platform, RefundFacts, Secret, UnixMs};
use http::{HeaderMap, Method};
use platforms::Fact;
use platforms::marketplace::{
    Answer, Api, ApiError, App, Ask, Delivery, Received, Says, Seen, Shop, Source, VerifyError, Window,
};
use siyu_tests::http::Client;
use siyu_tests::marketplace::dialect::{self, Dialect};
use siyu_tests::marketplace::push::{Mishaps, Push};
use siyu_tests::marketplace::server::Server;
use siyu_tests::marketplace::shop::Basket;
use siyu_tests::merchant::baskets;

use crate::{Settings, THEN, dialects};

/// A platform's module, and the server that it asks.
pub struct Pair {
    pub server: Server,
    pub client: Client,
    pub app: App,
    pub api: &'static dyn Api,
    pub source: &'static dyn Source,
    pub shop_id: String,
    pub token: Secret<String>,
    pub refresh_token: Secret<String>,
}

impl Pair {
    pub async fn of(dialect: Arc<dyn Dialect>, more: Settings) -> Self {
        let platform: Platform = dialect.name().parse().unwrap();
        let server = Server::with_shops(dialect, 2).await.unwrap();
        let theirs = server.app();
        let own = [("app_key", theirs.key.as_str()), ("app_secret", theirs.secret.as_str())].into_iter();
        let others = theirs.more.iter().map(|(name, text)| (*name, text.as_str()));
        let settings = own.chain(others).chain(more.iter().copied());
        let variables: BTreeMap<_, _> = settings.map(|(name, text)| (format!("{platform}_{name}"), text)).collect();
        let app =
            App::configured(platform.as_str(), platforms::settings(platform), |name| variables.get(name).copied())
                .unwrap();
        let shop_id = server.shop(|shop| shop.id().to_owned());
        let (api, source) = (platforms::api(platform).unwrap(), platforms::source(platform).unwrap());
        let issued = server.issue_token(0);
        let (token, refresh_token) = (Secret::new(issued.access), Secret::new(issued.refresh));
        let mut pair = Self { server, client: Client::new(), app, api, source, shop_id, token, refresh_token };
        // Nobody lives on the first token for long: all that follows is asked with the next one.
        let first = pair.token.clone();
        if pair.renew().await {
            assert_ne!(pair.token.expose(), first.expose(), "{platform}");
        }
        pair
    }

    /// Fetches a new token; false where the merchant's own is all there is.
    pub async fn renew(&mut self) -> bool {
        let Some(request) = self.api.token_request(&self.app, &self.shop(), now()) else { return false };
        let token = self.api.token(&self.send(&request).await, now()).unwrap();
        assert!(token.expires_in > 0);
        self.token = token.access_token;
        self.refresh_token = token.refresh_token.unwrap_or_else(|| self.refresh_token.clone());
        true
    }

    pub fn is_one_of(&self, platforms: &[&str]) -> bool {
        platforms.contains(&self.server.dialect().name())
    }

    /// Whether the platform has no call for a question or a command.
    pub fn lacks(&self, operation: &str) -> bool {
        self.server.dialect().lacks().contains(&operation)
    }

    /// The basket, as far as an order of the platform can hold it.
    pub fn basket(&self) -> Basket {
        let mut basket = baskets::uneven();
        basket.goods.truncate(self.server.dialect().lines());
        basket
    }

    pub async fn all() -> Vec<Self> {
        let mut pairs = Vec::new();
        for (dialect, more) in dialects() {
            pairs.push(Self::of(dialect, more).await);
        }
        pairs
    }

    /// The simulated platform of this name.
    pub async fn named(name: &str) -> Self {
        let (dialect, more) = dialects().into_iter().find(|(dialect, _)| dialect.name() == name).unwrap();
        Self::of(dialect, more).await
    }

    pub fn name(&self) -> &'static str {
        self.server.dialect().name()
    }

    /// What the module calls a case of the server's.
    pub fn case_name(&self, case: &str) -> String {
        self.server.shop(|shop| self.server.dialect().case_name(shop.case(case).unwrap()))
    }

    pub fn shop(&self) -> Shop<'_> {
        Shop { id: &self.shop_id, access_token: Some(&self.token), refresh_token: Some(&self.refresh_token) }
    }

    pub async fn send(&self, request: &platforms::marketplace::Request) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", request.content_type.parse().unwrap());
        let url = format!("{}{}", self.server.base(), request.path_and_query);
        let body = request.body.clone().into_bytes();
        self.client.send(request.method.as_str(), &url, &headers, body).await.unwrap().body.to_vec()
    }

    /// What comes of a question in the end, through all its steps.
    pub async fn try_to(&self, ask: &Ask) -> Result<Answer, ApiError> {
        let mut ask = ask.clone();
        loop {
            let request = self.api.request(&self.app, &self.shop(), &ask, now())?;
            let answer = self.api.check(&ask, &self.send(&request).await)?;
            if let Some(next) = self.api.next(&ask, &answer)? {
                ask = next;
                continue;
            }
            match self.source.read(&self.app, &self.shop_id, &ask, &answer).unwrap() {
                Answer::Changed { asks, next: None } if matches!(asks.as_slice(), [Ask::Further { .. }]) => {
                    ask = asks.into_iter().next().unwrap();
                }
                answer => return Ok(answer),
            }
        }
    }

    pub async fn ask(&self, ask: &Ask) -> Answer {
        self.try_to(ask).await.unwrap_or_else(|error| panic!("{}: {ask:?}: {error}", self.name()))
    }

    pub async fn fact(&self, ask: &Ask) -> Fact {
        let Answer::Facts(mut facts) = self.ask(ask).await else { panic!("{ask:?}") };
        assert_eq!(facts.len(), 1, "{ask:?}");
        facts.remove(0)
    }

    /// How a case stands, as who decides on it sees it.
    pub async fn seen(&self, order_id: &str, case: &str) -> Seen {
        Seen::of(&self.case(order_id, case).await)
    }

    /// What the platform tells of a case. Some have no record of it but that of its order.
    pub async fn case(&self, order_id: &str, case: &str) -> RefundFacts {
        let ask = Ask::AfterSale { order_id: Some(order_id.to_owned()), after_sale_id: case.to_owned() };
        let Answer::Facts(facts) = self.ask(&ask).await else { panic!("{ask:?}") };
        let found = facts.into_iter().find_map(|fact| match fact {
            Fact::Refund { order, after_sale_id, facts } if after_sale_id == case => {
                assert_eq!(order.platform_order_id, order_id);
                Some(facts)
            }
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{}: nothing of case {case}", self.name()))
    }

    /// The hour since [`THEN`], in windows as long as the platform allows.
    pub fn windows(&self) -> Vec<Window> {
        let (mut since, end) = (UnixMs::from_seconds(THEN).unwrap(), UnixMs::from_seconds(THEN + 3600).unwrap());
        let mut windows = Vec::new();
        while since < end {
            let until = since.try_add_millis(self.source.longest_window_ms()).unwrap().min(end);
            windows.push(Window { since, until, page: None });
            since = until;
        }
        windows
    }

    /// All that changed in these windows, page after page.
    pub async fn changed(&self, windows: Vec<Window>, ask: impl Fn(Window) -> Ask) -> BTreeSet<Ask> {
        let mut found = BTreeSet::new();
        for window in windows {
            let mut page = None;
            loop {
                let asked = ask(Window { page, ..window.clone() });
                let Answer::Changed { asks, next } = self.ask(&asked).await else { panic!("not a list: {asked:?}") };
                found.extend(asks);
                page = next;
                if page.is_none() {
                    break;
                }
            }
        }
        found
    }

    /// All that the platform tells by now: what it has pushed since the last call, and the records.
    pub async fn told(&self, order_id: &str) -> Vec<Fact> {
        let mut asks = vec![Ask::Order { order_id: order_id.to_owned() }];
        let cases = self.server.shop(|shop| shop.cases().map(|case| case.id.clone()).collect::<Vec<_>>());
        asks.extend(cases.iter().map(|case| {
            let after_sale_id = self.case_name(case);
            Ask::AfterSale { order_id: Some(order_id.to_owned()), after_sale_id }
        }));
        let mut told = Vec::new();
        for ask in asks {
            let Answer::Facts(facts) = self.ask(&ask).await else { panic!("{ask:?}") };
            told.extend(facts);
        }
        for messages in self.server.deliveries(&Mishaps::NONE) {
            let push = self.server.push(&messages).unwrap();
            let Ok(Received::Messages(received)) = self.receive(&push, self.server.app()) else { panic!("{push:?}") };
            told.extend(received.into_iter().filter_map(|message| match message.says {
                Says::Fact(fact) => Some(*fact),
                Says::Hint { .. } | Says::Nothing => None,
                other => panic!("{}: {other:?}", message.kind),
            }));
        }
        told
    }

    /// A push as who knows `app` sends it.
    pub fn receive(&self, push: &Push, app: &dialect::App) -> Result<Received, VerifyError> {
        let path = self.server.dialect().hook(app);
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

pub fn now() -> UnixMs {
    UnixMs::from_millis(jiff::Timestamp::now().as_millisecond()).unwrap()
}
