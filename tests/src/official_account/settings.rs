//! The account, and the limits that the platform sets; all of them can be made smaller, so that tests reach them.

use crate::wechat::callback::Mode;

/// How long, and how often, a person may be written to after an interaction.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Seconds.
    pub seconds: i64,
    /// Messages.
    pub messages: usize,
}

/// What an account starts with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// AppID.
    pub app_id: String,
    /// AppSecret.
    pub secret: String,
    /// The original id, which messages are addressed to.
    pub original_id: String,
    /// The receiver's `Token`.
    pub token: String,
    /// The receiver's `EncodingAESKey`.
    pub encoding_aes_key: String,
    /// In the clear, enciphered, or both.
    pub mode: Mode,
    /// Permanent codes.
    pub permanent_codes: usize,
    /// The account's message templates.
    pub templates: Vec<String>,
    /// After the person has written.
    pub after_message: Window,
    /// After a click, a scan, or following.
    pub after_other: Window,
    /// Calls of each API in a minute.
    pub calls_per_minute: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let window = Window { seconds: 48 * 3600, messages: 20 };
        Self {
            app_id: "wx00000000000a11ce".to_owned(),
            secret: "fedcba9876543210fedcba9876543210".to_owned(),
            original_id: "gh_0123456789cd".to_owned(),
            token: "inventedAccountToken".to_owned(),
            encoding_aes_key: "SimulatedAccountKey0123456789abcdefghijklmn".to_owned(),
            mode: Mode::Sealed,
            permanent_codes: 100_000,
            templates: vec!["template-order-paid".to_owned(), "template-coupon".to_owned()],
            after_message: window,
            after_other: window,
            calls_per_minute: 10_000,
        }
    }
}

impl Settings {
    /// With the windows of newer accounts: five messages in 48 hours after the person has written, three in a minute after
    /// anything else.
    #[must_use]
    pub fn with_narrow_windows(self) -> Self {
        let (after_message, after_other) =
            (Window { seconds: 48 * 3600, messages: 5 }, Window { seconds: 60, messages: 3 });
        Self { after_message, after_other, ..self }
    }
}
