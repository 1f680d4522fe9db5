//! The full record of an order: `open.order.detail`. An order has one product; gifts come with it as orders of their own.

use domain::{
    Amounts, Fen, Identity, IdentityKind, Latest, Line, LiveRoom, OrderDetail, OrderFacts, OrderKey, OrderStatus,
    Platform, Region, Shipment, UnixMs,
};
use serde::Deserialize;
use serde_json::Value;

use super::status::order_state;
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// What the record tells. `app_key` is the scope of the buyer's open id, `shop_id` the shop whose token the request was made
/// with.
///
/// # Errors
/// [`MapError`] when the record lacks what every order has, or its numbers do not fit.
pub fn map(app_key: &str, shop_id: &str, answer: &Value) -> Result<Fact, MapError> {
    let record = Record::deserialize(answer)?;
    let base = &record.order_base_info;
    let at = base.update_time.or(base.create_time).ok_or_else(|| MapError::missing("updateTime"))?;

    let mut facts = OrderFacts::default();
    let steps = [
        (OrderStatus::Created, base.create_time),
        // An unpaid order may have paid a deposit: only what comes after says paid.
        (OrderStatus::Paid, base.pay_time.filter(|_| base.status != UNPAID)),
        (OrderStatus::Signed, base.recv_time),
    ];
    for (status, time) in steps {
        if let Some(time) = time {
            facts.reach(status, time);
        }
    }
    let delivery = record.order_delivery_info.as_ref().and_then(|delivery| delivery.delivery_status);
    match order_state(&base.status, delivery == Some(PARTLY)) {
        Some(status) => facts.reach(status, base.time_of(status).unwrap_or(at)),
        None => {
            facts.unknown_statuses.insert(base.status.clone());
        }
    }
    facts.raw_status = Some(Latest::new(at, base.status.clone()));
    facts.identities.extend(base.buyer_open_id.clone().filter(|id| !id.is_empty()).map(|value| Identity {
        kind: IdentityKind::KuaishouOpenId,
        scope: Some(app_key.to_owned()),
        value,
    }));
    let parcels = record.order_logistics_info.iter().map(|parcel| (parcel, base.send_time));
    let gifts = record.sub_order_info.iter().flat_map(|gift| {
        gift.sub_order_logistics_info.iter().map(|parcel| (parcel, gift.sub_order_base_info.send_time))
    });
    for (parcel, shipped_at) in parcels.chain(gifts) {
        if let Some(tracking_number) = parcel.express_no.clone().filter(|number| !number.is_empty()) {
            facts.ship(Shipment { tracking_number, carrier: parcel.express_code.clone(), shipped_at });
        }
    }
    let detail = record.detail()?;
    if facts.milestones().contains_key(&OrderStatus::Paid) {
        facts.paid = Some(Latest::new(at, detail.amounts.payable));
    }
    facts.detail = Some(Latest::new(at, detail));
    let key =
        OrderKey { platform: Platform::Kuaishou, shop_id: shop_id.to_owned(), platform_order_id: base.oid.clone() };
    Ok(Fact::Order { key, facts })
}

const UNPAID: &str = "10";
/// `deliveryStatus`: 10 partly shipped, 40 all.
const PARTLY: i64 = 10;
/// `carrierType` of a live room: then `carrierId` is its id.
const LIVE: i64 = 2;

impl Record {
    fn detail(&self) -> Result<OrderDetail, MapError> {
        let base = &self.order_base_info;
        let bill = Bill::of(base, &self.order_item_info)?;
        let freight = Fen::new(base.express_fee.unwrap_or(0));
        let tax = self.tax()?;
        let amounts = Amounts {
            goods: bill.goods,
            // Who bears it is told by open.seller.order.fee.detail only.
            discount_merchant: Fen::new(base.discount_fee.unwrap_or(0)),
            discount_platform: Fen::ZERO,
            freight,
            tax,
            payable: bill.payable.try_add(freight)?.try_add(tax)?,
        };
        let mut lines = vec![self.order_item_info.line(&base.oid, bill.unit_price)?];
        for gift in &self.sub_order_info {
            lines.push(gift.sub_order_item_info.line(&gift.sub_order_base_info.oid, Fen::ZERO)?);
        }
        let address = self.order_address.as_ref();
        let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let region = address.and_then(|address| {
            named(&address.province).map(|province| Region { province, city: named(&address.city) })
        });
        Ok(OrderDetail { lines, amounts, region, live_room: self.live_room(), guide: None, member_level: None })
    }

    /// What of the tax the shop does not bear.
    fn tax(&self) -> Result<Fen, MapError> {
        let Some(tax) = &self.order_base_info.order_tax_info else { return Ok(Fen::ZERO) };
        let fen = |amount: Option<i64>| Fen::new(amount.unwrap_or(0));
        Ok(fen(tax.tax_amount).try_sub(fen(tax.seller_bear_amount))?)
    }

    fn live_room(&self) -> Option<LiveRoom> {
        let base = &self.order_base_info;
        let room_id = base.carrier_id.clone().filter(|_| base.carrier_type == Some(LIVE));
        let promoter = self.order_cps_info.as_ref();
        let author_id = promoter.and_then(|promoter| promoter.distributor_id.clone());
        let author_name =
            promoter.and_then(|promoter| promoter.distributor_name.clone()).filter(|name| !name.is_empty());
        (room_id.is_some() || author_id.is_some()).then_some(LiveRoom { room_id, author_id, author_name })
    }
}

/// The goods and what is to be paid for them, without freight.
struct Bill {
    unit_price: Fen,
    goods: Fen,
    payable: Fen,
}

impl Bill {
    /// The documents call `totalFee` the price of the goods without freight, and say neither whether `discountFee` is taken
    /// off already, nor whether it holds the campaign that makes `price` of `originalPrice`. The record itself tells: the
    /// price that explains its sum is the one. If none does, the sum stands as it is, and the bill is flagged.
    fn of(base: &Base, item: &Item) -> Result<Self, MapError> {
        let (total, discount) = (Fen::new(base.total_fee), Fen::new(base.discount_fee.unwrap_or(0)));
        let price = Fen::new(item.price);
        for unit_price in [price, Fen::new(item.original_price.unwrap_or(item.price))] {
            let goods = unit_price.try_mul(item.num)?;
            let payable = goods.try_sub(discount)?;
            if total == goods || total == payable {
                return Ok(Self { unit_price, goods, payable });
            }
        }
        Ok(Self { unit_price: price, goods: price.try_mul(item.num)?, payable: total })
    }
}

impl Item {
    fn line(&self, line_id: &str, unit_price: Fen) -> Result<Line, MapError> {
        let quantity = u32::try_from(self.num).ok().filter(|&quantity| quantity > 0);
        let code = self.sku_nick.clone().filter(|code| !code.is_empty());
        Ok(Line {
            line_id: line_id.to_owned(),
            sku: code.unwrap_or_else(|| self.sku_id.clone()),
            product_id: self.item_id.clone(),
            title: self.item_title.clone().unwrap_or_default(),
            quantity: quantity.ok_or_else(|| MapError::Malformed(format!("num is {}", self.num)))?,
            unit_price,
            discount: Fen::ZERO,
        })
    }
}

impl Base {
    fn time_of(&self, status: OrderStatus) -> Option<UnixMs> {
        match status {
            OrderStatus::Created => self.create_time,
            OrderStatus::Paid => self.pay_time,
            OrderStatus::PartlyShipped | OrderStatus::Shipped => self.send_time,
            OrderStatus::Signed => self.recv_time,
            OrderStatus::Completed | OrderStatus::Closed => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    order_base_info: Base,
    order_item_info: Item,
    #[serde(default, deserialize_with = "lenient::list")]
    order_logistics_info: Vec<Parcel>,
    #[serde(default)]
    order_delivery_info: Option<Delivery>,
    #[serde(default)]
    order_address: Option<Address>,
    #[serde(default)]
    order_cps_info: Option<Promoter>,
    #[serde(default, deserialize_with = "lenient::list")]
    sub_order_info: Vec<Gift>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Base {
    #[serde(deserialize_with = "lenient::id")]
    oid: String,
    #[serde(deserialize_with = "lenient::id")]
    status: String,
    #[serde(default)]
    buyer_open_id: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    total_fee: i64,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    discount_fee: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    express_fee: Option<i64>,
    #[serde(default)]
    order_tax_info: Option<Tax>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    carrier_type: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    carrier_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    create_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    pay_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    send_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    recv_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    update_time: Option<UnixMs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tax {
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    tax_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    seller_bear_amount: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(deserialize_with = "lenient::id")]
    sku_id: String,
    /// The merchant's code of the SKU.
    #[serde(default)]
    sku_nick: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    item_id: Option<String>,
    #[serde(default)]
    item_title: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    num: i64,
    /// One piece.
    #[serde(deserialize_with = "lenient::integer")]
    price: i64,
    /// One piece before campaigns.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    original_price: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parcel {
    #[serde(default)]
    express_no: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    express_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    delivery_status: Option<i64>,
}

/// Only what is coarse: the rest is ciphertext, and no business of ours.
#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    province: Option<String>,
    #[serde(default)]
    city: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promoter {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    distributor_id: Option<String>,
    #[serde(default)]
    distributor_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Gift {
    sub_order_base_info: GiftBase,
    sub_order_item_info: Item,
    #[serde(default, deserialize_with = "lenient::list")]
    sub_order_logistics_info: Vec<Parcel>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GiftBase {
    #[serde(deserialize_with = "lenient::id")]
    oid: String,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    send_time: Option<UnixMs>,
}
