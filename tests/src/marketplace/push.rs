//! Pushes: messages on their way to the merchant's webhook, with the mishaps of a real network.

use std::time::Duration;

use anyhow::Result;
use http::HeaderMap;
use serde_json::Value;

use crate::http::{Answer, Client};

/// One message, as the platform keeps it for delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The platform's word for what it is about.
    pub kind: String,
    /// The platform's id of the message, the same on every delivery.
    pub id: String,
    /// The content.
    pub content: Value,
}

/// One HTTP request to the webhook, as it goes out.
#[derive(Clone, Debug)]
pub struct Push {
    /// What follows the webhook's path, without the question mark; empty for most platforms.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Push {
    /// Send it once.
    ///
    /// # Errors
    /// When there is no answer at all.
    pub async fn send(&self, client: &Client, url: &str) -> Result<Answer> {
        let url = if self.query.is_empty() { url.to_owned() } else { format!("{url}?{}", self.query) };
        client.send("POST", &url, &self.headers, self.body.clone()).await
    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn messages(count: u32) -> Vec<Message> {
        (0..count).map(|n| Message { kind: "100".to_owned(), id: n.to_string(), content: json!({"n": n}) }).collect()
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
        let mut ids: Vec<_> = sent.concat().into_iter().map(|message| message.id).collect();
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
}
