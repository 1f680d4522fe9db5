//! The full record of an order: `youzan.trade.get` 4.0.2. Pushes carry the same record in their `msg`.

use domain::{
    Amounts, Fen, Identity, IdentityKind, Latest, Line, OrderDetail, OrderFacts, OrderStatus, Region, Shipment, UnixMs,
    allocate,
};
use serde::Deserialize;
use serde_json::Value;

use super::api::Call;
use super::key;
use super::status::{OrderState, order_state};
use crate::marketplace::{Answer, Ask, MapError, Window};
use crate::{Fact, lenient};

/// The API method that gives an order's full record.
pub const DETAIL: Call = ("youzan.trade.get", "4.0.2");
/// The API method that lists orders; sorted by time of update, as that is what is asked by.
pub const LIST: Call = ("youzan.trades.sold.get", "4.0.4");
/// The most rows of a page, and the most pages.
pub(super) const PAGE_SIZE: i64 = 100;
pub(super) const PAGES: i64 = 100;

/// `pay_type` of cash on delivery.
const CASH_ON_DELIVERY: i64 = 9;
/// `express_state` of what has been sent.
const SENT: i64 = 1;

/// What a record tells: the answer's `data`, or a push's content.
///
/// # Errors
/// [`MapError`] when the record lacks what every order has, or its numbers do not fit.
pub fn map_record(shop_id: &str, data: &Value) -> Result<Fact, MapError> {
    let record = Record::deserialize(data)?;
    let order = &record.full_order_info.order_info;
    let at = order.update_time.or(order.created).ok_or_else(|| MapError::missing("update_time"))?;
    let cash_on_delivery = order.pay_type == Some(CASH_ON_DELIVERY);
    let state = order_state(&order.status);

    let mut facts = OrderFacts::default();
    // While the buyer still has to pay, a time of payment is that of the deposit.
    let owing = state == Some(OrderState::Reached(OrderStatus::Created));
    let steps = [
        (OrderStatus::Created, order.created),
        (OrderStatus::Paid, order.pay_time.filter(|_| !cash_on_delivery && !owing)),
        (OrderStatus::Shipped, order.consign_time),
        (OrderStatus::Completed, order.success_time),
    ];
    for (status, time) in steps {
        if let Some(time) = time {
            facts.reach(status, time);
        }
    }
    match state {
        Some(OrderState::Reached(status)) => facts.reach(status, order.time_of(status).unwrap_or(at)),
        Some(OrderState::Preparing) => {
            if !cash_on_delivery {
                facts.reach(OrderStatus::Paid, order.pay_time.unwrap_or(at));
            }
            if record.deliveries().any(|delivery| delivery.express_state == Some(SENT)) {
                facts.reach(OrderStatus::PartlyShipped, at);
            }
        }
        None => {
            facts.unknown_statuses.insert(order.status.clone());
        }
    }
    facts.raw_status = Some(Latest::new(at, order.status.clone()));
    let detail = record.detail()?;
    if facts.milestones().contains_key(&OrderStatus::Paid) {
        facts.paid = Some(Latest::new(at, detail.amounts.payable));
    }
    facts.detail = Some(Latest::new(at, detail));
    let buyer = record.full_order_info.buyer_info.as_ref().and_then(|buyer| buyer.yz_open_id.clone());
    facts.identities.extend(buyer.map(|value| Identity { kind: IdentityKind::YouzanOpenId, scope: None, value }));
    for parcel in record.deliveries().flat_map(|delivery| delivery.dists.iter().flatten()) {
        if let Some(express) = &parcel.express_info
            && let Some(tracking_number) = express.express_no.clone()
        {
            let carrier = express.express_id.clone();
            facts.ship(Shipment { tracking_number, carrier, shipped_at: parcel.create_time });
        }
    }
    Ok(Fact::Order { key: key(shop_id, order.tid.clone()), facts })
}

/// A page of [`LIST`].
///
/// # Errors
/// [`MapError`] when it is no such page.
pub(super) fn page(window: &Window, data: &Value) -> Result<Answer, MapError> {
    let list = List::deserialize(data)?;
    let page = window.page_number(1);
    // The total moves while pages are read; a full page says that there may be another.
    let more = i64::try_from(list.full_order_info_list.len()).is_ok_and(|rows| rows >= PAGE_SIZE);
    let ids = list.full_order_info_list.into_iter().map(|row| row.full_order_info.order_info.tid);
    Ok(Answer::Changed {
        asks: ids.map(|order_id| Ask::Order { order_id }).collect(),
        next: more.then(|| (page + 1).to_string()),
    })
}

#[derive(Deserialize)]
struct List {
    full_order_info_list: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    full_order_info: RowOrder,
}

#[derive(Deserialize)]
struct RowOrder {
    order_info: RowInfo,
}

#[derive(Deserialize)]
struct RowInfo {
    #[serde(deserialize_with = "lenient::id")]
    tid: String,
}

#[derive(Deserialize)]
struct Record {
    full_order_info: FullOrder,
    #[serde(default)]
    order_promotion: Option<Promotion>,
    #[serde(default)]
    delivery_order: Option<Vec<Delivery>>,
}

#[derive(Deserialize)]
struct FullOrder {
    order_info: OrderInfo,
    pay_info: PayInfo,
    orders: Vec<Item>,
    #[serde(default)]
    buyer_info: Option<Buyer>,
    #[serde(default)]
    address_info: Option<Address>,
}

#[derive(Deserialize)]
struct OrderInfo {
    #[serde(deserialize_with = "lenient::id")]
    tid: String,
    status: String,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    pay_type: Option<i64>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    created: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    update_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    pay_time: Option<UnixMs>,
    /// Set once everything is sent.
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    consign_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    success_time: Option<UnixMs>,
    #[serde(default)]
    order_extra: Option<OrderExtra>,
}

#[derive(Deserialize)]
struct OrderExtra {
    /// `true`, as text in the documents.
    #[serde(default)]
    is_member: Value,
}

impl OrderInfo {
    fn time_of(&self, status: OrderStatus) -> Option<UnixMs> {
        match status {
            OrderStatus::Created => self.created,
            OrderStatus::Paid => self.pay_time,
            OrderStatus::Shipped => self.consign_time,
            OrderStatus::Completed => self.success_time,
            OrderStatus::PartlyShipped | OrderStatus::Signed | OrderStatus::Closed => None,
        }
    }
}

#[derive(Deserialize)]
struct PayInfo {
    /// The goods before any discount.
    #[serde(deserialize_with = "lenient::yuan")]
    total_fee: Fen,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    post_fee: Option<Fen>,
    /// The bill: goods less discounts plus freight, cards and balance not taken off.
    #[serde(deserialize_with = "lenient::yuan")]
    payment: Fen,
}

/// All discounts are the merchant's: the platform runs no sales of its own in a shop.
#[derive(Deserialize)]
struct Promotion {
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    order_discount_fee: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    item_discount_fee: Option<Fen>,
    /// A change of the price by the shop, negative when it became cheaper.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    adjust_fee: Option<Fen>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(deserialize_with = "lenient::id")]
    oid: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    outer_sku_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    outer_item_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    sku_id: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    item_id: String,
    #[serde(default)]
    title: String,
    #[serde(deserialize_with = "lenient::integer")]
    num: i64,
    /// One piece before any discount.
    #[serde(deserialize_with = "lenient::yuan")]
    price: Fen,
    /// The line's share of the whole bill, freight included.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    payment: Option<Fen>,
}

#[derive(Deserialize)]
struct Buyer {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    yz_open_id: Option<String>,
}

/// Only what is coarse and in clear.
#[derive(Deserialize)]
struct Address {
    #[serde(default)]
    delivery_province: Option<String>,
    #[serde(default)]
    delivery_city: Option<String>,
}

#[derive(Deserialize)]
struct Delivery {
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    express_state: Option<i64>,
    #[serde(default)]
    dists: Option<Vec<Parcel>>,
}

#[derive(Deserialize)]
struct Parcel {
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    create_time: Option<UnixMs>,
    #[serde(default)]
    express_info: Option<Express>,
}

/// The carrier as Youzan numbers it; 0 and no number for goods without a parcel.
#[derive(Deserialize)]
struct Express {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    express_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    express_no: Option<String>,
}

impl Record {
    fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.delivery_order.iter().flatten()
    }

    fn detail(&self) -> Result<OrderDetail, MapError> {
        let (pay, items) = (&self.full_order_info.pay_info, &self.full_order_info.orders);
        let freight = pay.post_fee.unwrap_or_default();
        let discount = match &self.order_promotion {
            Some(promotion) => promotion.discount()?,
            // Not told: what is missing from the bill.
            None => pay.total_fee.try_add(freight)?.try_sub(pay.payment)?,
        };
        let mut lines = items.iter().map(Item::line).collect::<Result<Vec<_>, _>>()?;
        for (line, discount) in lines.iter_mut().zip(self.line_discounts(freight)?) {
            line.discount = discount;
        }
        let amounts = Amounts {
            goods: pay.total_fee,
            discount_merchant: discount,
            discount_platform: Fen::ZERO,
            freight,
            tax: Fen::ZERO,
            payable: pay.payment,
        };
        // The record tells whether the buyer is a member, and not of which level.
        let extra = self.full_order_info.order_info.order_extra.as_ref();
        let is_member = extra.is_some_and(|extra| extra.is_member == "true" || extra.is_member == true);
        let member_level = is_member.then(|| "member".to_owned());
        let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty() && !is_ciphertext(name));
        let region = self.full_order_info.address_info.as_ref().and_then(|address| {
            named(&address.delivery_province).map(|province| Region { province, city: named(&address.delivery_city) })
        });
        Ok(OrderDetail { amounts, region, live_room: None, guide: None, member_level, lines })
    }

    /// The lines' discounts: their price less their share of the bill, with freight taken out of it in proportion. None where
    /// the shares are not told or are not the whole bill.
    fn line_discounts(&self, freight: Fen) -> Result<Vec<Fen>, MapError> {
        let FullOrder { pay_info, orders, .. } = &self.full_order_info;
        let shares: Option<Vec<Fen>> = orders.iter().map(|item| item.payment).collect();
        let Some(shares) = shares.filter(|shares| Fen::try_sum(shares.iter().copied()) == Ok(pay_info.payment)) else {
            return Ok(Vec::new());
        };
        let weights: Vec<u64> = shares.iter().map(|share| u64::try_from(share.get()).unwrap_or(0)).collect();
        let Ok(freights) = allocate(freight, &weights) else { return Ok(Vec::new()) };
        let goods = shares.iter().zip(freights).map(|(share, freight)| share.try_sub(freight));
        let discounts = orders.iter().zip(goods).map(|(item, goods)| item.price.try_mul(item.num)?.try_sub(goods?));
        Ok(discounts.collect::<Result<_, _>>()?)
    }
}

impl Promotion {
    fn discount(&self) -> Result<Fen, MapError> {
        let discounts = [self.order_discount_fee, self.item_discount_fee].into_iter().flatten();
        Ok(Fen::try_sum(discounts)?.try_sub(self.adjust_fee.unwrap_or_default())?)
    }
}

impl Item {
    fn line(&self) -> Result<Line, MapError> {
        let quantity = u32::try_from(self.num).ok().filter(|&quantity| quantity > 0);
        let codes = [&self.outer_sku_id, &self.outer_item_id, &self.sku_id];
        // Some fields hold the word for nothing.
        let sku = codes.into_iter().flatten().find(|code| *code != "null").unwrap_or(&self.item_id);
        Ok(Line {
            line_id: self.oid.clone(),
            sku: sku.clone(),
            product_id: Some(self.item_id.clone()),
            title: self.title.clone(),
            quantity: quantity.ok_or_else(|| MapError::Malformed("num is not above zero".to_owned()))?,
            unit_price: self.price,
            discount: Fen::ZERO,
        })
    }
}

/// `$…$1$`: encrypted for the shop.
fn is_ciphertext(text: &str) -> bool {
    text.starts_with('$')
}
