//! The full record of an order: `channels/ec/order/get`.

use std::collections::BTreeSet;

use domain::{
    Fen, Guide, Identity, IdentityKind, Latest, Line, LiveRoom, OrderDetail, OrderFacts, OrderStatus, Region, Shipment,
    UnixMs,
};
use serde::Deserialize;
use serde_json::Value;

use super::bill::Price;
use super::push::key;
use super::status::order_status;
use crate::line_id::line_id;
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// What the answer tells. `app_key` is the scope of the buyer's openid.
///
/// # Errors
/// [`MapError`] when the record lacks what every order has, or its numbers do not fit.
pub fn map(app_key: &str, shop_id: &str, answer: &Value) -> Result<Fact, MapError> {
    let record = Record::deserialize(answer)?.order;
    let at = record.update_time.or(record.create_time);
    let at = at.ok_or_else(|| MapError::missing("update_time and create_time"))?;

    let mut facts = OrderFacts::default();
    for (status, time) in record.times() {
        if let Some(time) = time {
            facts.reach(status, time);
        }
    }
    match order_status(&record.status) {
        // Use first, pay later: to be shipped, but nothing was paid yet.
        Some(OrderStatus::Paid) if record.is_on_credit() => facts.reach(OrderStatus::Created, at),
        Some(status) => facts.reach(status, record.time_of(status).unwrap_or(at)),
        None => drop(facts.unknown_statuses.insert(record.status.clone())),
    }
    if facts.milestones().contains_key(&OrderStatus::Paid) {
        facts.paid = Some(Latest::new(at, Fen::new(record.order_detail.price_info.order_price)));
    }
    let identities = [
        (IdentityKind::WechatOpenId, Some(app_key), &record.openid),
        (IdentityKind::WechatUnionId, None, &record.unionid),
    ];
    facts.identities.extend(identities.into_iter().filter_map(|(kind, scope, value)| {
        let value = value.clone().filter(|value| !value.is_empty())?;
        Some(Identity { kind, scope: scope.map(str::to_owned), value })
    }));
    for parcel in record.order_detail.delivery_info.iter().flat_map(|delivery| &delivery.parcels) {
        if let Some(tracking_number) = parcel.waybill_id.clone() {
            facts.ship(Shipment {
                tracking_number,
                carrier: parcel.delivery_id.clone(),
                shipped_at: parcel.delivery_time,
            });
        }
    }
    facts.detail = Some(Latest::new(at, record.detail()?));
    facts.raw_status = Some(Latest::new(at, record.status));
    Ok(Fact::Order { key: key(shop_id, record.order_id), facts })
}

#[derive(Debug, Deserialize)]
struct Record {
    order: Order,
}

#[derive(Debug, Deserialize)]
struct Order {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(deserialize_with = "lenient::id")]
    status: String,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    create_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    update_time: Option<UnixMs>,
    /// Who the order belongs to: the payer, or who accepted it as a gift.
    #[serde(default)]
    openid: Option<String>,
    /// Only where the store is bound to an open platform account.
    #[serde(default)]
    unionid: Option<String>,
    order_detail: Detail,
}

#[derive(Debug, Deserialize)]
struct Detail {
    product_infos: Vec<Product>,
    price_info: Price,
    #[serde(default)]
    pay_info: Option<Payment>,
    #[serde(default)]
    delivery_info: Option<Delivery>,
    #[serde(default)]
    ext_info: Option<Extra>,
    /// Which account of which kind sold which SKU.
    #[serde(default, deserialize_with = "lenient::list")]
    source_infos: Vec<Origin>,
}

#[derive(Debug, Deserialize)]
struct Product {
    #[serde(deserialize_with = "lenient::id")]
    sku_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    product_id: Option<String>,
    /// The merchant's own code.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    sku_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    out_sku_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    product_unique_id: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(deserialize_with = "lenient::integer")]
    sku_cnt: i64,
    /// The price of one piece.
    #[serde(deserialize_with = "lenient::integer")]
    sale_price: i64,
    /// The line's price after its discounts and changes.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    real_price: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Payment {
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    pay_time: Option<UnixMs>,
    /// 1 WeChat Pay, 2 use first and pay later, 3 won in a lottery, 4 points.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    payment_method: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Delivery {
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    ship_done_time: Option<UnixMs>,
    #[serde(default)]
    address_info: Option<Address>,
    #[serde(rename = "delivery_product_info", default, deserialize_with = "lenient::list")]
    parcels: Vec<Parcel>,
}

/// Only what is coarse: name, phone, street and house are no business of ours.
#[derive(Debug, Deserialize)]
struct Address {
    #[serde(default)]
    province_name: Option<String>,
    #[serde(default)]
    city_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Parcel {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    waybill_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    delivery_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    delivery_time: Option<UnixMs>,
}

#[derive(Debug, Deserialize)]
struct Extra {
    /// By the buyer, or by the time limit.
    #[serde(default, deserialize_with = "lenient::optional_seconds")]
    confirm_receipt_time: Option<UnixMs>,
    /// The Channels account (视频号) that it was sold through.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    finder_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    live_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Origin {
    /// 1 Channels account, 2 Official Account, 3 mini-program, 4 WeCom, 5 promoter, 6 service account, 1000 agency.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    account_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    account_id: Option<String>,
    #[serde(default)]
    account_nickname: Option<String>,
    /// 1: forwarded by a member of staff in WeCom, whose user id is `content_id`.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    content_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    content_id: Option<String>,
}

impl Order {
    fn pay_time(&self) -> Option<UnixMs> {
        self.order_detail.pay_info.as_ref().and_then(|payment| payment.pay_time)
    }

    fn is_on_credit(&self) -> bool {
        let method = self.order_detail.pay_info.as_ref().and_then(|payment| payment.payment_method);
        method == Some(2) && self.pay_time().is_none()
    }

    fn times(&self) -> [(OrderStatus, Option<UnixMs>); 5] {
        let shipped = self.order_detail.delivery_info.as_ref().and_then(|delivery| delivery.ship_done_time);
        let received = self.order_detail.ext_info.as_ref().and_then(|extra| extra.confirm_receipt_time);
        [
            (OrderStatus::Created, self.create_time),
            (OrderStatus::Paid, self.pay_time()),
            (OrderStatus::Shipped, shipped),
            (OrderStatus::Signed, received),
            (OrderStatus::Completed, received),
        ]
    }

    fn time_of(&self, status: OrderStatus) -> Option<UnixMs> {
        self.times().into_iter().find(|(known, _)| *known == status).and_then(|(_, time)| time)
    }

    fn detail(&self) -> Result<OrderDetail, MapError> {
        let detail = &self.order_detail;
        let amounts = detail.price_info.amounts()?;
        let mut taken = BTreeSet::new();
        let lines = detail.product_infos.iter().map(|product| product.line(&mut taken));
        let mut lines = lines.collect::<Result<Vec<_>, _>>()?;
        // Whether a line's own price knows of coupons of the platform is not documented: its share counts when all add up.
        let discount = amounts.discount_merchant.try_add(amounts.discount_platform)?;
        if Fen::try_sum(lines.iter().map(|line| line.discount))? != discount {
            lines.iter_mut().for_each(|line| line.discount = Fen::ZERO);
        }
        let address = detail.delivery_info.as_ref().and_then(|delivery| delivery.address_info.as_ref());
        let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let region = address.and_then(|address| {
            named(&address.province_name).map(|province| Region { province, city: named(&address.city_name) })
        });
        Ok(OrderDetail {
            lines,
            amounts,
            region,
            live_room: detail.live_room(),
            guide: detail.guide(),
            member_level: None,
        })
    }
}

impl Detail {
    fn live_room(&self) -> Option<LiveRoom> {
        let extra = self.ext_info.as_ref();
        let room_id = extra.and_then(|extra| extra.live_id.clone());
        let finder_id = extra.and_then(|extra| extra.finder_id.clone());
        let promoter =
            self.source_infos.iter().find(|origin| matches!(origin.account_type.as_deref(), Some("1" | "5")));
        let author_id = promoter.and_then(|origin| origin.account_id.clone()).or(finder_id);
        let author_name = promoter.and_then(|origin| origin.account_nickname.clone()).filter(|name| !name.is_empty());
        (room_id.is_some() || author_id.is_some()).then_some(LiveRoom { room_id, author_id, author_name })
    }

    fn guide(&self) -> Option<Guide> {
        let forwarded = |origin: &&Origin| {
            origin.account_type.as_deref() == Some("4") && origin.content_type.as_deref() == Some("1")
        };
        let code = self.source_infos.iter().find(forwarded)?.content_id.clone()?;
        Some(Guide { code, store_code: None })
    }
}

impl Product {
    fn line(&self, taken: &mut BTreeSet<String>) -> Result<Line, MapError> {
        let quantity = u32::try_from(self.sku_cnt).ok().filter(|&quantity| quantity > 0);
        let quantity = quantity.ok_or_else(|| MapError::Malformed(format!("sku_cnt is {}", self.sku_cnt)))?;
        let mut line = Line {
            line_id: line_id(taken, &self.sku_id, self.product_unique_id.as_deref()),
            sku: self.sku_code.as_ref().or(self.out_sku_id.as_ref()).unwrap_or(&self.sku_id).clone(),
            product_id: self.product_id.clone(),
            title: self.title.clone(),
            quantity,
            unit_price: Fen::new(self.sale_price),
            discount: Fen::ZERO,
        };
        if let Some(real) = self.real_price {
            line.discount = line.gross()?.try_sub(Fen::new(real))?;
        }
        Ok(line)
    }
}
