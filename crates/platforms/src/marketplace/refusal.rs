//! How things go wrong between a marketplace and us.

use domain::MoneyError;

/// Why a delivery is not authentic. What is wrong is said as far as it helps an operator and not a forger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is missing.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// A parameter of the query or the form is missing.
    #[error("the parameter {0} is missing")]
    MissingParameter(&'static str),
    /// Sent for another app or account.
    #[error("the delivery is for another app: check {0}, and the app that the platform's console pushes for")]
    WrongApp(&'static str),
    /// The platform has nothing to push here.
    #[error("the platform pushes nothing over HTTP: what changed is asked for")]
    NoPushes,
    /// MD5 is switched off.
    #[error("the push is signed with MD5, which is switched off: choose HMAC-SHA256 in the console, or switch MD5 on")]
    Md5Refused,
    /// Too old, or from the future.
    #[error("the timestamp is more than {0} minutes off: check both clocks")]
    Stale(u32),
    /// The signature does not fit, or nothing can be deciphered.
    #[error("the delivery is not authentic: check {0}, and that nothing rewrites it on its way")]
    Mismatch(&'static str),
}

/// Why a record or a message cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// A field is missing or of the wrong kind.
    #[error("the record does not look like the platform's: {0}")]
    Malformed(String),
    /// Its amounts do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl MapError {
    /// A field that must be there is not.
    pub fn missing(what: &str) -> Self {
        Self::Malformed(format!("{what} is missing"))
    }
}

impl From<serde_json::Error> for MapError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The platform is busy or limits us: try again later.
    #[error("try again later: {0}")]
    Retryable(Refusal),
    /// The access token is not valid (any more): fetch a new one, then try again.
    #[error("the access token is not valid: {0}")]
    TokenExpired(Refusal),
    /// The same request will never succeed.
    #[error("refused for good: {0}")]
    Permanent(Refusal),
}

/// What the platform said.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("code {code} {} {message}", sub_code.as_deref().unwrap_or("-"))]
pub struct Refusal {
    /// The platform's code; empty when the answer could not be read.
    pub code: String,
    /// The platform's finer code.
    pub sub_code: Option<String>,
    /// The platform's message.
    pub message: String,
}

impl Refusal {
    /// Words of our own.
    pub fn ours(message: &str) -> Self {
        Self { message: message.to_owned(), ..Self::default() }
    }
}

impl ApiError {
    /// The answer is a proxy's error page, or cut short: it may go better next time.
    pub fn unreadable() -> Self {
        Self::Retryable(Refusal::ours("the answer is not the platform's JSON"))
    }

    /// There is no such call on this platform.
    pub fn unsupported(operation: &str) -> Self {
        Self::Permanent(Refusal {
            code: String::new(),
            sub_code: None,
            message: format!("the platform has no way to {operation}"),
        })
    }
}
