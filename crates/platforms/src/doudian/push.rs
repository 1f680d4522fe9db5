//! Pushes: a JSON array of messages, each a `tag`, a `msg_id` and `data`.

use domain::{
    Fen, Latest, OrderFacts, OrderKey, OrderStatus, Platform, RefundClaim, RefundFacts, RefundKind, RefundLine,
    RefundStatus, Shipment, UnixMs,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::status::{OrderState, aftersale_kind, aftersale_state, order_state};
use crate::lenient::json_text;
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// One message of a push.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Push {
    /// What kind of message: `100` to `110` orders, `200` to `208` after-sale cases, `0` the console's probe.
    #[serde(deserialize_with = "lenient::id")]
    pub tag: String,
    /// The message's id, the same on every retry. Deduplicate on it; facts merge anyway.
    #[serde(deserialize_with = "lenient::id")]
    pub msg_id: String,
    /// The content: JSON inside a text, or an object; unknown fields are kept.
    #[serde(default)]
    pub data: Value,
}

/// What a message means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapped {
    /// The console tries the address out; answer success.
    Probe,
    /// Something happened.
    Fact(Box<Fact>),
    /// A kind of message that is not known here. Keep it, and answer success: a retry would not make it known.
    Unknown,
}

/// Reads the messages of a push.
///
/// # Errors
/// [`MapError`] when the body is no such array. Keep an authentic body that fails here, and answer success.
pub fn decode(body: &[u8]) -> Result<Vec<Push>, MapError> {
    Ok(serde_json::from_slice(body)?)
}

/// What one message means.
///
/// # Errors
/// [`MapError`] when the message lacks what its kind must have. The other messages of the push are not concerned.
pub fn map(push: &Push) -> Result<Mapped, MapError> {
    let fact = match push.tag.as_str() {
        "0" => return Ok(Mapped::Probe),
        "100" | "101" | "102" | "103" | "104" | "105" | "106" | "110" => order_fact(push)?,
        "200" | "201" | "202" | "203" | "204" | "205" | "206" | "207" | "208" => refund_fact(push)?,
        _ => return Ok(Mapped::Unknown),
    };
    Ok(Mapped::Fact(Box::new(fact)))
}

/// Messages 100 to 110. Fields that a kind does not have are absent.
#[derive(Debug, Deserialize)]
struct OrderMessage {
    #[serde(deserialize_with = "lenient::id")]
    p_id: String,
    #[serde(deserialize_with = "lenient::id")]
    shop_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    order_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    pay_type: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    pay_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    create_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    pay_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    update_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    complete_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    cancel_time: Option<UnixMs>,
    #[serde(default)]
    logistics_msg: Option<LogisticsMessage>,
}

#[derive(Debug, Deserialize)]
struct LogisticsMessage {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    express_company_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    logistics_code: Option<String>,
}

fn order_fact(push: &Push) -> Result<Fact, MapError> {
    let message: OrderMessage = data(push)?;
    // Which time speaks for the message depends on its kind; update_time is everywhere but in the first ones.
    let (step, at) = match push.tag.as_str() {
        "100" => (Some(OrderStatus::Created), message.create_time),
        "101" | "110" => {
            // Cash on delivery: the shop has confirmed the order, no money has moved.
            let paid = message.pay_type != Some(CASH_ON_DELIVERY);
            (Some(if paid { OrderStatus::Paid } else { OrderStatus::Created }), message.pay_time)
        }
        "102" => (Some(OrderStatus::Shipped), message.update_time),
        "103" => (Some(OrderStatus::Completed), message.complete_time),
        "106" => (Some(OrderStatus::Closed), message.cancel_time),
        _ => (None, message.update_time),
    };
    let at = at.or(message.update_time).or(message.create_time).ok_or_else(|| missing(push, "a time"))?;

    let mut facts = OrderFacts::default();
    if let Some(step) = step {
        facts.reach(step, at);
        if step == OrderStatus::Paid {
            facts.paid = message.pay_amount.map(|fen| Latest::new(at, Fen::new(fen)));
        }
    }
    if let Some(created) = message.create_time {
        facts.reach(OrderStatus::Created, created);
    }
    if let Some(code) = message.order_status {
        match order_state(&code) {
            Some(OrderState::Reached(status)) => facts.reach(status, at),
            // Whether it is paid is told by message 101 and by the full record, which know of cash on delivery.
            Some(OrderState::Preparing) => {}
            None => {
                facts.unknown_statuses.insert(code.clone());
            }
        }
        facts.raw_status = Some(Latest::new(at, code));
    }
    if let Some((tracking_number, carrier)) =
        message.logistics_msg.and_then(|parcel| Some((parcel.logistics_code?, parcel.express_company_id)))
    {
        let shipped_at = (push.tag == "102").then_some(at);
        facts.ship(Shipment { tracking_number, carrier, shipped_at });
    }
    Ok(Fact::Order { key: key(message.shop_id, message.p_id), facts })
}

/// Messages 200 to 208. Fields that a kind does not have are absent.
#[derive(Debug, Deserialize)]
struct RefundMessage {
    #[serde(deserialize_with = "lenient::id")]
    p_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    s_id: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    shop_id: String,
    #[serde(deserialize_with = "lenient::id")]
    aftersale_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    aftersale_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    aftersale_type: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    refund_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    refund_post_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    reason_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    apply_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    agree_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    return_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    refuse_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    success_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    close_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    update_time: Option<UnixMs>,
}

fn refund_fact(push: &Push) -> Result<Fact, MapError> {
    let message: RefundMessage = data(push)?;
    let (step, at) = match push.tag.as_str() {
        "200" => (Some(RefundStatus::Applied), message.apply_time),
        "201" | "202" => (Some(RefundStatus::Agreed), message.agree_time),
        "203" => (Some(RefundStatus::Returning), message.return_time),
        "204" | "205" => (Some(RefundStatus::Rejected), message.refuse_time),
        "206" => (Some(RefundStatus::Refunded), message.success_time),
        "207" => (Some(RefundStatus::Cancelled), message.close_time),
        // 208: the case was changed (amount, reason, kind); its status is what the message says.
        _ => (None, message.update_time),
    };
    let at = at.or(message.update_time).or(message.apply_time).ok_or_else(|| missing(push, "a time"))?;

    let mut facts = RefundFacts::default();
    if let Some(applied) = message.apply_time {
        facts.reach(RefundStatus::Applied, applied);
    }
    facts.version = message.update_time.map(|time| Latest::new(time, time.seconds().to_string()));
    let named = message.aftersale_status.as_deref().map(|code| (code, aftersale_state(code)));
    if let Some((code, state)) = named {
        facts.raw_status = Some(Latest::new(at, code.to_owned()));
        if state.is_none() {
            facts.unknown_statuses.insert(code.to_owned());
        }
    }
    // The kind of message is the better witness; its status field only speaks where the kind does not.
    if let Some(status) = step.or(named.and_then(|(_, state)| state)) {
        facts.reach(status, at);
    }
    facts.claim = match message.refund_amount {
        Some(amount) => Some(Latest::new(at, claim(push, &message, amount)?)),
        None => None,
    };
    Ok(Fact::Refund { order: key(message.shop_id, message.p_id), after_sale_id: message.aftersale_id, facts })
}

fn claim(push: &Push, message: &RefundMessage, amount: i64) -> Result<RefundClaim, MapError> {
    let freight = message.refund_post_amount.unwrap_or(0);
    if freight < 0 || amount < freight {
        return Err(malformed(push, &format!("refund_post_amount {freight} is no part of refund_amount {amount}")));
    }
    let line =
        message.s_id.clone().map(|line_id| RefundLine { line_id, quantity: None, amount: Fen::new(amount - freight) });
    Ok(RefundClaim {
        kind: message.aftersale_type.map_or(RefundKind::Other, aftersale_kind),
        amount: Fen::new(amount),
        freight: Fen::new(freight),
        lines: line.into_iter().collect(),
        reason_code: message.reason_code.clone(),
    })
}

/// `pay_type` of cash on delivery.
pub(super) const CASH_ON_DELIVERY: i64 = 0;

pub(super) fn key(shop_id: String, platform_order_id: String) -> OrderKey {
    OrderKey { platform: Platform::Douyin, shop_id, platform_order_id }
}

/// The message's `data`, which is an object or the JSON text of one.
fn data<T: DeserializeOwned>(push: &Push) -> Result<T, MapError> {
    json_text(&push.data)
        .and_then(|data| T::deserialize(&*data))
        .map_err(|source| malformed(push, &MapError::from(source).to_string()))
}

fn missing(push: &Push, what: &str) -> MapError {
    malformed(push, &format!("{what} is missing"))
}

fn malformed(push: &Push, reason: &str) -> MapError {
    MapError::Malformed(format!("message {}: {reason}", push.tag))
}
