//! A simulated Official Account (公众号) on a port of the loopback interface: one account with its codes, followers and messages.
//!
//! It answers the API under `/cgi-bin/` with the documented limits and errors, and tells the application's webhook what people do,
//! in the clear, enciphered, or both. People act by the methods of [`OfficialAccount`]; what they do waits until
//! [`OfficialAccount::deliver`] sends it. Account and followers are invented.
//!
//! Documents: developers.weixin.qq.com, `doc/service/api` (stable_token, qrcode/create, user/info, message/template/send,
//! message/custom/send) and `doc/service/guide` (events).

mod account;
mod api;
mod codes;
mod messages;
mod people;
mod settings;

pub use self::account::{Account, Fan, Reply};
pub use self::codes::Code;
pub use self::messages::{CustomMessage, TemplateMessage};
pub use self::settings::{Settings, Window};

use anyhow::Result;

use crate::host::Setup;
use crate::wechat::limits::Limits;
use crate::wechat::service::Service;

/// A running account. The methods of the server itself (delivery, trouble, clock, log of calls) are [`Service`]'s.
pub type OfficialAccount = Service<Account>;

impl OfficialAccount {
    /// Start an account without codes and followers.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(settings: Settings) -> Result<Self> {
        let limits = Limits::new(settings.calls_per_minute, u32::MAX);
        Self::serve(Account::new(settings), limits).await
    }

    /// The same setup with the account.
    pub fn known_to(&self, setup: Setup) -> Setup {
        let settings = self.with(|account, _, _| account.settings.clone());
        let console = self.console();
        setup
            .variable("official_account_app_id", settings.app_id)
            .variable("official_account_secret", settings.secret)
            .variable("official_account_token", console.token)
            .variable("official_account_encoding_aes_key", console.key)
            .variable("official_account_api_base", self.base())
    }
}
