//! The corp's app, and the limits that the platform sets; all of them can be made smaller, so that tests reach them.

use crate::wechat::callback::Mode;

/// What a corp starts with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// CorpID.
    pub corp_id: String,
    /// The app's number.
    pub agent_id: String,
    /// The app's secret.
    pub secret: String,
    /// The receiver's `Token`.
    pub token: String,
    /// The receiver's `EncodingAESKey`.
    pub encoding_aes_key: String,
    /// XML or JSON.
    pub mode: Mode,
    /// The members, by userid. More are hired by `Wecom::hire`.
    pub members: Vec<String>,
    /// Contact ways and group join ways together.
    pub ways: usize,
    /// Members of a customer group.
    pub group_size: usize,
    /// Tags of the corp.
    pub tags: usize,
    /// Tags of one customer with one member.
    pub tags_per_customer: usize,
    /// Customers of one member.
    pub customers_per_member: usize,
    /// How long a welcome code is good, in seconds.
    pub welcome_seconds: i64,
    /// Broadcasts that reach one customer on one day (of China's calendar).
    pub broadcasts_per_day: usize,
    /// How long a broadcast is being dispatched, in seconds.
    pub dispatch_seconds: i64,
    /// App messages that reach one member in a minute; what is more is dropped silently.
    pub messages_per_minute: usize,
    /// Calls of each API in a minute.
    pub calls_per_minute: u32,
    /// Calls of each API in an hour.
    pub calls_per_hour: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            corp_id: "ww0123456789abcdef".to_owned(),
            agent_id: "1000002".to_owned(),
            secret: "secret-of-the-simulated-wecom".to_owned(),
            token: "inventedWecomToken".to_owned(),
            encoding_aes_key: "SimulatedWecomKey0123456789abcdefghijklmnop".to_owned(),
            mode: Mode::Sealed,
            members: (1..=20).map(|number| format!("staff-{number:02}")).collect(),
            ways: 500_000,
            group_size: 200,
            tags: 10_000,
            tags_per_customer: 3_000,
            customers_per_member: 20_000,
            welcome_seconds: 20,
            broadcasts_per_day: 1,
            dispatch_seconds: 0,
            messages_per_minute: 30,
            calls_per_minute: 10_000,
            calls_per_hour: 150_000,
        }
    }
}
