//! A callback on the wire: what it tells as XML or JSON, enciphered and signed as the console is set, and what comes back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use form_urlencoded::Serializer;
use http::HeaderMap;
use serde_json::{Value, json};

use super::seal;
use crate::http::{Answer, Client};
use crate::marketplace::push::Push;

/// How long the console waits for the echo when it tries an address out.
const VERIFY: Duration = Duration::from_secs(1);

/// How a console sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Readable XML (明文). Official Accounts only.
    Plain,
    /// Readable XML beside the ciphertext (兼容). Official Accounts only.
    Compatible,
    /// Ciphertext in XML (安全): the usual one.
    Sealed,
    /// Ciphertext in JSON, which holds JSON.
    Json,
}

/// A receiver's settings in the platform's console.
#[derive(Clone, Debug)]
pub struct Console {
    /// `Token`.
    pub token: String,
    /// `EncodingAESKey`.
    pub key: String,
    /// CorpID or AppID.
    pub receive_id: String,
    /// Whom the envelope names: CorpID, or the account's original id.
    pub to: String,
    /// WeCom's number of the app; none for an Official Account.
    pub agent_id: Option<String>,
    /// How it sends.
    pub mode: Mode,
}

impl Console {
    fn is_wecom(&self) -> bool {
        self.agent_id.is_some()
    }

    /// The request that carries `content`, with a nonce and random bytes of its own.
    ///
    /// # Errors
    /// When the key is none.
    pub fn push(&self, content: &Value, now: i64) -> Result<Push> {
        let (timestamp, nonce) = (now.to_string(), fastrand::u32(..).to_string());
        let plain = if self.mode == Mode::Json { content.to_string() } else { xml(content) };
        let sealed = seal::seal(&self.key, fastrand::u128(..).to_be_bytes(), &plain, &self.receive_id)?;
        let signature = seal::signature(vec![&self.token, &timestamp, &nonce, &sealed]);
        let mut query = Serializer::new(String::new());
        if self.is_wecom() {
            query.append_pair("msg_signature", &signature);
        }
        query.append_pair("timestamp", &timestamp).append_pair("nonce", &nonce);
        if !self.is_wecom() {
            query.append_pair("signature", &seal::signature(vec![&self.token, &timestamp, &nonce]));
            query.append_pair("openid", content["FromUserName"].as_str().unwrap_or_default());
            if self.mode != Mode::Plain {
                query.append_pair("encrypt_type", "aes").append_pair("msg_signature", &signature);
            }
        }
        let agent_id = self.agent_id.as_deref();
        let mut envelope = json!({ "ToUserName": self.to, "Encrypt": sealed });
        let body = match self.mode {
            Mode::Plain => plain,
            Mode::Json => json!({ "tousername": self.to, "encrypt": sealed, "agentid": agent_id }).to_string(),
            Mode::Compatible => {
                let mut both = content.clone();
                both["Encrypt"] = envelope["Encrypt"].take();
                xml(&both)
            }
            Mode::Sealed => {
                if let Some(agent_id) = agent_id {
                    envelope["AgentID"] = agent_id.into();
                }
                xml(&envelope)
            }
        };
        let mut headers = HeaderMap::new();
        let kind = if self.mode == Mode::Json { "application/json" } else { "text/xml" };
        headers.insert("content-type", kind.parse()?);
        Ok(Push { query: query.finish(), headers, body: body.into_bytes() })
    }

    /// What a receiver's answer says to the person, if anything: the plain text of a passive reply.
    ///
    /// # Errors
    /// When the answer is neither empty, nor `success`, nor a reply in the console's mode.
    pub fn reply(&self, body: &[u8]) -> Result<Option<String>> {
        let body = std::str::from_utf8(body)?.trim();
        if body.is_empty() || body == "success" {
            return Ok(None);
        }
        let field = |names: [&str; 2]| {
            let json: Option<Value> = serde_json::from_str(body).ok();
            let found = json.and_then(|json| match &json[names[1]] {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            });
            found.or_else(|| element(body, names[0])).with_context(|| format!("no {}", names[0]))
        };
        if self.mode == Mode::Plain {
            element(body, "MsgType").context("no message")?;
            return Ok(Some(body.to_owned()));
        }
        let sealed = field(["Encrypt", "encrypt"])?;
        let (timestamp, nonce) = (field(["TimeStamp", "timestamp"])?, field(["Nonce", "nonce"])?);
        let expected = seal::signature(vec![&self.token, &timestamp, &nonce, &sealed]);
        ensure!(field(["MsgSignature", "msgsignature"])? == expected, "the reply's signature is wrong");
        let (plain, receive_id) = seal::open(&self.key, &sealed)?;
        ensure!(receive_id == self.receive_id || receive_id.is_empty(), "the reply is for {receive_id}");
        Ok(Some(plain))
    }

    /// Try an address out as the console does before it is saved: the echo has to come back unchanged, within a second.
    ///
    /// # Errors
    /// What was wrong with the answer.
    pub async fn verify(&self, client: &Client, url: &str, now: i64) -> Result<()> {
        let (timestamp, nonce) = (now.to_string(), fastrand::u32(..).to_string());
        let echo = fastrand::u64(..).to_string();
        let mut query = Serializer::new(String::new());
        query.append_pair("timestamp", &timestamp).append_pair("nonce", &nonce);
        if self.is_wecom() {
            let sealed = seal::seal(&self.key, fastrand::u128(..).to_be_bytes(), &echo, &self.receive_id)?;
            query.append_pair("msg_signature", &seal::signature(vec![&self.token, &timestamp, &nonce, &sealed]));
            query.append_pair("echostr", &sealed);
        } else {
            query.append_pair("signature", &seal::signature(vec![&self.token, &timestamp, &nonce]));
            query.append_pair("echostr", &echo);
        }
        let url = format!("{url}?{}", query.finish());
        let answer = tokio::time::timeout(VERIFY, client.get(&url)).await;
        let answer: Answer = answer.context("no answer within a second")??;
        ensure!(answer.status == 200, "the address answered {answer}");
        ensure!(answer.body == echo.as_bytes(), "the address answered {answer} where {echo} was expected");
        Ok(())
    }
}

/// An object as XML: text in CDATA, numbers plain, a list as its element repeated.
pub fn xml(content: &Value) -> String {
    let mut text = String::new();
    write(&mut text, "xml", content);
    text
}

fn write(out: &mut String, name: &str, value: &Value) {
    if let Value::Array(items) = value {
        return items.iter().for_each(|item| write(out, name, item));
    }
    out.push_str(&format!("<{name}>"));
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| write(out, name, value)),
        Value::String(text) => out.push_str(&format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))),
        Value::Null => {}
        other => out.push_str(&other.to_string()),
    }
    out.push_str(&format!("</{name}>"));
}

/// The text of an XML document's element, wherever it stands.
pub fn element(document: &str, name: &str) -> Option<String> {
    let document = roxmltree::Document::parse(document).ok()?;
    let node = document.descendants().find(|node| node.has_tag_name(name))?;
    Some(node.children().filter_map(|child| child.text()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_keeps_every_text() {
        let content = json!({ "A": "<&]]>\u{4f60}", "B": 7, "L": { "Item": ["x", "y"] }, "N": null });
        let text = xml(&content);
        assert!(text.ends_with("<B>7</B><L><Item><![CDATA[x]]></Item><Item><![CDATA[y]]></Item></L><N></N></xml>"));
        assert_eq!(element(&text, "A").as_deref(), Some("<&]]>\u{4f60}"));
        assert_eq!((element(&text, "B").as_deref(), element(&text, "C")), (Some("7"), None));
    }
}
