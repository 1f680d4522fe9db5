//! The full record of an order: `jingdong.pop.order.get`.

use std::collections::BTreeMap;

use domain::{
    Amounts, Fen, Identity, IdentityKind, Latest, Line, OrderDetail, OrderFacts, OrderKey, OrderStatus, Platform,
    Region, Shipment, UnixMs,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::number;
use super::moment;
use super::status::{OrderState, order_state};
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// The API method.
pub const GET: &str = "jingdong.pop.order.get";

const FIELDS: &str = "orderId,venderId,payType,orderPayment,shouldPay,freightPrice,sellerDiscount,balanceUsed,serviceFee,\
taxFee,orderState,orderStartTime,paymentConfirmTime,outBoundDate,orderEndTime,modified,consigneeInfo,itemInfoList,\
couponDetailList,waybill,logisticsId,open_id_buyer";

/// The parameters of [`GET`].
pub fn params(order_id: &str) -> Value {
    json!({ "order_id": number(order_id), "optional_fields": FIELDS, "source_id": "JOS" })
}

/// What the answer to [`GET`] tells. `app_key` is the scope of the buyer's open id, `shop_id` the shop whose token asked.
///
/// # Errors
/// [`MapError`] when the record lacks what every order has, or its numbers do not fit.
pub fn map(app_key: &str, shop_id: &str, answer: &Value) -> Result<Fact, MapError> {
    let order = Record::deserialize(answer)?.order_detail_info.order_info;
    let at =
        order.modified.or(order.order_start_time).ok_or_else(|| MapError::missing("modified and orderStartTime"))?;

    let mut facts = OrderFacts::default();
    let pays_at_the_door = order.pay_type.as_deref().is_some_and(|kind| number_of(kind) == CASH_ON_DELIVERY);
    let paid_at = order.payment_confirm_time.filter(|_| !pays_at_the_door);
    for (status, time) in [(OrderStatus::Created, order.order_start_time), (OrderStatus::Paid, paid_at)] {
        if let Some(time) = time {
            facts.reach(status, time);
        }
    }
    match order_state(&order.order_state) {
        Some(OrderState::Reached(status)) => {
            facts.reach(status, order.time_of(status).unwrap_or(at));
            let left_at =
                order.out_bound_date.filter(|_| (OrderStatus::Shipped..OrderStatus::Closed).contains(&status));
            if let Some(time) = left_at {
                facts.reach(OrderStatus::Shipped, time);
            }
        }
        Some(OrderState::Preparing) if !pays_at_the_door => {
            facts.reach(OrderStatus::Paid, order.payment_confirm_time.unwrap_or(at));
        }
        Some(OrderState::Preparing | OrderState::Held) => {}
        None => {
            facts.unknown_statuses.insert(order.order_state.clone());
        }
    }
    let detail = order.detail()?;
    if facts.milestones().contains_key(&OrderStatus::Paid) {
        facts.paid = Some(Latest::new(at, detail.amounts.payable));
    }
    facts.identities.extend(order.open_id_buyer.clone().filter(|id| !id.is_empty()).map(|value| Identity {
        kind: IdentityKind::JdOpenId,
        scope: Some(app_key.to_owned()),
        value,
    }));
    for parcel in order.parcels() {
        facts.ship(parcel);
    }
    facts.detail = Some(Latest::new(at, detail));
    facts.raw_status = Some(Latest::new(at, order.order_state));
    Ok(Fact::Order { key: key(shop_id, order.order_id), facts })
}

pub(super) fn key(shop_id: &str, platform_order_id: String) -> OrderKey {
    OrderKey { platform: Platform::Jd, shop_id: shop_id.to_owned(), platform_order_id }
}

/// `payType` of cash on delivery, `1-货到付款`.
const CASH_ON_DELIVERY: &str = "1";

/// The number of a kind that is written `39-京豆优惠`, or as the number alone.
fn number_of(kind: &str) -> &str {
    kind.split_once('-').map_or(kind, |(number, _)| number)
}

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "orderDetailInfo")]
    order_detail_info: DetailInfo,
}

#[derive(Debug, Deserialize)]
struct DetailInfo {
    #[serde(rename = "orderInfo")]
    order_info: Order,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    pay_type: Option<String>,
    order_state: String,
    #[serde(default, deserialize_with = "moment::optional")]
    order_start_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "moment::optional")]
    payment_confirm_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "moment::optional")]
    out_bound_date: Option<UnixMs>,
    #[serde(default, deserialize_with = "moment::optional")]
    order_end_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "moment::optional")]
    modified: Option<UnixMs>,
    /// What is left to pay: the goods less all discounts, balance and gift cards, and freight, tax and service on top.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    order_payment: Option<Fen>,
    /// The newer name of it. Not confirmed: that balance and gift cards are taken off here too.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    should_pay: Option<Fen>,
    /// What was paid from the buyer's balance with JD.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    balance_used: Option<Fen>,
    /// All that the merchant bears of the discounts.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    seller_discount: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    freight_price: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    service_fee: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    tax_fee: Option<Fen>,
    #[serde(default)]
    coupon_detail_list: Option<Vec<Coupon>>,
    #[serde(default)]
    consignee_info: Option<Consignee>,
    item_info_list: Vec<Item>,
    /// Tracking numbers: `|` between carriers, `,` between a carrier's parcels.
    #[serde(default)]
    waybill: Option<String>,
    /// The carriers' ids, `|` between them.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    logistics_id: Option<String>,
    #[serde(default, rename = "open_id_buyer")]
    open_id_buyer: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(deserialize_with = "lenient::id")]
    sku_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    outer_sku_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    ware_id: Option<String>,
    #[serde(default)]
    sku_name: String,
    #[serde(deserialize_with = "lenient::integer")]
    item_total: i64,
    /// The price of one piece.
    #[serde(deserialize_with = "lenient::yuan")]
    jd_price: Fen,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Coupon {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    coupon_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    coupon_price: Option<Fen>,
}

/// Only what is coarse: the rest is no business of ours.
#[derive(Debug, Deserialize)]
struct Consignee {
    #[serde(default)]
    province: Option<String>,
    #[serde(default)]
    city: Option<String>,
}

/// What JD bears of the discounts: red packets, beans, coupons. The others of its list (20 sets, 28 and 29 groups, 30 single
/// goods, 35 thresholds, 100 the shop) are the merchant's, and counted in `sellerDiscount`.
const BY_THE_PLATFORM: [&str; 3] = ["34", "39", "41"];
/// Gift cards, which stand in the same list but are money.
const GIFT_CARD: &str = "52";

impl Order {
    fn time_of(&self, status: OrderStatus) -> Option<UnixMs> {
        match status {
            OrderStatus::Created => self.order_start_time,
            OrderStatus::Paid => self.payment_confirm_time,
            OrderStatus::Shipped => self.out_bound_date,
            OrderStatus::Completed => self.order_end_time,
            OrderStatus::PartlyShipped | OrderStatus::Signed | OrderStatus::Closed => None,
        }
    }

    /// The sum of the coupons of these kinds.
    fn coupons(&self, kinds: &[&str]) -> Result<Fen, MapError> {
        let of_kind =
            |coupon: &&Coupon| coupon.coupon_type.as_deref().is_some_and(|kind| kinds.contains(&number_of(kind)));
        let coupons = self.coupon_detail_list.iter().flatten().filter(of_kind);
        Ok(Fen::try_sum(coupons.filter_map(|coupon| coupon.coupon_price))?)
    }

    fn detail(&self) -> Result<OrderDetail, MapError> {
        let mut seen = BTreeMap::new();
        let lines = self.item_info_list.iter().map(|item| item.line(&mut seen)).collect::<Result<Vec<_>, _>>()?;
        let goods = lines.iter().map(Line::gross).collect::<Result<Vec<_>, _>>()?;
        let due = self.order_payment.or(self.should_pay).ok_or_else(|| MapError::missing("orderPayment"))?;
        let amounts = Amounts {
            goods: Fen::try_sum(goods)?,
            discount_merchant: self.seller_discount.unwrap_or_default(),
            discount_platform: self.coupons(&BY_THE_PLATFORM)?,
            // Services such as delivery upstairs are no part of any line, as freight is not.
            freight: self.freight_price.unwrap_or_default().try_add(self.service_fee.unwrap_or_default())?,
            tax: self.tax_fee.unwrap_or_default(),
            payable: due.try_add(self.balance_used.unwrap_or_default())?.try_add(self.coupons(&[GIFT_CARD])?)?,
        };
        let clear = |name: &Option<String>| name.clone().filter(|name| !name.is_empty() && !name.contains('*'));
        let region = self.consignee_info.as_ref().and_then(|consignee| {
            clear(&consignee.province).map(|province| Region { province, city: clear(&consignee.city) })
        });
        Ok(OrderDetail { amounts, region, live_room: None, guide: None, member_level: None, lines })
    }

    fn parcels(&self) -> impl Iterator<Item = Shipment> {
        let mut carriers = self.logistics_id.iter().flat_map(|ids| ids.split('|'));
        self.waybill.iter().flat_map(|numbers| numbers.split('|')).flat_map(move |numbers| {
            let carrier = carriers.next().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
            let numbers = numbers.split(',').map(str::trim).filter(|number| !number.is_empty());
            numbers.map(move |number| Shipment {
                tracking_number: number.to_owned(),
                carrier: carrier.clone(),
                shipped_at: self.out_bound_date,
            })
        })
    }
}

impl Item {
    /// A line has no id of its own: it is the SKU's, and `#2` after it where the SKU comes a second time. After-sale cases name
    /// the SKU too.
    fn line<'a>(&'a self, seen: &mut BTreeMap<&'a str, u32>) -> Result<Line, MapError> {
        let quantity = u32::try_from(self.item_total).ok().filter(|&quantity| quantity > 0);
        let times = seen.entry(&self.sku_id).or_default();
        *times = times.saturating_add(1);
        Ok(Line {
            line_id: if *times == 1 { self.sku_id.clone() } else { format!("{}#{times}", self.sku_id) },
            sku: self.outer_sku_id.as_ref().unwrap_or(&self.sku_id).clone(),
            product_id: self.ware_id.clone(),
            title: self.sku_name.clone(),
            quantity: quantity.ok_or_else(|| MapError::Malformed(format!("itemTotal is {}", self.item_total)))?,
            unit_price: self.jd_price,
            // The record gives the order's discounts only.
            discount: Fen::ZERO,
        })
    }
}
