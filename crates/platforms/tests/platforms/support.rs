//! What the platforms' tests have in common.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::LazyLock;

use domain::{OrderFacts, OrderKey, RefundFacts, UnixMs};
use http::{HeaderMap, Method};
use platforms::Fact;
use platforms::marketplace::{Answer, ApiError, Ask, Delivery, Message, Received};
use proptest::prelude::*;

static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

/// The instant of a clock in China: `2026-02-28 23:59:59`, or with a `T` in between.
pub fn china(text: &str) -> UnixMs {
    format!("{}+08:00", text.replace(' ', "T")).parse().unwrap()
}

/// The fields of a form.
pub fn form(body: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

/// What is posted without a query and without headers.
pub fn post<'a>(path: &'a str, body: &'a [u8]) -> Delivery<'a> {
    Delivery { method: &Method::POST, path, query: "", headers: &NO_HEADERS, body, now: UnixMs::EPOCH }
}

/// The only message of a delivery.
pub fn only_message(received: Received) -> Message {
    match received {
        Received::Messages(mut messages) if messages.len() == 1 => messages.remove(0),
        other => panic!("not one message: {other:?}"),
    }
}

/// The only fact of an answer.
pub fn only_fact(answer: Answer) -> Fact {
    match answer {
        Answer::Facts(mut facts) if facts.len() == 1 => facts.remove(0),
        other => panic!("not one fact: {other:?}"),
    }
}

/// What a page of changes leads to: the questions that it brings, and the page after it.
pub fn changed(answer: Answer) -> (Vec<Ask>, Option<String>) {
    match answer {
        Answer::Changed { asks, next } => (asks, next),
        other => panic!("no page of changes: {other:?}"),
    }
}

/// What a fact says about the order `key`.
pub fn about_order(fact: Fact, key: &OrderKey) -> OrderFacts {
    match fact {
        Fact::Order { key: found, facts } => {
            assert_eq!(found, *key);
            facts
        }
        Fact::Refund { .. } => panic!("a refund: {fact:?}"),
    }
}

/// What a fact says about a case of the order `key`.
pub fn about_case(fact: Fact, key: &OrderKey, case: &str) -> RefundFacts {
    match fact {
        Fact::Refund { order, after_sale_id, facts } => {
            assert_eq!((&order, after_sale_id.as_str()), (key, case));
            facts
        }
        Fact::Order { .. } => panic!("an order: {fact:?}"),
    }
}

/// What to do after a call.
#[derive(Debug, PartialEq)]
pub enum Next {
    Done,
    Retry,
    Renew,
    GiveUp,
}

/// What to do after a call that was answered so.
pub fn next<T>(answer: Result<T, ApiError>) -> Next {
    match answer {
        Ok(_) => Next::Done,
        Err(ApiError::Retryable(_) | ApiError::RateLimited(_)) => Next::Retry,
        Err(ApiError::TokenExpired(_)) => Next::Renew,
        Err(ApiError::Permanent(_)) => Next::GiveUp,
    }
}

/// A receiver's books: the facts of each order and of each case.
pub type Books = (BTreeMap<OrderKey, OrderFacts>, BTreeMap<(OrderKey, String), RefundFacts>);

/// What a receiver's books hold after these facts, in this order.
pub fn books(facts: impl IntoIterator<Item = Fact>) -> Books {
    let mut books = Books::default();
    for fact in facts {
        match fact {
            Fact::Order { key, facts } => books.0.entry(key).or_default().merge(facts),
            Fact::Refund { order, after_sale_id, facts } => {
                books.1.entry((order, after_sale_id)).or_default().merge(facts);
            }
        }
    }
    books
}

/// All of these in any order, and any of them once more.
pub fn redelivered<T: Clone + Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    prop::sample::subsequence(all.clone(), 0..=all.len())
        .prop_map(move |again| [all.clone(), again].concat())
        .prop_shuffle()
}
