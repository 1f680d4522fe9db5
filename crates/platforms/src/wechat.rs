//! Callbacks of the WeChat family: WeCom, Official Accounts, WeChat Store.
//!
//! One scheme for all: the message is enciphered with AES-256-CBC ([`crypto`]) and wrapped in XML or JSON ([`envelope`]); a SHA-1
//! over the shared token, time, nonce and ciphertext authenticates it. The plain mode of Official Accounts, whose signature does
//! not cover the body, is taken only where [`Callback::plain`] says so.
//!
//! What is asked of an account goes out in one or several requests, each with an access token ([`talk`]).

pub mod crypto;
pub mod envelope;
pub(crate) mod fields;
pub mod talk;

use domain::UnixMs;
use http::Method;
use subtle::ConstantTimeEq;

use self::crypto::{Key, signature};
use crate::marketplace::{Delivery, VerifyError};

/// Where a receiver's callbacks come from, and how they are opened.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    /// The `Token` of the platform's console.
    pub token: &'a str,
    /// The `EncodingAESKey` of the platform's console.
    pub key: &'a str,
    /// The `receiveid`s that are ours: AppID, CorpID or SuiteID; the empty text for group robots. All others are refused.
    pub receive_ids: &'a [&'a str],
    /// How old or how far ahead a callback may be, in minutes. The protocol has no rule; it must be wide enough for the retries.
    pub minutes: u32,
    /// What the operator is to check when a callback is not authentic: the names of the variables.
    pub variables: &'static str,
    /// Whether messages are taken in clear: the console of an Official Account is in plain mode (明文模式), which has no
    /// `EncodingAESKey`. Where there is a key this changes nothing, so in compatible mode the ciphertext counts.
    ///
    /// The signature of plain mode covers token, time and nonce, **not the body**: whoever sees one address can send any body with it for as long
    /// as [`Callback::minutes`]. So the caller remembers which body came with a signature, and refuses a second, different one.
    pub plain: bool,
}

/// An authentic callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// The platform tries the address out and wants exactly this text back, within a second.
    Echo(String),
    /// A message, as it was before it was enciphered: XML or JSON, for [`envelope::read`]. Retries carry the same text.
    Message(String),
}

impl Callback<'_> {
    /// Verifies and opens a callback.
    ///
    /// # Errors
    /// [`VerifyError`]; every case is to be answered 401.
    pub fn open(&self, delivery: &Delivery<'_>) -> Result<Call, VerifyError> {
        self.check_time(delivery)?;
        if delivery.method == Method::GET {
            return self.echo(delivery).map(Call::Echo);
        }
        let Some(encrypted) = envelope::encrypted(delivery.body) else {
            let text = std::str::from_utf8(delivery.body).ok().filter(|_| self.takes_plain(delivery));
            let text = text.ok_or(VerifyError::MissingParameter("Encrypt"))?;
            self.check_signature(delivery, "signature", None)?;
            return Ok(Call::Message(text.to_owned()));
        };
        self.check_signature(delivery, "msg_signature", Some(&encrypted))?;
        self.decipher(&encrypted).map(Call::Message)
    }

    /// A platform that says that it enciphers, or a receiver that has a key, has no use for clear text.
    fn takes_plain(&self, delivery: &Delivery<'_>) -> bool {
        let enciphers = delivery.parameter("encrypt_type").is_some_and(|kind| kind != "raw");
        self.plain && self.key.is_empty() && !enciphers && delivery.parameter("msg_signature").is_none()
    }

    /// WeCom enciphers the echo; Official Accounts and the store send it in clear, where the signature does not cover it: only
    /// what is no markup goes back.
    fn echo(&self, delivery: &Delivery<'_>) -> Result<String, VerifyError> {
        let echo = delivery.parameter("echostr").ok_or(VerifyError::MissingParameter("echostr"))?;
        if delivery.parameter("msg_signature").is_some() {
            // A proxy may have turned the plus of Base64 into a blank.
            let echo = echo.replace(' ', "+");
            self.check_signature(delivery, "msg_signature", Some(&echo))?;
            return self.decipher(&echo);
        }
        self.check_signature(delivery, "signature", None)?;
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"+-./=_~".contains(&byte);
        if echo.bytes().all(harmless) { Ok(echo) } else { Err(VerifyError::Mismatch(self.variables)) }
    }

    fn check_time(&self, delivery: &Delivery<'_>) -> Result<(), VerifyError> {
        let timestamp = delivery.parameter("timestamp").ok_or(VerifyError::MissingParameter("timestamp"))?;
        let sent = timestamp.parse().ok().and_then(|seconds| UnixMs::from_seconds(seconds).ok());
        let sent = sent.ok_or(VerifyError::Mismatch(self.variables))?;
        let off = delivery.now.millis().abs_diff(sent.millis());
        if off <= u64::from(self.minutes) * 60_000 { Ok(()) } else { Err(VerifyError::Stale(self.minutes)) }
    }

    fn check_signature(
        &self,
        delivery: &Delivery<'_>,
        name: &'static str,
        encrypted: Option<&str>,
    ) -> Result<(), VerifyError> {
        let find = |name| delivery.parameter(name).ok_or(VerifyError::MissingParameter(name));
        let (claimed, timestamp, nonce) = (find(name)?, find("timestamp")?, find("nonce")?);
        let parts = [Some(self.token), Some(&timestamp), Some(&nonce), encrypted];
        let expected = signature(&parts.into_iter().flatten().collect::<Vec<_>>());
        let fits = claimed.to_ascii_lowercase().as_bytes().ct_eq(expected.as_bytes());
        if bool::from(fits) { Ok(()) } else { Err(VerifyError::Mismatch(self.variables)) }
    }

    fn decipher(&self, encrypted: &str) -> Result<String, VerifyError> {
        let opened = Key::parse(self.key).and_then(|key| key.open(encrypted, self.receive_ids));
        opened.ok_or(VerifyError::Mismatch(self.variables))
    }
}

#[cfg(test)]
mod tests {
    use domain::UnixMs;
    use http::{HeaderMap, Method};

    use super::crypto::tests::{Vector, vectors};
    use super::{Call, Callback};
    use crate::marketplace::{Delivery, VerifyError};

    fn open(vector: &Vector, method: &Method, query: &str, body: &str) -> Result<Call, VerifyError> {
        let callback = Callback {
            token: &vector.token,
            key: &vector.aes_key,
            receive_ids: &["someone else", &vector.receive_id],
            minutes: 10,
            variables: "token and key",
            plain: false,
        };
        let now = UnixMs::from_seconds(vector.timestamp.parse::<i64>().unwrap() + 599).unwrap();
        let headers = HeaderMap::new();
        callback.open(&Delivery { method, path: "/", query, headers: &headers, body: body.as_bytes(), now })
    }

    fn query(vector: &Vector, echo: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("msg_signature", &vector.signature);
        query.append_pair("timestamp", &vector.timestamp).append_pair("nonce", &vector.nonce);
        echo.map(|echo| query.append_pair("echostr", echo));
        query.finish()
    }

    fn posts(vector: &Vector) -> [String; 3] {
        let text = &vector.encrypt;
        [
            format!(
                "<xml><ToUserName><![CDATA[x]]></ToUserName><AgentID></AgentID><Encrypt><![CDATA[{text}]]></Encrypt></xml>"
            ),
            format!("\n <xml><Encrypt>{text}</Encrypt></xml>"),
            format!(r#"{{"tousername":"x","encrypt":"{text}","agentid":218}}"#),
        ]
    }

    fn signed() -> impl Iterator<Item = Vector> {
        vectors().into_iter().filter(|vector| !vector.token.is_empty())
    }

    #[test]
    fn every_vector_opens_in_either_envelope_and_as_an_echo() {
        for vector in signed() {
            let message = Call::Message(vector.message.clone());
            for body in posts(&vector) {
                assert_eq!(open(&vector, &Method::POST, &query(&vector, None), &body), Ok(message.clone()), "{body}");
            }
            for echo in [vector.encrypt.clone(), vector.encrypt.replace('+', " ")] {
                let echoed = open(&vector, &Method::GET, &query(&vector, Some(&echo)), "");
                assert_eq!(echoed, Ok(Call::Echo(vector.message.clone())), "{}", vector.name);
            }
        }
    }

    #[test]
    fn what_is_tampered_with_is_refused() {
        const MISMATCH: Result<Call, VerifyError> = Err(VerifyError::Mismatch("token and key"));
        for vector in signed() {
            let (query, [body, ..]) = (query(&vector, None), posts(&vector));
            let flipped =
                if query.contains("=a") { query.replacen("=a", "=b", 1) } else { query.replacen('=', "=0", 1) };
            assert_eq!(open(&vector, &Method::POST, &flipped, &body), MISMATCH);
            let other = vector.encrypt.replace('a', "b");
            assert_eq!(open(&vector, &Method::POST, &query, &body.replace(&vector.encrypt, &other)), MISMATCH);
            // A key that is not the platform's, and a receiver that is not us.
            let wrong = Vector { aes_key: "x".repeat(43), ..vector.clone() };
            assert_eq!(open(&wrong, &Method::POST, &query, &body), MISMATCH);
            let elsewhere = Vector { receive_id: "wx0".to_owned(), ..vector.clone() };
            assert_eq!(open(&elsewhere, &Method::POST, &query, &body), MISMATCH);
        }
    }

    #[test]
    fn what_is_missing_is_named_and_what_is_old_is_refused() {
        let vector = signed().next().unwrap();
        let [body, ..] = posts(&vector);
        let missing = |query: &str, body: &str| open(&vector, &Method::POST, query, body);
        let all = query(&vector, None);
        for name in ["msg_signature", "timestamp", "nonce"] {
            let found = missing(&all.replace(&format!("{name}="), "x="), &body);
            assert_eq!(found, Err(VerifyError::MissingParameter(name)));
        }
        for body in ["", "{}", "<xml/>", "[1]", "<xml>", "<!DOCTYPE x><xml><Encrypt>x</Encrypt></xml>"] {
            assert_eq!(missing(&all, body), Err(VerifyError::MissingParameter("Encrypt")), "{body}");
        }
        let later = Vector { timestamp: (vector.timestamp.parse::<i64>().unwrap() + 2).to_string(), ..vector.clone() };
        assert_eq!(open(&later, &Method::POST, &all, &body), Err(VerifyError::Stale(10)));
    }

    #[test]
    fn the_plain_echo_of_official_accounts_goes_back_unchanged() {
        let vector =
            Vector { token: "test".to_owned(), timestamp: "1410685589".to_owned(), ..signed().next().unwrap() };
        // From a public implementation's suite (protocols 4.1).
        let query = "signature=f21891de399b4e33a1a93c9a7b8a8fffb5a443ff&timestamp=1410685589&nonce=test&echostr=";
        let echo = |text: &str| open(&vector, &Method::GET, &format!("{query}{text}"), "");
        assert_eq!(echo("4857093420"), Ok(Call::Echo("4857093420".to_owned())));
        assert_eq!(echo("%3Cscript%3E"), Err(VerifyError::Mismatch("token and key")));
        // A signature that does not cover the body opens no message.
        let posted = open(&vector, &Method::POST, query, &posts(&vector)[0]);
        assert_eq!(posted, Err(VerifyError::MissingParameter("msg_signature")));
    }
    const PLAIN: &str = "<xml><MsgType>text</MsgType></xml>";
    const SIGNED: &str = "signature=f21891de399b4e33a1a93c9a7b8a8fffb5a443ff&timestamp=1410685589&nonce=test&openid=o1";

    fn plain(key: &str, plain: bool, query: &str, body: &str) -> Result<Call, VerifyError> {
        let callback =
            Callback { token: "test", key, receive_ids: &["wx1"], minutes: 10, variables: "token and key", plain };
        let (headers, now) = (HeaderMap::new(), UnixMs::from_seconds(1_410_685_589).unwrap());
        callback.open(&Delivery {
            method: &Method::POST,
            path: "/",
            query,
            headers: &headers,
            body: body.as_bytes(),
            now,
        })
    }

    #[test]
    fn plain_mode_takes_what_is_signed_and_only_where_it_is_on() {
        assert_eq!(plain("", true, SIGNED, PLAIN), Ok(Call::Message(PLAIN.to_owned())));
        let forged = SIGNED.replace("nonce=test", "nonce=tess");
        assert_eq!(plain("", true, &forged, PLAIN), Err(VerifyError::Mismatch("token and key")));
        let unsigned = SIGNED.replace("signature=", "x=");
        assert_eq!(plain("", true, &unsigned, PLAIN), Err(VerifyError::MissingParameter("signature")));
        let enciphered = VerifyError::MissingParameter("Encrypt");
        assert_eq!(plain("", false, SIGNED, PLAIN), Err(enciphered.clone()));
        for query in [format!("{SIGNED}&encrypt_type=aes"), format!("{SIGNED}&msg_signature=x")] {
            assert_eq!(plain("", true, &query, PLAIN), Err(enciphered.clone()), "{query}");
        }
    }

    #[test]
    fn in_compatible_mode_the_clear_copy_is_worth_nothing() {
        let key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
        assert_eq!(plain(key, true, SIGNED, PLAIN), Err(VerifyError::MissingParameter("Encrypt")));
        let vector = signed().next().unwrap();
        let both = format!("<xml><Content>forged</Content><Encrypt><![CDATA[{}]]></Encrypt></xml>", vector.encrypt);
        let opened = open(&vector, &Method::POST, &query(&vector, None), &both);
        assert_eq!(opened, Ok(Call::Message(vector.message.clone())));
    }
}
