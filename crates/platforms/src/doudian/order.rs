//! The full record of an order: `order.orderDetail`.

use domain::{
    Amounts, Fen, Identity, IdentityKind, Latest, Line, LiveRoom, OrderDetail, OrderFacts, OrderStatus, Region,
    Shipment, UnixMs,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::push::{CASH_ON_DELIVERY, key};
use super::status::{OrderState, order_state};
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// The API method that gives an order's full record.
pub const DETAIL: &str = "order.orderDetail";

/// The parameters of [`DETAIL`].
pub fn detail_params(platform_order_id: &str) -> Value {
    json!({ "shop_order_id": platform_order_id })
}

/// What the answer to [`DETAIL`] tells (its `data`, as [`super::api::response`] returns it). `app_key` is the scope of
/// the buyer's `doudian_open_id`.
///
/// # Errors
/// [`MapError`] when the record lacks what every order has, or its numbers do not fit.
pub fn map_detail(app_key: &str, data: &Value) -> Result<Fact, MapError> {
    let answer = DetailAnswer::deserialize(data)?;
    let record = answer.shop_order_detail;
    let at = record
        .update_time
        .or(record.create_time)
        .ok_or_else(|| MapError::Malformed("update_time and create_time are missing".to_owned()))?;

    let mut facts = OrderFacts::default();
    let cash_on_delivery = record.pay_type == Some(CASH_ON_DELIVERY);
    let steps = [
        (OrderStatus::Created, record.create_time),
        (OrderStatus::Paid, record.pay_time.filter(|_| !cash_on_delivery)),
        (OrderStatus::Signed, received(&record.sku_order_list)),
    ];
    for (status, time) in steps {
        if let Some(time) = time {
            facts.reach(status, time);
        }
    }
    // order_status knows the way of the goods, main_status also refunds of the whole: both count.
    for code in [&record.order_status, &record.main_status].into_iter().flatten() {
        match order_state(code) {
            Some(OrderState::Reached(status)) => facts.reach(status, record.time_of(status).unwrap_or(at)),
            Some(OrderState::Preparing) if !cash_on_delivery => {
                facts.reach(OrderStatus::Paid, record.pay_time.unwrap_or(at));
            }
            Some(OrderState::Preparing) => {}
            None => {
                facts.unknown_statuses.insert(code.clone());
            }
        }
    }
    facts.raw_status = record.order_status.clone().map(|code| Latest::new(at, code));
    if facts.milestones().contains_key(&OrderStatus::Paid) {
        facts.paid = Some(Latest::new(at, Fen::new(record.pay_amount)));
    }
    facts.identities.extend(record.doudian_open_id.clone().filter(|id| !id.is_empty()).map(|value| Identity {
        kind: IdentityKind::DouyinOpenId,
        scope: Some(app_key.to_owned()),
        value,
    }));
    for parcel in &record.logistics_info {
        if let Some(tracking_number) = parcel.tracking_no.clone() {
            let carrier = parcel.company.clone().filter(|name| !name.is_empty());
            facts.ship(Shipment { tracking_number, carrier, shipped_at: parcel.ship_time });
        }
    }
    facts.detail = Some(Latest::new(at, record.detail()?));
    Ok(Fact::Order { key: key(record.shop_id, record.order_id), facts })
}

#[derive(Debug, Deserialize)]
struct DetailAnswer {
    shop_order_detail: Record,
}

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(deserialize_with = "lenient::id")]
    shop_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    order_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    main_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    pay_type: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    create_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    pay_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    ship_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    finish_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    update_time: Option<UnixMs>,
    #[serde(default)]
    doudian_open_id: Option<String>,
    /// What the buyer is to pay: the whole bill after all discounts.
    #[serde(deserialize_with = "lenient::integer")]
    pay_amount: i64,
    /// Freight after its discounts.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    post_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    promotion_shop_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    promotion_platform_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    promotion_talent_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    tax_amount: Option<i64>,
    /// A change of the price by the shop, negative when it became cheaper.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    modify_amount: Option<i64>,
    #[serde(default)]
    post_addr: Option<Address>,
    #[serde(default)]
    logistics_info: Vec<Parcel>,
    sku_order_list: Vec<SkuOrder>,
}

#[derive(Debug, Deserialize)]
struct SkuOrder {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    code: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    out_sku_id: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    sku_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    product_id: Option<String>,
    #[serde(default)]
    product_name: String,
    #[serde(deserialize_with = "lenient::integer")]
    item_num: i64,
    /// The price of one piece.
    #[serde(deserialize_with = "lenient::integer")]
    origin_amount: i64,
    /// All of the line's discounts together: shop, platform and promoter.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    promotion_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    modify_amount: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    room_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    author_id: Option<String>,
    #[serde(default)]
    author_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    logistics_receipt_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    confirm_receipt_time: Option<UnixMs>,
}

#[derive(Debug, Deserialize)]
struct Parcel {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    tracking_no: Option<String>,
    #[serde(default)]
    company: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    ship_time: Option<UnixMs>,
}

/// Only what is coarse: street and house are ciphertext, and no business of ours.
#[derive(Debug, Deserialize)]
struct Address {
    #[serde(default)]
    province: Option<Place>,
    #[serde(default)]
    city: Option<Place>,
}

#[derive(Debug, Deserialize)]
struct Place {
    #[serde(default)]
    name: String,
}

impl Record {
    fn time_of(&self, status: OrderStatus) -> Option<UnixMs> {
        match status {
            OrderStatus::Created => self.create_time,
            OrderStatus::Paid => self.pay_time,
            OrderStatus::PartlyShipped | OrderStatus::Shipped => self.ship_time,
            OrderStatus::Completed => self.finish_time,
            OrderStatus::Signed | OrderStatus::Closed => None,
        }
    }

    fn detail(&self) -> Result<OrderDetail, MapError> {
        let lines = self.sku_order_list.iter().map(SkuOrder::line).collect::<Result<Vec<_>, _>>()?;
        let goods = lines.iter().map(Line::gross).collect::<Result<Vec<_>, _>>()?;
        let fen = |amount: Option<i64>| Fen::new(amount.unwrap_or(0));
        let amounts = Amounts {
            goods: Fen::try_sum(goods)?,
            discount_merchant: fen(self.promotion_shop_amount)
                .try_add(fen(self.promotion_talent_amount))?
                .try_sub(fen(self.modify_amount))?,
            discount_platform: fen(self.promotion_platform_amount),
            freight: fen(self.post_amount),
            tax: fen(self.tax_amount),
            payable: Fen::new(self.pay_amount),
        };
        let named =
            |place: &Option<Place>| place.as_ref().map(|place| place.name.clone()).filter(|name| !name.is_empty());
        let region = self.post_addr.as_ref().and_then(|address| {
            named(&address.province).map(|province| Region { province, city: named(&address.city) })
        });
        // One order comes from one place: the first line that names a promoter or a room speaks for it.
        let live_room = self.sku_order_list.iter().find(|line| line.room_id.is_some() || line.author_id.is_some());
        Ok(OrderDetail {
            amounts,
            region,
            live_room: live_room.map(SkuOrder::live_room),
            guide: None,
            member_level: None,
            lines,
        })
    }
}

impl SkuOrder {
    fn line(&self) -> Result<Line, MapError> {
        let quantity = u32::try_from(self.item_num).ok().filter(|&quantity| quantity > 0);
        let sku = self.code.as_ref().or(self.out_sku_id.as_ref()).unwrap_or(&self.sku_id);
        let discount =
            Fen::new(self.promotion_amount.unwrap_or(0)).try_sub(Fen::new(self.modify_amount.unwrap_or(0)))?;
        Ok(Line {
            line_id: self.order_id.clone(),
            sku: sku.clone(),
            product_id: self.product_id.clone(),
            title: self.product_name.clone(),
            quantity: quantity.ok_or_else(|| MapError::Malformed(format!("item_num is {}", self.item_num)))?,
            unit_price: Fen::new(self.origin_amount),
            discount,
        })
    }

    fn live_room(&self) -> LiveRoom {
        LiveRoom {
            room_id: self.room_id.clone(),
            author_id: self.author_id.clone(),
            author_name: self.author_name.clone().filter(|name| !name.is_empty()),
        }
    }
}

/// When the last line was received, by the carrier's word or the buyer's; nothing while any line is still out.
fn received(lines: &[SkuOrder]) -> Option<UnixMs> {
    let times = lines.iter().map(|line| line.logistics_receipt_time.or(line.confirm_receipt_time));
    times.collect::<Option<Vec<_>>>()?.into_iter().max()
}
