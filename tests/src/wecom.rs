//! A simulated WeCom (企业微信) on a port of the loopback interface: one corp with its members, contact ways, customers, customer
//! groups, tags, messages and transfers.
//!
//! It answers the API under `/cgi-bin/` with the documented limits and errors, and tells the application's webhook what people do:
//! enciphered, signed, repeated when it is not acknowledged, and with the mishaps of a real network. People act by the methods of
//! [`Wecom`]; what they do waits until [`Wecom::deliver`] sends it. What the API changes is not told, as with the real one.
//! Corp, members and customers are invented.

mod api;
mod books;
mod broadcasts;
mod contacts;
mod corp;
mod crowds;
mod fields;
mod groups;
mod messages;
mod people;
mod settings;
mod tags;
mod transfers;
mod ways;
mod welcomes;

pub use self::broadcasts::Broadcast;
pub use self::contacts::{Follow, Remark};
pub use self::corp::Corp;
pub use self::crowds::Joined;
pub use self::groups::{Chat, ChatMember, JoinWay};
pub use self::messages::AppMessage;
pub use self::people::Added;
pub use self::settings::Settings;
pub use self::transfers::{Outcome, Transfer};
pub use self::ways::Way;
pub use self::welcomes::Welcome;

use anyhow::Result;

use crate::host::Setup;
use crate::wechat::limits::Limits;
use crate::wechat::service::Service;

/// A running WeCom. The methods of the server itself (delivery, trouble, clock, log of calls) are [`Service`]'s.
pub type Wecom = Service<Corp>;

impl Wecom {
    /// Start a corp without ways and customers.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(settings: Settings) -> Result<Self> {
        let limits = Limits::new(settings.calls_per_minute, settings.calls_per_hour);
        Self::serve(Corp::new(settings), limits).await
    }

    /// The same setup with the corp's app.
    pub fn known_to(&self, setup: Setup) -> Setup {
        let settings = self.with(|corp, _, _| corp.settings.clone());
        let console = self.console();
        setup
            .variable("wecom_corp_id", settings.corp_id)
            .variable("wecom_agent_id", settings.agent_id)
            .variable("wecom_secret", settings.secret)
            .variable("wecom_token", console.token)
            .variable("wecom_encoding_aes_key", console.key)
            .variable("wecom_api_base", self.base())
    }
}
