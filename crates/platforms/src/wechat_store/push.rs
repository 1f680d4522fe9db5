//! Pushes: one event each, `channels_ec_order_*` and `channels_ec_aftersale_update`.
//!
//! Events have no id; the text of the event is the same on every retry. Who bought is left to the full record: with gifts, the
//! `FromUserName` of an event need not be the one whom the order belongs to.

use domain::{Latest, OrderFacts, OrderKey, OrderStatus, Platform, RefundFacts, UnixMs};
use serde::Deserialize;
use serde_json::Value;

use super::status::after_sale_status;
use crate::marketplace::{Ask, Message, Says};
use crate::wechat::envelope;
use crate::{Fact, lenient};

/// What a deciphered event of the store `shop_id` means.
pub fn message(shop_id: &str, text: String) -> Message {
    let event = envelope::read(&text).unwrap_or_default();
    let word = |name| event.get(name).and_then(Value::as_str).filter(|word| !word.is_empty());
    let kind = word("Event").or(word("MsgType")).unwrap_or_default().to_owned();
    let says = says(shop_id, &kind, &event).unwrap_or(Says::NotUnderstood);
    Message { id: String::new(), kind, content: text, says }
}

/// Kinds of events that change neither orders nor cases: settlement (what was earned is in the bills), disputes, products,
/// coupons, members, funds, the store itself, and the console's trial.
const NO_CONCERN: [&str; 14] = [
    "channels_ec_order_settle",
    "channels_ec_complaint_",
    "channels_ec_coupon_",
    "channels_ec_user_coupon_",
    "channels_ec_vip_",
    "channels_ec_acct_",
    "channels_ec_withdraw_",
    "channels_ec_brand",
    "channels_ec_stock_",
    "channels_ec_phonenumberpool_",
    "product_",
    "head_supplier_",
    "qrcode_status",
    "debug_demo",
];

fn says(shop_id: &str, kind: &str, event: &Value) -> Option<Says> {
    let event = || Event::deserialize(event).ok();
    let step = match kind {
        "channels_ec_order_new" => OrderStatus::Created,
        "channels_ec_order_pay" => OrderStatus::Paid,
        // All parcels are on their way, if the event says so.
        "channels_ec_order_deliver" => OrderStatus::Shipped,
        "channels_ec_order_confirm" => OrderStatus::Completed,
        "channels_ec_order_cancel" => OrderStatus::Closed,
        // To be shipped (paid, but when?) and changes of address or notes: the record tells.
        "channels_ec_order_wait_shipping" | "channels_ec_order_ext_info_update" => {
            let order_id = event()?.order_info?.order_id;
            return Some(Says::Hint { shop_id: shop_id.to_owned(), ask: Ask::Order { order_id } });
        }
        "channels_ec_aftersale_update" => return refund(shop_id, event()?),
        other => return NO_CONCERN.iter().any(|start| other.starts_with(start)).then_some(Says::Nothing),
    };
    order(shop_id, step, event()?)
}

fn order(shop_id: &str, step: OrderStatus, event: Event) -> Option<Says> {
    let (order, at) = (event.order_info?, event.create_time?);
    let mut facts = OrderFacts::default();
    match step {
        OrderStatus::Paid => facts.reach(step, order.pay_time.unwrap_or(at)),
        OrderStatus::Shipped if order.finish_delivery == Some(0) => facts.reach(OrderStatus::PartlyShipped, at),
        OrderStatus::Shipped if order.finish_delivery != Some(1) => return None,
        // The buyer has confirmed receipt, or the time for it is over.
        OrderStatus::Completed => {
            facts.reach(OrderStatus::Signed, at);
            facts.reach(OrderStatus::Completed, at);
        }
        step => facts.reach(step, at),
    }
    Some(Says::Fact(Box::new(Fact::Order { key: key(shop_id, order.order_id), facts })))
}

fn refund(shop_id: &str, event: Event) -> Option<Says> {
    let (case, at) = (event.after_sale?, event.create_time?);
    let mut facts = RefundFacts::default();
    match after_sale_status(&case.status) {
        Some(status) => facts.reach(status, at),
        None => drop(facts.unknown_statuses.insert(case.status.clone())),
    }
    facts.raw_status = Some(Latest::new(at, case.status));
    let order = key(shop_id, case.order_id);
    Some(Says::Fact(Box::new(Fact::Refund { order, after_sale_id: case.after_sale_order_id, facts })))
}

pub(super) fn key(shop_id: &str, platform_order_id: String) -> OrderKey {
    OrderKey { platform: Platform::WechatStore, shop_id: shop_id.to_owned(), platform_order_id }
}

#[derive(Debug, Deserialize)]
struct Event {
    /// When it happened, in Unix seconds.
    #[serde(rename = "CreateTime", default, deserialize_with = "lenient::optional_seconds")]
    create_time: Option<UnixMs>,
    #[serde(default)]
    order_info: Option<OrderInfo>,
    #[serde(rename = "finder_shop_aftersale_status_update", default)]
    after_sale: Option<AfterSale>,
}

#[derive(Debug, Deserialize)]
struct OrderInfo {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    /// Unix seconds. Not confirmed that every payment event has it.
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    pay_time: Option<UnixMs>,
    /// 0 some parcels are still to come, 1 all are on their way.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    finish_delivery: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct AfterSale {
    status: String,
    #[serde(deserialize_with = "lenient::id")]
    after_sale_order_id: String,
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
}
