//! The full record of an order, its after-sale cases included: `vdian.order.get` 1.0. (2.0 exists; its record is not public.)

use std::collections::BTreeSet;

use domain::{
    Amounts, Fen, Identity, IdentityKind, Latest, Line, OrderDetail, OrderFacts, OrderKey, OrderStatus, Platform,
    RefundClaim, RefundFacts, RefundKind, RefundLine, Region, Shipment, UnixMs,
};
use serde::Deserialize;
use serde_json::Value;

use super::api::Call;
use super::status::{OrderState, case_state, order_state};
use crate::marketplace::{Answer, Ask, MapError, Window};
use crate::{Fact, lenient};

/// The API method that gives an order's full record.
pub const DETAIL: Call = ("vdian.order.get", "1.0");
/// The API method that lists orders.
pub const LIST: Call = ("vdian.order.list.get", "1.2");
/// The API method that agrees to a case or refuses it. A refusal is only taken after the goods were received.
pub const DECIDE: Call = ("vdian.order.refund.accept", "1.1");
/// The most rows of a page.
pub(super) const PAGE_SIZE: i64 = 50;

/// `order_type` of cash on delivery (2 direct, 3 guaranteed).
const CASH_ON_DELIVERY: &str = "1";

/// What the answer to [`DETAIL`] tells: of the order, and of each case on one of its lines. The record does not say when it
/// changed last: the newest of its times stands for that.
///
/// # Errors
/// [`MapError`] when the record lacks what every order has, or its numbers do not fit.
pub fn map_record(shop_id: &str, data: &Value) -> Result<Vec<Fact>, MapError> {
    let record = Record::deserialize(data)?;
    let times = [record.add_time, record.pay_time, record.send_time, record.finish_time, record.refund_time()];
    let at = times.into_iter().flatten().max().ok_or_else(|| MapError::missing("add_time"))?;
    let key = OrderKey {
        platform: Platform::Weidian,
        shop_id: shop_id.to_owned(),
        platform_order_id: record.order_id.clone(),
    };
    let detail = record.detail()?;
    let mut facts = vec![Fact::Order { key: key.clone(), facts: record.order_facts(at, &detail)? }];
    for (item, line) in record.items.iter().zip(&detail.lines) {
        if let Some(case) = &item.refund_info
            && let Some(after_sale_id) = case.refund_no.clone()
        {
            let facts_of_case = case.facts(record.refund_time().unwrap_or(at), record.case_kind(), line)?;
            facts.push(Fact::Refund { order: key.clone(), after_sale_id, facts: facts_of_case });
        }
    }
    Ok(facts)
}

/// A page of [`LIST`].
///
/// # Errors
/// [`MapError`] when it is no such page.
pub(super) fn page(window: &Window, data: &Value) -> Result<Answer, MapError> {
    let rows = List::deserialize(data)?.orders.unwrap_or_default();
    let page = window.page_number(1);
    let more = i64::try_from(rows.len()).is_ok_and(|rows| rows >= PAGE_SIZE);
    let asks = rows.into_iter().map(|row| Ask::Order { order_id: row.order_id });
    Ok(Answer::Changed { asks: asks.collect(), next: more.then(|| (page + 1).to_string()) })
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    orders: Option<Vec<Row>>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
}

#[derive(Deserialize)]
struct Record {
    #[serde(deserialize_with = "lenient::id")]
    order_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    status_ori: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    status: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    order_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    add_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    pay_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    send_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    finish_time: Option<UnixMs>,
    /// The goods after all discounts and changes of price.
    #[serde(deserialize_with = "lenient::yuan")]
    price: Fen,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    express_fee: Option<Fen>,
    /// The bill.
    #[serde(deserialize_with = "lenient::yuan")]
    total: Fen,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    express_no: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    express_type: Option<String>,
    #[serde(default)]
    buyer_info: Option<Buyer>,
    #[serde(default)]
    refund_info: Option<Refunded>,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    sub_order_id: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    item_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    sku_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    sku_merchant_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    merchant_code: Option<String>,
    #[serde(default)]
    item_name: Option<String>,
    /// One piece.
    #[serde(deserialize_with = "lenient::yuan")]
    price: Fen,
    #[serde(deserialize_with = "lenient::integer")]
    quantity: i64,
    #[serde(default)]
    refund_info: Option<Case>,
}

/// The case on a line; empty fields where there is none.
#[derive(Deserialize)]
struct Case {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    refund_no: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    refund_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    refund_fee: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    refund_express_fee: Option<Fen>,
}

#[derive(Deserialize)]
struct Refunded {
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    refund_time: Option<UnixMs>,
}

#[derive(Deserialize)]
struct Buyer {
    #[serde(default, deserialize_with = "lenient::optional_id")]
    buyer_id: Option<String>,
    #[serde(default)]
    province: Option<String>,
    #[serde(default)]
    city: Option<String>,
}

impl Record {
    fn refund_time(&self) -> Option<UnixMs> {
        self.refund_info.as_ref().and_then(|refunded| refunded.refund_time)
    }

    fn state(&self) -> Option<OrderState> {
        order_state(self.status_ori.as_ref().or(self.status.as_ref())?)
    }

    /// What `refund_kind` of a case means is not public. That nothing was shipped yet settles it; else it stays open.
    fn case_kind(&self) -> RefundKind {
        let shipped = self.send_time.is_some() || self.express_no.is_some();
        if self.state() == Some(OrderState::Preparing) && !shipped { RefundKind::Unshipped } else { RefundKind::Other }
    }

    fn time_of(&self, status: OrderStatus) -> Option<UnixMs> {
        match status {
            OrderStatus::Created => self.add_time,
            OrderStatus::Paid => self.pay_time,
            OrderStatus::PartlyShipped | OrderStatus::Shipped => self.send_time,
            OrderStatus::Completed => self.finish_time,
            OrderStatus::Signed | OrderStatus::Closed => None,
        }
    }

    fn order_facts(&self, at: UnixMs, detail: &OrderDetail) -> Result<OrderFacts, MapError> {
        let word = self.status_ori.as_ref().or(self.status.as_ref()).ok_or_else(|| MapError::missing("status_ori"))?;
        let cash_on_delivery = self.order_type.as_deref() == Some(CASH_ON_DELIVERY);
        let state = self.state();
        let mut facts = OrderFacts::default();
        if let Some(created) = self.add_time {
            facts.reach(OrderStatus::Created, created);
        }
        // Paid in part is not paid.
        let owing = state == Some(OrderState::Reached(OrderStatus::Created));
        if let Some(paid) = self.pay_time.filter(|_| !cash_on_delivery && !owing) {
            facts.reach(OrderStatus::Paid, paid);
        }
        match state {
            Some(OrderState::Reached(status)) => facts.reach(status, self.time_of(status).unwrap_or(at)),
            Some(OrderState::Preparing) if !cash_on_delivery => {
                facts.reach(OrderStatus::Paid, self.pay_time.unwrap_or(at));
            }
            Some(OrderState::Preparing) => {}
            None => {
                facts.unknown_statuses.insert(word.clone());
            }
        }
        facts.raw_status = Some(Latest::new(at, word.clone()));
        if facts.milestones().contains_key(&OrderStatus::Paid) {
            facts.paid = Some(Latest::new(at, self.total));
        }
        let buyer = self.buyer_info.as_ref().and_then(|buyer| buyer.buyer_id.clone());
        facts.identities.extend(buyer.map(|value| Identity { kind: IdentityKind::WeidianBuyerId, scope: None, value }));
        if let Some(tracking_number) = self.express_no.clone() {
            let (carrier, shipped_at) = (self.express_type.clone(), self.send_time);
            facts.ship(Shipment { tracking_number, carrier, shipped_at });
        }
        facts.detail = Some(Latest::new(at, detail.clone()));
        Ok(facts)
    }

    /// Discounts are the merchant's, manual changes of the price included: whether the platform bears any is not told. Those in
    /// `discount_list` also count freight that was waived, so the difference of the goods' two prices is what counts.
    fn detail(&self) -> Result<OrderDetail, MapError> {
        let mut taken = BTreeSet::new();
        let lines = self.items.iter().map(|item| item.line(&mut taken)).collect::<Result<Vec<_>, _>>()?;
        let goods = Fen::try_sum(lines.iter().map(Line::gross).collect::<Result<Vec<_>, _>>()?)?;
        let amounts = Amounts {
            goods,
            discount_merchant: goods.try_sub(self.price)?,
            discount_platform: Fen::ZERO,
            freight: self.express_fee.unwrap_or_default(),
            tax: Fen::ZERO,
            payable: self.total,
        };
        let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let region = self
            .buyer_info
            .as_ref()
            .and_then(|buyer| named(&buyer.province).map(|province| Region { province, city: named(&buyer.city) }));
        Ok(OrderDetail { amounts, region, live_room: None, guide: None, member_level: None, lines })
    }
}

impl Item {
    /// Older records number no lines: product and SKU stand for a line then, and its place among those that are alike.
    fn line(&self, taken: &mut BTreeSet<String>) -> Result<Line, MapError> {
        let sku_id = self.sku_id.as_deref().unwrap_or("0");
        let name = self.sub_order_id.clone().unwrap_or_else(|| format!("{}:{sku_id}", self.item_id));
        let numbered = (2..).map(|place: u32| format!("{name}:{place}"));
        let line_id = std::iter::once(name.clone()).chain(numbered).find(|id| !taken.contains(id)).unwrap_or_default();
        taken.insert(line_id.clone());
        let codes = [&self.sku_merchant_code, &self.merchant_code, &self.sku_id];
        let quantity = u32::try_from(self.quantity).ok().filter(|&quantity| quantity > 0);
        Ok(Line {
            line_id,
            sku: codes.into_iter().flatten().next().unwrap_or(&self.item_id).clone(),
            product_id: Some(self.item_id.clone()),
            title: self.item_name.clone().unwrap_or_default(),
            quantity: quantity.ok_or_else(|| MapError::Malformed("quantity is not above zero".to_owned()))?,
            unit_price: self.price,
            discount: Fen::ZERO,
        })
    }
}

impl Case {
    fn facts(&self, at: UnixMs, kind: RefundKind, line: &Line) -> Result<RefundFacts, MapError> {
        let mut facts = RefundFacts::default();
        if let Some(code) = &self.refund_status {
            match case_state(code) {
                Some(status) => facts.reach(status, at),
                None => {
                    facts.unknown_statuses.insert(code.clone());
                }
            }
            facts.raw_status = Some(Latest::new(at, code.clone()));
        }
        if let Some(amount) = self.refund_fee {
            let freight = self.refund_express_fee.unwrap_or_default();
            let goods = amount.try_sub(freight)?;
            if goods.is_negative() || freight.is_negative() {
                return Err(MapError::Malformed("refund_express_fee is no part of refund_fee".to_owned()));
            }
            let lines = vec![RefundLine { line_id: line.line_id.clone(), quantity: None, amount: goods }];
            facts.claim = Some(Latest::new(at, RefundClaim { kind, amount, freight, lines, reason_code: None }));
        }
        Ok(facts)
    }
}
