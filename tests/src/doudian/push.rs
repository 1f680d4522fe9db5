//! Pushes: signed batches of messages on their way to the merchant's webhook, with the mishaps of a real network.

use std::time::Duration;

use anyhow::{Result, ensure};
use http::HeaderMap;
use serde_json::{Value, json};

use super::App;
use super::sign::{self, Method};
use crate::http::{Answer, Client};

/// One message, as the platform keeps it for delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What kind it is: 100 created, 101 paid, and so on.
    pub tag: u32,
    /// The platform's id of the message, the same on every delivery.
    pub msg_id: String,
    /// The content.
    pub data: Value,
}

impl Message {
    /// What the platform's console sends when a webhook's address is saved.
    pub fn probe() -> Self {
        Self { tag: 0, msg_id: "0".to_owned(), data: json!("2020-09-10T16:27:56.52842897+08:00") }
    }
}

/// One HTTP request to the webhook: headers and body as they go out.
#[derive(Clone, Debug)]
pub struct Push {
    /// `app-id`, `event-sign`, `sign-method`, `content-type`.
    pub headers: HeaderMap,
    /// A JSON array of messages.
    pub body: Vec<u8>,
}

impl Push {
    /// Sign `messages` for `app`.
    ///
    /// # Errors
    /// When the app's key cannot stand in a header.
    pub fn new(app: &App, messages: &[Message], method: Method) -> Result<Self> {
        Self::of_body(app, body(messages), method)
    }

    /// Sign any bytes, also those that are no messages.
    ///
    /// # Errors
    /// When the app's key cannot stand in a header.
    pub fn of_body(app: &App, body: Vec<u8>, method: Method) -> Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse()?);
        headers.insert("app-id", app.key.parse()?);
        headers.insert("event-sign", sign::push(app, &body, method).parse()?);
        headers.insert("sign-method", method.header().parse()?);
        Ok(Self { headers, body })
    }

    /// Send it once.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn send(&self, client: &Client, url: &str) -> Result<Answer> {
        client.send("POST", url, &self.headers, self.body.clone()).await
    }
}

/// The body of a push. The platform writes `tag` as text and `data` as JSON text within the JSON.
pub fn body(messages: &[Message]) -> Vec<u8> {
    let items = messages.iter().map(|message| {
        let data = message.data.as_str().map_or_else(|| message.data.to_string(), str::to_owned);
        json!({"tag": message.tag.to_string(), "msg_id": message.msg_id, "data": data})
    });
    Value::from_iter(items).to_string().into_bytes()
}

/// What goes wrong on the way, in percent, and by which seed. The same seed gives the same mishaps.
#[derive(Clone, Copy, Debug)]
pub struct Mishaps {
    /// Seed of all dice.
    pub seed: u64,
    /// Messages that arrive a second time, later.
    pub duplicated: u8,
    /// Messages that change places with a later one.
    pub disordered: u8,
    /// Messages that never arrive.
    pub dropped: u8,
    /// Messages in one push at most.
    pub batch: usize,
    /// Wait before each push.
    pub delay: Duration,
}

impl Mishaps {
    /// Everything arrives once, at once and in order, one message a push.
    pub const NONE: Self = Self { seed: 0, duplicated: 0, disordered: 0, dropped: 0, batch: 1, delay: Duration::ZERO };

    /// The deliveries that become of `messages`: one inner list per push.
    pub fn deliveries(&self, messages: Vec<Message>) -> Vec<Vec<Message>> {
        let mut dice = fastrand::Rng::with_seed(self.seed);
        let mut happens = |percent: u8| dice.u8(0..100) < percent;
        let mut again = Vec::new();
        let mut once = Vec::new();
        for message in messages {
            if happens(self.dropped) {
                continue;
            }
            if happens(self.duplicated) {
                again.push(message.clone());
            }
            once.push((message, happens(self.disordered)));
        }
        let displaced: Vec<usize> = (0..once.len()).filter(|&index| once[index].1).collect();
        let mut order: Vec<Message> = once.into_iter().map(|(message, _)| message).collect();
        for index in displaced {
            let other = dice.usize(index..order.len());
            order.swap(index, other);
        }
        for message in again {
            let first = order.iter().position(|other| *other == message).map_or(0, |index| index + 1);
            order.insert(dice.usize(first..=order.len()), message);
        }
        let mut pushes = Vec::new();
        while !order.is_empty() {
            let size = dice.usize(1..=self.batch.max(1)).min(order.len());
            pushes.push(order.drain(..size).collect());
        }
        pushes
    }
}

/// Send a push as the platform does: again, a little later each time, until it is answered with `{"code":0}`.
///
/// # Errors
/// When the webhook does not accept it in five tries.
pub async fn deliver(push: &Push, client: &Client, url: &str) -> Result<Answer> {
    let mut last = None;
    for wait in [0, 50, 200, 800, 2000] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        last = Some(push.send(client, url).await);
        if let Some(Ok(answer)) = &last
            && accepted(answer)
        {
            break;
        }
    }
    let answer = last.unwrap_or_else(|| anyhow::bail!("never sent"))?;
    ensure!(accepted(&answer), "{url} did not accept a push in five tries; the last answer was {answer}");
    Ok(answer)
}

/// Whether an answer tells the platform not to come again.
pub fn accepted(answer: &Answer) -> bool {
    answer.status == 200 && answer.json().is_ok_and(|body| body["code"] == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(count: u32) -> Vec<Message> {
        (0..count).map(|n| Message { tag: 100, msg_id: n.to_string(), data: json!({"n": n}) }).collect()
    }

    #[test]
    fn no_mishaps_change_nothing() {
        let messages = messages(20);
        let sent: Vec<_> = Mishaps::NONE.deliveries(messages.clone()).concat();
        assert_eq!(sent, messages);
    }

    #[test]
    fn mishaps_repeat_and_move_but_lose_nothing_unless_told() {
        let mishaps = Mishaps { seed: 7, duplicated: 20, disordered: 30, batch: 3, ..Mishaps::NONE };
        let sent = mishaps.deliveries(messages(200));
        assert!(sent.iter().all(|push| (1..=3).contains(&push.len())));
        let mut ids: Vec<_> = sent.concat().into_iter().map(|message| message.msg_id).collect();
        assert!(ids.len() > 220, "about a fifth comes twice: {}", ids.len());
        assert!(!ids.is_sorted_by_key(|id| id.parse::<u32>().unwrap()), "some have changed places");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 200);
        assert_eq!(mishaps.deliveries(messages(200)), sent, "the seed decides");
    }

    #[test]
    fn dropped_messages_never_arrive() {
        let mishaps = Mishaps { seed: 7, dropped: 50, ..Mishaps::NONE };
        let count = mishaps.deliveries(messages(200)).len();
        assert!((60..140).contains(&count), "{count}");
    }

    #[test]
    fn the_probe_s_body_is_the_platform_s() {
        let text = String::from_utf8(body(&[Message::probe()])).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, json!([{"tag": "0", "msg_id": "0", "data": "2020-09-10T16:27:56.52842897+08:00"}]));
    }
}
