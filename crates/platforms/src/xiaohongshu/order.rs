//! The full record of an order: `order.getOrderDetail`.

use std::collections::BTreeSet;

use domain::{
    Amounts, Fen, Identity, IdentityKind, Latest, Line, LiveRoom, OrderDetail, OrderFacts, OrderKey, OrderStatus,
    Platform, Region, Shipment, UnixMs,
};
use serde::Deserialize;
use serde_json::Value;

use super::status::{State, order_state};
use crate::line_id::line_id;
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// What the answer tells. `app_key` is the scope of the buyer's open id (that it holds per app is not confirmed).
///
/// # Errors
/// [`MapError`] when the record lacks what every order has, or its numbers do not fit.
pub fn map(app_key: &str, shop_id: &str, data: &Value) -> Result<Fact, MapError> {
    let record = Record::deserialize(data)?;
    let at = record.update_time.or(record.created_time);
    let at = at.ok_or_else(|| MapError::missing("updateTime and createdTime"))?;

    let mut facts = OrderFacts::default();
    let state = order_state(&record.order_status);
    if let Some(created) = record.created_time {
        facts.reach(OrderStatus::Created, created);
    }
    // Of a deposit the order is not paid yet, whatever paidTime says.
    if let Some(paid) = record.paid_time.filter(|_| state != Some(State::Reached(OrderStatus::Created))) {
        facts.reach(OrderStatus::Paid, paid);
    }
    match state {
        Some(State::Reached(status)) => facts.reach(status, record.time_of(status).unwrap_or(at)),
        Some(State::Open) => {}
        None => drop(facts.unknown_statuses.insert(record.order_status.clone())),
    }
    if facts.milestones().contains_key(&OrderStatus::Paid) {
        facts.paid = Some(Latest::new(at, Fen::new(record.total_pay_amount)));
    }
    facts.identities.extend(record.xhs_open_id.clone().map(|value| Identity {
        kind: IdentityKind::XiaohongshuOpenId,
        scope: Some(app_key.to_owned()),
        value,
    }));
    for (tracking_number, carrier) in record.parcels() {
        // The order knows one time for all its parcels.
        facts.ship(Shipment { tracking_number, carrier, shipped_at: record.delivery_time });
    }
    facts.detail = Some(Latest::new(at, record.detail()?));
    facts.raw_status = Some(Latest::new(at, record.order_status));
    Ok(Fact::Order { key: key(shop_id, record.order_id), facts })
}

pub(super) fn key(shop_id: &str, platform_order_id: String) -> OrderKey {
    OrderKey { platform: Platform::Xiaohongshu, shop_id: shop_id.to_owned(), platform_order_id }
}

/// Times in Unix milliseconds, money in fen.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(deserialize_with = "lenient::id")]
    order_status: String,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    created_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    paid_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    delivery_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    finish_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    cancel_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_millis")]
    update_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    xhs_open_id: Option<String>,
    /// What the buyer pays, freight and deposit included.
    #[serde(deserialize_with = "lenient::integer")]
    total_pay_amount: i64,
    /// Freight after its discounts (spelt so).
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    total_shipping_free: Option<i64>,
    #[serde(default)]
    receiver_province_name: Option<String>,
    #[serde(default)]
    receiver_city_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    express_tracking_no: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    express_company_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    simple_delivery_order_list: Vec<Parcel>,
    sku_list: Vec<Sku>,
}

/// A part of an order that was sent in several parcels.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parcel {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    express_tracking_no: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    express_company_code: Option<String>,
}

/// All pieces of one SKU; sums over them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sku {
    #[serde(deserialize_with = "lenient::id")]
    sku_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    item_id: Option<String>,
    #[serde(default)]
    sku_name: String,
    /// The merchant's own code; empty for sets.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    erpcode: Option<String>,
    #[serde(deserialize_with = "lenient::integer")]
    sku_quantity: i64,
    #[serde(deserialize_with = "lenient::integer")]
    total_paid_amount: i64,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    total_merchant_discount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    total_red_discount: Option<i64>,
    /// Part of what is paid; 0 but in cross-border trade.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    total_tax_amount: Option<i64>,
    /// The promoter (达人), if it was bought in a live room or from a promoter's page.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    kol_id: Option<String>,
    #[serde(default)]
    kol_name: Option<String>,
}

impl Record {
    fn time_of(&self, status: OrderStatus) -> Option<UnixMs> {
        match status {
            OrderStatus::Created => self.created_time,
            OrderStatus::Paid => self.paid_time,
            OrderStatus::PartlyShipped | OrderStatus::Shipped => self.delivery_time,
            OrderStatus::Completed => self.finish_time,
            OrderStatus::Closed => self.cancel_time,
            OrderStatus::Signed => None,
        }
    }

    fn parcels(&self) -> impl Iterator<Item = (String, Option<String>)> {
        let whole = (&self.express_tracking_no, &self.express_company_code);
        let parts = self.simple_delivery_order_list.iter();
        let parts = parts.map(|parcel| (&parcel.express_tracking_no, &parcel.express_company_code));
        parts.chain([whole]).filter_map(|(number, company)| Some((number.clone()?, company.clone())))
    }

    fn detail(&self) -> Result<OrderDetail, MapError> {
        let mut taken = BTreeSet::new();
        let mut amounts = Amounts {
            freight: Fen::new(self.total_shipping_free.unwrap_or(0)),
            payable: Fen::new(self.total_pay_amount),
            ..Amounts::default()
        };
        let lines = self.sku_list.iter().map(|sku| sku.line(&mut taken, &mut amounts));
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let region = named(&self.receiver_province_name)
            .map(|province| Region { province, city: named(&self.receiver_city_name) });
        // One order comes from one place: the first line that names a promoter speaks for it.
        let promoted = self.sku_list.iter().find(|sku| sku.kol_id.is_some());
        let live_room = promoted.map(|sku| LiveRoom {
            room_id: None,
            author_id: sku.kol_id.clone(),
            author_name: sku.kol_name.clone().filter(|name| !name.is_empty()),
        });
        Ok(OrderDetail { lines, amounts, region, live_room, guide: None, member_level: None })
    }
}

impl Sku {
    /// The line, and its part of the bill. The record has no price of a piece that discounts were taken from (`rawPricePerSku` may
    /// or may not hold tax, and one SKU may have been sold at several prices): it is what was paid, less tax, plus the discounts, by
    /// the number of pieces. What does not divide counts as the merchant's discount.
    fn line(&self, taken: &mut BTreeSet<String>, amounts: &mut Amounts) -> Result<Line, MapError> {
        let quantity = u32::try_from(self.sku_quantity).ok().filter(|&quantity| quantity > 0);
        let quantity = quantity.ok_or_else(|| MapError::Malformed(format!("skuQuantity is {}", self.sku_quantity)))?;
        let fen = |amount: Option<i64>| Fen::new(amount.unwrap_or(0));
        let tax = fen(self.total_tax_amount);
        let of_platform = fen(self.total_red_discount);
        let net = Fen::new(self.total_paid_amount).try_sub(tax)?;
        let before = net.try_add(fen(self.total_merchant_discount))?.try_add(of_platform)?;
        let pieces = i64::from(quantity);
        let whole = before.get().div_euclid(pieces);
        let unit_price = Fen::new(whole).try_add(Fen::new(i64::from(before.get().rem_euclid(pieces) > 0)))?;
        let gross = unit_price.try_mul(pieces)?;
        let of_merchant = gross.try_sub(net)?.try_sub(of_platform)?;

        amounts.goods = amounts.goods.try_add(gross)?;
        amounts.discount_merchant = amounts.discount_merchant.try_add(of_merchant)?;
        amounts.discount_platform = amounts.discount_platform.try_add(of_platform)?;
        amounts.tax = amounts.tax.try_add(tax)?;
        Ok(Line {
            line_id: line_id(taken, &self.sku_id, None),
            sku: self.erpcode.as_ref().unwrap_or(&self.sku_id).clone(),
            product_id: self.item_id.clone(),
            title: self.sku_name.clone(),
            quantity,
            unit_price,
            discount: of_merchant.try_add(of_platform)?,
        })
    }
}
