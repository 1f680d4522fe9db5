//! The full record of an order, which Taobao calls a trade: `taobao.trade.fullinfo.get`.

use domain::{
    Amounts, Fen, Guide, Identity, IdentityKind, Latest, Line, OrderDetail, OrderFacts, OrderKey, OrderStatus,
    Platform, Region, Shipment, UnixMs,
};
use serde::Deserialize;
use serde_json::Value;

use super::api::Call;
use super::status::{TradeState, trade_state};
use crate::marketplace::MapError;
use crate::{Fact, lenient};

/// The buyer's nickname is asked for because `buyer_open_uid` comes only with it.
const FIELDS: &str = "tid,type,status,step_trade_status,step_paid_fee,created,pay_time,consign_time,end_time,modified,\
payment,post_fee,order_tax_fee,platform_subsidy_fee,buyer_nick,buyer_open_uid,receiver_state,receiver_city,o2o_guide_id,\
o2o_shop_id,nr_shop_guide_id,nr_shop_id,orders";

/// What asks for a trade.
pub fn call(order_id: &str) -> Call {
    Call::new("taobao.trade.fullinfo.get", [("tid", order_id), ("fields", FIELDS)])
}

/// What the answer to [`call`] tells. `app_key` is the scope of the buyer's open uid, `shop_id` the shop whose session asked.
///
/// # Errors
/// [`MapError`] when the record lacks what every trade has, or its numbers do not fit.
pub fn map(app_key: &str, shop_id: &str, answer: &Value) -> Result<Fact, MapError> {
    let trade = Record::deserialize(answer)?.trade;
    let at = trade.modified.or(trade.created).ok_or_else(|| MapError::missing("modified and created"))?;

    let mut facts = OrderFacts::default();
    let pays_at_the_door = trade.kind.as_deref() == Some("cod");
    // Of a trade paid in two steps, pay_time may be the deposit's.
    let deposit_only = trade.step_trade_status.as_deref() == Some("FRONT_PAID_FINAL_NOPAID");
    let paid_at = trade.pay_time.filter(|_| !pays_at_the_door && !deposit_only);
    for (status, time) in [(OrderStatus::Created, trade.created), (OrderStatus::Paid, paid_at)] {
        if let Some(time) = time {
            facts.reach(status, time);
        }
    }
    match trade_state(&trade.status) {
        Some(TradeState::Reached(status)) => {
            facts.reach(status, trade.time_of(status).unwrap_or(at));
            let shipped_at =
                trade.consign_time.filter(|_| (OrderStatus::Shipped..OrderStatus::Closed).contains(&status));
            if let Some(time) = shipped_at {
                facts.reach(OrderStatus::Shipped, time);
            }
        }
        Some(TradeState::Preparing) if !pays_at_the_door => {
            facts.reach(OrderStatus::Paid, trade.pay_time.unwrap_or(at))
        }
        Some(TradeState::Preparing) => {}
        None => {
            facts.unknown_statuses.insert(trade.status.clone());
        }
    }
    let paid = if facts.milestones().contains_key(&OrderStatus::Paid) {
        Some(trade.payment)
    } else {
        trade.step_paid_fee.filter(|_| deposit_only)
    };
    facts.paid = paid.map(|fen| Latest::new(at, fen));
    facts.identities.extend(trade.buyer_open_uid.clone().filter(|id| !id.is_empty()).map(|value| Identity {
        kind: IdentityKind::TaobaoOpenUid,
        scope: Some(app_key.to_owned()),
        value,
    }));
    for order in &trade.orders.order {
        if let Some(tracking_number) = order.invoice_no.clone() {
            let carrier = order.logistics_company.clone().filter(|name| !name.is_empty());
            facts.ship(Shipment { tracking_number, carrier, shipped_at: order.consign_time.or(trade.consign_time) });
        }
    }
    facts.detail = Some(Latest::new(at, trade.detail()?));
    facts.raw_status = Some(Latest::new(at, trade.status));
    Ok(Fact::Order { key: key(shop_id, trade.tid), facts })
}

pub(super) fn key(shop_id: &str, platform_order_id: String) -> OrderKey {
    OrderKey { platform: Platform::Taobao, shop_id: shop_id.to_owned(), platform_order_id }
}

#[derive(Debug, Deserialize)]
struct Record {
    trade: Trade,
}

#[derive(Debug, Deserialize)]
struct Trade {
    #[serde(deserialize_with = "lenient::id")]
    tid: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    status: String,
    /// Where a trade stands that is paid in two steps, deposit and balance.
    #[serde(default)]
    step_trade_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    step_paid_fee: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    created: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    pay_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    consign_time: Option<UnixMs>,
    /// When it was completed or closed.
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    end_time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    modified: Option<UnixMs>,
    /// What the buyer pays, freight included. Red packets are means of payment, and not taken off.
    #[serde(deserialize_with = "lenient::yuan")]
    payment: Fen,
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    post_fee: Option<Fen>,
    /// Duty of trades from abroad (Tmall Global). Not confirmed: that it stands on top of the prices.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    order_tax_fee: Option<Fen>,
    /// What the platform bears of the discounts. Not confirmed: that it is a part of them; beyond them it is not counted.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    platform_subsidy_fee: Option<Fen>,
    #[serde(default)]
    buyer_open_uid: Option<String>,
    #[serde(default)]
    receiver_state: Option<String>,
    #[serde(default)]
    receiver_city: Option<String>,
    /// The guide of an order from a store's guide (导购宝), and the newer name for the same.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    o2o_guide_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    nr_shop_guide_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    o2o_shop_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    nr_shop_id: Option<String>,
    orders: Orders,
}

#[derive(Debug, Deserialize)]
struct Orders {
    order: Vec<Order>,
}

/// One line of a trade.
#[derive(Debug, Deserialize)]
struct Order {
    #[serde(deserialize_with = "lenient::id")]
    oid: String,
    /// The merchant's code of the SKU; of the product, where the product has no SKUs.
    #[serde(default, deserialize_with = "lenient::optional_id")]
    outer_sku_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    outer_iid: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    sku_id: Option<String>,
    #[serde(deserialize_with = "lenient::id")]
    num_iid: String,
    #[serde(default)]
    title: String,
    #[serde(deserialize_with = "lenient::integer")]
    num: i64,
    /// The price of one piece.
    #[serde(deserialize_with = "lenient::yuan")]
    price: Fen,
    /// The line's own discounts.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    discount_fee: Option<Fen>,
    /// A change of the price by the seller, negative when it became cheaper.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    adjust_fee: Option<Fen>,
    /// The line's share of the discounts on the whole trade.
    #[serde(default, deserialize_with = "lenient::optional_yuan")]
    part_mjz_discount: Option<Fen>,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    invoice_no: Option<String>,
    #[serde(default)]
    logistics_company: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    consign_time: Option<UnixMs>,
}

impl Trade {
    fn time_of(&self, status: OrderStatus) -> Option<UnixMs> {
        match status {
            OrderStatus::Created => self.created,
            OrderStatus::Paid => self.pay_time,
            OrderStatus::PartlyShipped => self.orders.order.iter().filter_map(|order| order.consign_time).min(),
            OrderStatus::Shipped => self.consign_time,
            OrderStatus::Signed => None,
            OrderStatus::Completed | OrderStatus::Closed => self.end_time,
        }
    }

    fn detail(&self) -> Result<OrderDetail, MapError> {
        let lines = self.orders.order.iter().map(Order::line).collect::<Result<Vec<_>, _>>()?;
        let goods = lines.iter().map(Line::gross).collect::<Result<Vec<_>, _>>()?;
        let discount = Fen::try_sum(lines.iter().map(|line| line.discount))?;
        let discount_platform = self.platform_subsidy_fee.unwrap_or_default().min(discount).max(Fen::ZERO);
        let amounts = Amounts {
            goods: Fen::try_sum(goods)?,
            discount_merchant: discount.try_sub(discount_platform)?,
            discount_platform,
            freight: self.post_fee.unwrap_or_default(),
            tax: self.order_tax_fee.unwrap_or_default(),
            payable: self.payment,
        };
        let clear = |name: &Option<String>| name.clone().filter(|name| !name.is_empty() && !name.contains('*'));
        let region = clear(&self.receiver_state).map(|province| Region { province, city: clear(&self.receiver_city) });
        let guide = self.o2o_guide_id.as_ref().or(self.nr_shop_guide_id.as_ref()).map(|code| Guide {
            code: code.clone(),
            store_code: self.o2o_shop_id.as_ref().or(self.nr_shop_id.as_ref()).cloned(),
        });
        Ok(OrderDetail { amounts, region, live_room: None, guide, member_level: None, lines })
    }
}

impl Order {
    fn line(&self) -> Result<Line, MapError> {
        let quantity = u32::try_from(self.num).ok().filter(|&quantity| quantity > 0);
        let own_code = self.outer_sku_id.as_ref().or(self.outer_iid.as_ref().filter(|_| self.sku_id.is_none()));
        let sku = own_code.or(self.sku_id.as_ref()).unwrap_or(&self.num_iid);
        let discount = self
            .discount_fee
            .unwrap_or_default()
            .try_add(self.part_mjz_discount.unwrap_or_default())?
            .try_sub(self.adjust_fee.unwrap_or_default())?;
        Ok(Line {
            line_id: self.oid.clone(),
            sku: sku.clone(),
            product_id: Some(self.num_iid.clone()),
            title: self.title.clone(),
            quantity: quantity.ok_or_else(|| MapError::Malformed(format!("num is {}", self.num)))?,
            unit_price: self.price,
            discount,
        })
    }
}
