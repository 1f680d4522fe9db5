//! The full record of an order: `pdd.order.information.get`.

use domain::{
    Amounts, Fen, Latest, Line, OrderDetail, OrderFacts, OrderKey, OrderStatus, Platform, Region, Shipment, UnixMs,
};
use serde::Deserialize;
use serde_json::Value;

use super::status::order_state;
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// What the record tells. It does not name its shop.
///
/// # Errors
/// [`MapError`] when the record lacks what every order has, or its numbers do not fit.
pub fn map(shop_id: &str, answer: &Value) -> Result<Fact, MapError> {
    let record = Response::deserialize(answer)?.order_info;
    let at = record.updated_at.or(record.created_time).ok_or_else(|| MapError::missing("updated_at"))?;

    let mut facts = OrderFacts::default();
    let paid_at = record.pay_time.filter(|_| record.is_paid_in_full());
    for (status, time) in [(OrderStatus::Created, record.created_time), (OrderStatus::Paid, paid_at)] {
        if let Some(time) = time {
            facts.reach(status, time);
        }
    }
    match record.confirm_status {
        Some(UNCONFIRMED) => {}
        Some(CANCELLED) => facts.reach(OrderStatus::Closed, at),
        _ => record.reach_status(&mut facts, at),
    }
    // The buyer's confirmation, or the end of the time for it.
    if let Some(time) = record.receive_time {
        facts.reach(OrderStatus::Completed, time);
    }
    if facts.milestones().contains_key(&OrderStatus::Paid) {
        facts.paid = Some(Latest::new(at, record.pay_amount));
    }
    let first = Parcel { tracking_number: record.tracking_number.clone(), logistics_id: record.logistics_id.clone() };
    for parcel in
        [Some(&first)].into_iter().flatten().chain(&record.extra_delivery_list).chain(&record.gift_delivery_list)
    {
        if let Some(tracking_number) = parcel.tracking_number.clone() {
            let carrier = parcel.logistics_id.clone();
            facts.ship(Shipment { tracking_number, carrier, shipped_at: record.shipping_time });
        }
    }
    facts.raw_status = Some(Latest::new(at, record.order_status.clone()));
    facts.detail = Some(Latest::new(at, record.detail()?));
    let key = OrderKey {
        platform: Platform::Pinduoduo,
        shop_id: shop_id.to_owned(),
        platform_order_id: record.order_sn.clone(),
    };
    Ok(Fact::Order { key, facts })
}

/// `confirm_status`: 0 not yet (a group that is not full), 1 confirmed, 2 cancelled.
const UNCONFIRMED: i64 = 0;
const CANCELLED: i64 = 2;
/// `refund_status`: 1 none or closed, 2 being handled, 3 being paid out, 4 refunded.
const REFUNDED: i64 = 4;
/// `step_trade_status` of a deposit order: 0 nothing paid, 1 the deposit, 2 all.
const ALL_STEPS: i64 = 2;

impl Record {
    fn is_paid_in_full(&self) -> bool {
        let step = self.step_order_info.as_ref().and_then(|steps| steps.step_trade_status);
        step.is_none_or(|step| step == ALL_STEPS)
    }

    fn reach_status(&self, facts: &mut OrderFacts, at: UnixMs) {
        match order_state(&self.order_status) {
            // Refunded before shipping: all of it, so nothing is left of the order.
            Some(OrderStatus::Paid) if self.refund_status == Some(REFUNDED) => facts.reach(OrderStatus::Closed, at),
            Some(OrderStatus::Paid) if self.is_paid_in_full() => {
                facts.reach(OrderStatus::Paid, self.pay_time.or(self.confirm_time).unwrap_or(at));
            }
            Some(OrderStatus::Paid) => {}
            Some(status) => {
                facts.reach(OrderStatus::Shipped, self.shipping_time.unwrap_or(at));
                if status == OrderStatus::Signed {
                    facts.reach(status, self.receive_time.unwrap_or(at));
                }
            }
            None => {
                facts.unknown_statuses.insert(self.order_status.clone());
            }
        }
    }

    /// `pay_amount` is goods less change of price, less discounts, plus freight and fees for services (as a better carrier).
    fn detail(&self) -> Result<OrderDetail, MapError> {
        let mut lines = Vec::with_capacity(self.item_list.len() + self.gift_list.len());
        for item in &self.item_list {
            lines.push(item.line(&lines, "", item.goods_price)?);
        }
        for gift in &self.gift_list {
            lines.push(gift.line(&lines, "gift-", Fen::ZERO)?);
        }
        let goods = lines.iter().map(Line::gross).collect::<Result<Vec<_>, _>>()?;
        let fees = Fen::try_sum(self.service_fee_detail.iter().map(|fee| fee.service_fee))?;
        let amounts = Amounts {
            goods: Fen::try_sum(goods)?,
            // A free order for the head of a group is the shop's campaign, so the shop bears it.
            discount_merchant: Fen::try_sum(
                [self.seller_discount, self.capital_free_discount, self.order_change_amount].into_iter().flatten(),
            )?,
            discount_platform: self.platform_discount.unwrap_or_default(),
            freight: self.postage.unwrap_or_default().try_add(fees)?,
            tax: Fen::ZERO,
            payable: self.pay_amount,
        };
        let province = self.province.clone().filter(|name| !name.is_empty());
        let city = self.city.clone().filter(|name| !name.is_empty());
        let region = province.map(|province| Region { province, city });
        Ok(OrderDetail { lines, amounts, region, live_room: None, guide: None, member_level: None })
    }
}

impl Item {
    /// Lines have no id of their own: the SKU's serves, numbered where it comes again.
    fn line(&self, before: &[Line], prefix: &str, unit_price: Fen) -> Result<Line, MapError> {
        let id = format!("{prefix}{}", self.sku_id);
        let again = before.iter().filter(|line| line.line_id.split('#').next() == Some(id.as_str())).count();
        let quantity = u32::try_from(self.goods_count).ok().filter(|&quantity| quantity > 0);
        Ok(Line {
            line_id: if again == 0 { id } else { format!("{id}#{}", again + 1) },
            sku: self.outer_id.clone().unwrap_or_else(|| self.sku_id.clone()),
            product_id: self.goods_id.clone(),
            title: self.goods_name.clone().unwrap_or_default(),
            quantity: quantity.ok_or_else(|| MapError::Malformed(format!("goods_count is {}", self.goods_count)))?,
            unit_price,
            discount: Fen::ZERO,
        })
    }
}

#[derive(Deserialize)]
struct Response {
    order_info: Record,
}

#[derive(Deserialize)]
struct Record {
    order_sn: String,
    #[serde(deserialize_with = "lenient::id")]
    order_status: String,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    confirm_status: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    refund_status: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    created_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    pay_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    confirm_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    shipping_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    receive_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    updated_at: Option<UnixMs>,
    #[serde(deserialize_with = "lenient::yuan")]
    pay_amount: Fen,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    postage: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    seller_discount: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    platform_discount: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    capital_free_discount: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    order_change_amount: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::list")]
    service_fee_detail: Vec<ServiceFee>,
    #[serde(default)]
    step_order_info: Option<Steps>,
    #[serde(default)]
    province: Option<String>,
    #[serde(default)]
    city: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    tracking_number: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    logistics_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    extra_delivery_list: Vec<Parcel>,
    #[serde(default, deserialize_with = "lenient::list")]
    gift_delivery_list: Vec<Parcel>,
    item_list: Vec<Item>,
    #[serde(default, deserialize_with = "lenient::list")]
    gift_list: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(deserialize_with = "lenient::id")]
    sku_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    outer_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    goods_id: Option<String>,
    #[serde(default)]
    goods_name: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    goods_count: i64,
    #[serde(deserialize_with = "lenient::yuan")]
    goods_price: Fen,
}

#[derive(Deserialize)]
struct ServiceFee {
    #[serde(deserialize_with = "lenient::yuan")]
    service_fee: Fen,
}

#[derive(Deserialize)]
struct Steps {
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    step_trade_status: Option<i64>,
}

#[derive(Deserialize)]
struct Parcel {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    tracking_number: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    logistics_id: Option<String>,
}
