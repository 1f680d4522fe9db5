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
        // serde quotes the value that it found, which may be what a person has typed. Names of fields are the platform's.
        let text = error.to_string();
        let harmless = text.starts_with("missing field");
        Self::Malformed(if harmless { text } else { "a field has another form than it should".to_owned() })
    }
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The platform is busy or limits us: try again later.
    #[error("try again later: {0}")]
    Retryable(Refusal),
    /// The platform limits how often this one call may be made: leave it alone for a while. Others may go on.
    #[error("called too often: {0}")]
    RateLimited(Refusal),
    /// The access token is not valid (any more): fetch a new one, then try again.
    #[error("the access token is not valid: {0}")]
    TokenExpired(Refusal),
    /// The same request will never succeed.
    #[error("refused for good: {0}")]
    Permanent(Refusal),
}

/// What the platform said. Its codes are shown; its words may quote a person, so they only help to tell what kind of refusal it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.shown())]
pub struct Refusal {
    /// The platform's code; empty when the answer could not be read.
    pub code: String,
    /// The platform's finer code.
    pub sub_code: Option<String>,
    /// The platform's message. Never shown.
    pub message: String,
    /// Words of our own.
    pub ours: String,
}

impl Refusal {
    /// Words of our own, without anything that the platform or a person has written.
    pub fn ours(words: &str) -> Self {
        Self { ours: words.to_owned(), ..Self::default() }
    }

    fn shown(&self) -> String {
        let code = Some(&self.code).filter(|code| !code.is_empty()).map(|code| format!("code {code}"));
        let ours = Some(&self.ours).filter(|ours| !ours.is_empty()).cloned();
        let shown: Vec<_> = [code, self.sub_code.clone(), ours].into_iter().flatten().collect();
        if shown.is_empty() { "no code was given".to_owned() } else { shown.join(" ") }
    }
}

impl ApiError {
    /// The answer is a proxy's error page, or cut short: it may go better next time.
    pub fn unreadable() -> Self {
        Self::Retryable(Refusal::ours("the answer is not the platform's JSON"))
    }

    /// There is no such call on this platform.
    pub fn unsupported(operation: &str) -> Self {
        Self::Permanent(Refusal::ours(&format!("the platform has no way to {operation}")))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{MapError, Refusal};

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "read by serde only")]
    struct Row {
        #[serde(deserialize_with = "crate::lenient::integer")]
        sum: i64,
    }

    #[test]
    fn what_a_person_has_typed_is_in_no_error() {
        let typed = serde_json::json!({ "sum": "13900000123 测试顾客甲" });
        let error = MapError::from(Row::deserialize(&typed).unwrap_err()).to_string();
        assert!(!error.contains("139"), "{error}");
        let error = MapError::from(Row::deserialize(&serde_json::json!({})).unwrap_err()).to_string();
        assert!(error.contains("missing field `sum`"), "{error}");
    }

    #[test]
    fn of_a_refusal_only_codes_are_shown() {
        let message = "收件人测试顾客甲 13900000123 不存在".to_owned();
        let refusal =
            Refusal { code: "50002".to_owned(), sub_code: Some("isv.x".to_owned()), message, ours: String::new() };
        assert_eq!(refusal.to_string(), "code 50002 isv.x");
        let wordy = Refusal { code: String::new(), ..refusal };
        assert_eq!(Refusal { sub_code: None, ..wordy }.to_string(), "no code was given");
        assert_eq!(Refusal::ours("wait for the record").to_string(), "wait for the record");
    }
}
