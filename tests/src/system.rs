//! The whole of it: the simulated platforms, and the application on the real host, with every variable set.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::host::{Host, Setup, share_compiled};
use crate::http::{Answer, Client};
use crate::marketplace::dialect::Dialect;
use crate::marketplace::doudian::Doudian;
use crate::marketplace::server::Server;
use crate::merchant::tills;
use crate::official_account::{self, OfficialAccount};
use crate::wecom::{self, Wecom};

/// Secrets made up for tests. Whoever runs Siyu in earnest makes their own.
pub const WEBHOOK_SECRET: &str = "whsec_dGVzdC1vbmx5LXdlYmhvb2stc2VjcmV0LTAwMDE=";
/// 32 bytes, Base64.
pub const DATA_KEY: &str = "dGVzdC1vbmx5LWRhdGEta2V5LTMyLWJ5dGVzLWxvbiE=";
/// The operator's first token.
pub const API_TOKEN: &str = "test-only-api-token-0123456789abcdef";

/// Where codes lead, as far as the outside world knows. Nobody calls it.
pub const PUBLIC_URL: &str = "https://siyu.example";

/// The application's database in the state folder, as docs/operations.md names it.
pub const DATABASE: &str = "sqlite_db.db";

/// Platforms and an application that knows them.
pub struct System {
    /// The simulated Doudian.
    pub platform: Server,
    /// The other simulated platforms.
    pub others: Vec<Server>,
    /// The simulated WeCom.
    pub wecom: Arc<Wecom>,
    /// The simulated Official Account.
    pub account: Arc<OfficialAccount>,
    /// The host that runs the application.
    pub host: Host,
    /// A client with the operator's token.
    pub client: Client,
    setup: Setup,
    state: TempDir,
}

impl System {
    /// Start Doudian and the application, with every variable set.
    ///
    /// # Errors
    /// When the host cannot be started.
    pub async fn start() -> Result<Self> {
        Self::start_with(|setup| setup).await
    }

    /// Start both, the setup changed by `change` first.
    ///
    /// # Errors
    /// When the host cannot be started.
    pub async fn start_with(change: impl FnOnce(Setup) -> Setup) -> Result<Self> {
        Self::start_on(Vec::new(), 1, change).await
    }

    /// Start Doudian, the other platforms of these dialects with so many shops each, and the application, the setup changed by
    /// `change` first.
    ///
    /// # Errors
    /// When the host cannot be started.
    pub async fn start_on(
        dialects: Vec<Arc<dyn Dialect>>,
        shops: u64,
        change: impl FnOnce(Setup) -> Setup,
    ) -> Result<Self> {
        let platform = Server::start(Doudian).await?;
        let mut setup = configured(&platform);
        let mut others = Vec::new();
        for dialect in dialects {
            let shops = if dialect.one_shop() { 1 } else { shops };
            let other = Server::with_shops(dialect, shops).await?;
            setup = knowing(setup, &other);
            others.push(other);
        }
        let wecom = Arc::new(Wecom::start(wecom::Settings::default()).await?);
        let account = Arc::new(OfficialAccount::start(official_account::Settings::default()).await?);
        let setup = change(account.known_to(wecom.known_to(setup)));
        let state = fresh_state()?;
        let host = Host::start(&setup, state.path())?;
        let client = Client::new().with_token(API_TOKEN);
        Ok(Self { platform, others, wecom, account, host, client, setup, state }.routed())
    }

    /// The same, WeCom and the Official Account knowing where the host is.
    fn routed(self) -> Self {
        self.wecom.route(self.host.url());
        self.account.route(self.host.url());
        self
    }

    /// Kill the host as a power cut would, and start it again on the same state.
    ///
    /// # Errors
    /// When it does not start again.
    pub fn crash_and_restart(self) -> Result<Self> {
        let Self { platform, others, wecom, account, host, client, setup, state } = self;
        host.kill()?;
        let host = Host::start(&setup, state.path())?;
        Ok(Self { platform, others, wecom, account, host, client, setup, state }.routed())
    }

    /// Stop the host and start it on the same state, the setup changed by `change`.
    ///
    /// # Errors
    /// When it does not stop or start again.
    pub async fn restart_with(self, change: impl FnOnce(Setup) -> Setup) -> Result<Self> {
        let Self { platform, others, wecom, account, host, client, setup, state } = self;
        host.stop().await?;
        let setup = change(setup);
        let host = Host::start(&setup, state.path())?;
        Ok(Self { platform, others, wecom, account, host, client, setup, state }.routed())
    }

    /// A second host on the same state.
    ///
    /// # Errors
    /// When it does not start.
    pub fn second_host(&self) -> Result<Host> {
        Host::start(&self.setup, self.state.path())
    }

    /// Stop the host and leave its state behind; start it anew on a folder that holds `backup` and nothing else.
    ///
    /// # Errors
    /// When it does not stop or start, or the back-up cannot be copied.
    pub async fn restore(self, backup: &Path) -> Result<Self> {
        let Self { platform, others, wecom, account, host, client, setup, state: left } = self;
        host.stop().await?;
        drop(left);
        let state = fresh_state()?;
        std::fs::copy(backup, state.path().join(DATABASE)).context("cannot copy the back-up")?;
        let host = Host::start(&setup, state.path())?;
        Ok(Self { platform, others, wecom, account, host, client, setup, state }.routed())
    }

    /// Connect all shops of a platform as a person would, with the tokens from the platform's console.
    ///
    /// # Errors
    /// When the application does not take one.
    pub async fn connect(&self, platform: &Server) -> Result<()> {
        let name = platform.dialect().name();
        let ids: Vec<_> = platform.shops(|shops| shops.iter().map(|shop| shop.id().to_owned()).collect());
        for (place, shop_id) in ids.iter().enumerate() {
            let token = platform.issue_token(place);
            let url = self.host.at(&format!("/v1/shops/{name}/{shop_id}"));
            let body = json!({ "name": "测试茶饮", "access_token": token.access, "refresh_token": token.refresh });
            let answer = self.client.json("PUT", &url, &body).await?;
            ensure!(answer.status == 200, "{name} {shop_id} could not be connected: {answer}");
        }
        Ok(())
    }

    /// Where a platform's pushes go.
    pub fn hook(&self, platform: &Server) -> String {
        self.host.at(&platform.dialect().hook(platform.app()))
    }

    /// Where Doudian's pushes go.
    pub fn douyin_hook(&self) -> String {
        self.hook(&self.platform)
    }

    /// Where own shops' messages go.
    pub fn orders_hook(&self) -> String {
        self.host.at("/hooks/orders")
    }

    /// The folder with the application's database.
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// Send a till's message once, signed now.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send_till(&self, message: &tills::Message) -> Result<Answer> {
        let (headers, body) = message.signed(WEBHOOK_SECRET, Timestamp::now().as_second())?;
        Client::new().send("POST", &self.orders_hook(), &headers, body).await
    }

    /// All orders that the application knows.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub async fn orders(&self) -> Result<Vec<Value>> {
        self.client.pages(&self.host.at("/v1/orders?limit=500")).await
    }

    /// All events in the log, in its order.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn events(&self) -> Result<Vec<Value>> {
        let mut events = Vec::new();
        let mut after = Some(0);
        while let Some(seq) = after {
            let url = self.host.at(&format!("/v1/events?limit=500&after={seq}"));
            let answer = self.client.get(&url).await?;
            ensure!(answer.status == 200, "GET {url} was answered with {answer}");
            let mut page = answer.json()?;
            after = page["next_after"].as_i64();
            let Value::Array(items) = page["items"].take() else { bail!("GET {url} has no items") };
            events.extend(items);
        }
        Ok(events)
    }

    /// Wait until `done` returns something.
    ///
    /// # Errors
    /// When it does not within `patience`; the message holds `what`.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        patience: Duration,
        mut done: impl AsyncFnMut(&Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(found) = done(self).await? {
                return Ok(found);
            }
            if Instant::now() > deadline {
                bail!("waited {patience:?} for {what}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// An empty state folder, but for the compiled components that all hosts of the tests share.
///
/// # Errors
/// When there is no place for temporary files.
pub fn fresh_state() -> Result<TempDir> {
    let state = tempfile::tempdir().context("no temporary folder")?;
    share_compiled(state.path())?;
    Ok(state)
}

/// The application's own setup, knowing `platform`.
pub fn configured(platform: &Server) -> Setup {
    let setup = Setup::application()
        .variable("webhook_secret", WEBHOOK_SECRET)
        .variable("data_key", DATA_KEY)
        .variable("api_token", API_TOKEN)
        .variable("public_url", PUBLIC_URL);
    knowing(setup, platform)
}

/// The same setup, knowing `platform` too.
fn knowing(setup: Setup, platform: &Server) -> Setup {
    let (name, app) = (platform.dialect().name(), platform.app());
    let setup = setup
        .variable(&format!("{name}_app_key"), &app.key)
        .variable(&format!("{name}_app_secret"), &app.secret)
        .variable(&format!("{name}_api_base"), platform.base());
    app.more.iter().fold(setup, |setup, (more, text)| setup.variable(&format!("{name}_{more}"), text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn the_invented_secrets_have_the_lengths_that_are_asked_for() {
        assert_eq!(STANDARD.decode(DATA_KEY).unwrap().len(), 32);
        let secret = STANDARD.decode(WEBHOOK_SECRET.trim_start_matches("whsec_")).unwrap();
        assert!((24..=64).contains(&secret.len()));
    }
}
