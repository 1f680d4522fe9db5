//! The shop as the platform sees it: orders and after-sale cases, how they may change, and what is told of each change.
//!
//! It is also the platform's own book-keeping: [`Shop::books`] is what the system under test must arrive at.

mod records;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::push::Message;
use crate::merchant::Books;

/// What a buyer has typed into the box for wishes, where no platform hides anything.
pub const WISH: &str = "请放门口：测试顾客甲，测试路17号3单元，13900000123";

/// A shop's state. Times are Unix seconds, as the platform's own.
#[derive(Debug)]
pub struct Shop {
    id: u64,
    next_id: u64,
    orders: BTreeMap<u64, Order>,
    cases: BTreeMap<u64, Case>,
    untold: Vec<Message>,
}

/// What a buyer puts in the basket.
#[derive(Clone, Debug)]
pub struct Basket {
    /// The buyer's id for this app.
    pub open_id: String,
    /// The goods.
    pub goods: Vec<Goods>,
    /// Discount at the merchant's cost, fen, on the order as a whole.
    pub discount_shop: i64,
    /// Discount at the platform's cost, fen.
    pub discount_platform: i64,
    /// Freight, fen.
    pub freight: i64,
    /// The live room it was sold in.
    pub room: Option<Room>,
    /// Where it goes: province and city.
    pub region: (&'static str, &'static str),
}

/// Some pieces of one SKU.
#[derive(Clone, Debug)]
pub struct Goods {
    /// The merchant's SKU code.
    pub code: String,
    /// The title shown to buyers.
    pub title: String,
    /// Pieces.
    pub quantity: u32,
    /// Price of one, fen.
    pub unit_price: i64,
}

/// A live room and who sells in it.
#[derive(Clone, Debug)]
pub struct Room {
    /// The room's id.
    pub id: u64,
    /// The host's id.
    pub author_id: u64,
    /// The host's public name.
    pub author_name: &'static str,
}

/// The platform's status of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Unpaid,
    Paid,
    Shipped,
    Cancelled,
    Finished,
}

impl Status {
    /// The number in `order_status`.
    const fn code(self) -> u32 {
        match self {
            Self::Unpaid => 1,
            Self::Paid => 2,
            Self::Shipped => 3,
            Self::Cancelled => 4,
            Self::Finished => 5,
        }
    }

    /// The word that the system under test uses for it.
    const fn canonical(self) -> &'static str {
        match self {
            Self::Unpaid => "created",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Cancelled => "closed",
            Self::Finished => "completed",
        }
    }
}

#[derive(Debug)]
struct Order {
    basket: Basket,
    /// Ids of the SKU orders (s_id), one for each of the basket's goods.
    line_ids: Vec<u64>,
    status: Status,
    created: i64,
    paid: Option<i64>,
    shipped: Option<i64>,
    finished: Option<i64>,
    updated: i64,
}

impl Order {
    fn goods_amount(&self) -> i64 {
        self.basket.goods.iter().map(|goods| goods.unit_price * i64::from(goods.quantity)).sum()
    }

    fn payable(&self) -> i64 {
        self.goods_amount() - self.basket.discount_shop - self.basket.discount_platform + self.basket.freight
    }
}

/// The platform's status of an after-sale case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CaseStatus {
    Applied,
    Refunded,
    Failed,
}

impl CaseStatus {
    /// The number in `aftersale_status`: 6 waits for the merchant, 12 refunded, 28 came to nothing.
    const fn code(self) -> u32 {
        match self {
            Self::Applied => 6,
            Self::Refunded => 12,
            Self::Failed => 28,
        }
    }
}

#[derive(Debug)]
struct Case {
    order: u64,
    line: u64,
    amount: i64,
    status: CaseStatus,
    applied: i64,
    updated: i64,
}

/// Why the platform would not do something. The simulator's user asked for the impossible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible(String);

impl std::fmt::Display for Impossible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Impossible {}

impl Shop {
    /// An empty shop. Ids start above 2^53, as the platform's own do.
    pub fn new(id: u64) -> Self {
        Self {
            id,
            next_id: 6_917_529_027_641_081_857,
            orders: BTreeMap::new(),
            cases: BTreeMap::new(),
            untold: Vec::new(),
        }
    }

    /// The messages about all changes since the last call, in the order in which they happened.
    pub fn untold(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.untold)
    }

    /// A buyer orders; returns the order's id.
    pub fn place(&mut self, basket: Basket, at: i64) -> u64 {
        let id = self.id();
        let line_ids = basket.goods.iter().map(|_| self.id()).collect();
        let order = Order {
            basket,
            line_ids,
            status: Status::Unpaid,
            created: at,
            paid: None,
            shipped: None,
            finished: None,
            updated: at,
        };
        self.orders.insert(id, order);
        self.tell(100, id, at, &[]);
        id
    }

    /// The buyer pays in full.
    ///
    /// # Errors
    /// [`Impossible`] unless the order waits for payment.
    pub fn pay(&mut self, id: u64, at: i64) -> Result<(), Impossible> {
        let order = self.advance(id, &[Status::Unpaid], Status::Paid, at)?;
        order.paid = Some(at);
        let amount = order.payable();
        self.tell(101, id, at, &[("pay_time", json!(at)), ("pay_type", json!(2)), ("pay_amount", json!(amount))]);
        Ok(())
    }

    /// The merchant ships everything.
    ///
    /// # Errors
    /// [`Impossible`] unless the order is paid.
    pub fn ship(&mut self, id: u64, at: i64) -> Result<(), Impossible> {
        self.advance(id, &[Status::Paid], Status::Shipped, at)?.shipped = Some(at);
        let logistics = json!({"express_company_id": "shunfeng", "logistics_code": tracking_number(id)});
        let receiver = json!({"addr": {"detail": "##ciphertext=="}, "name": "##ciphertext==", "tel": "##ciphertext=="});
        self.tell(102, id, at, &[("logistics_msg", logistics), ("receiver_msg", receiver), ("update_time", json!(at))]);
        Ok(())
    }

    /// The buyer confirms receipt, or the time for it is over.
    ///
    /// # Errors
    /// [`Impossible`] unless the order is shipped.
    pub fn finish(&mut self, id: u64, at: i64) -> Result<(), Impossible> {
        self.advance(id, &[Status::Shipped], Status::Finished, at)?.finished = Some(at);
        self.tell(103, id, at, &[("complete_time", json!(at))]);
        Ok(())
    }

    /// The buyer cancels.
    ///
    /// # Errors
    /// [`Impossible`] once the order is paid.
    pub fn cancel(&mut self, id: u64, at: i64) -> Result<(), Impossible> {
        self.advance(id, &[Status::Unpaid], Status::Cancelled, at)?;
        self.tell(106, id, at, &[("cancel_reason", json!("我不想要了")), ("cancel_time", json!(at))]);
        Ok(())
    }

    /// The buyer of a paid order asks for `amount` fen of its first line back; returns the case's id.
    ///
    /// # Errors
    /// [`Impossible`] if the order is unknown, unpaid, or was paid with less than `amount`.
    pub fn ask_refund(&mut self, id: u64, amount: i64, at: i64) -> Result<u64, Impossible> {
        let order = self.orders.get(&id).ok_or_else(|| Impossible(format!("no order {id}")))?;
        if order.paid.is_none() || amount > order.payable() {
            return Err(Impossible(format!("{amount} fen of order {id} cannot be refunded")));
        }
        let line = *order.line_ids.first().ok_or_else(|| Impossible(format!("order {id} has no lines")))?;
        let case = self.id();
        let (status, order) = (CaseStatus::Applied, id);
        self.cases.insert(case, Case { order, line, amount, status, applied: at, updated: at });
        self.tell_case(200, case, &[]);
        Ok(case)
    }

    /// The money of a case goes back.
    ///
    /// # Errors
    /// [`Impossible`] unless the case is open.
    pub fn refund(&mut self, case: u64, at: i64) -> Result<(), Impossible> {
        self.settle(case, CaseStatus::Refunded, at)?;
        self.tell_case(206, case, &[("success_time", json!(at))]);
        Ok(())
    }

    /// A case ends without money.
    ///
    /// # Errors
    /// [`Impossible`] unless the case is open.
    pub fn close_case(&mut self, case: u64, at: i64) -> Result<(), Impossible> {
        self.settle(case, CaseStatus::Failed, at)?;
        self.tell_case(207, case, &[]);
        Ok(())
    }

    /// The platform's own books.
    pub fn books(&self) -> Books {
        let mut books = Books::default();
        for order in self.orders.values() {
            let paid = if order.paid.is_some() { order.payable() } else { 0 };
            books.order(order.status.canonical(), paid);
        }
        for case in self.cases.values().filter(|case| case.status == CaseStatus::Refunded) {
            books.refunded += case.amount;
        }
        books
    }

    /// Ids of all orders.
    pub fn order_ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.orders.keys().copied()
    }

    fn id(&mut self) -> u64 {
        self.next_id += 4_294_967_291; // A prime, so that neighbours do not look alike.
        self.next_id
    }

    fn advance(&mut self, id: u64, from: &[Status], to: Status, at: i64) -> Result<&mut Order, Impossible> {
        let order = self.orders.get_mut(&id).ok_or_else(|| Impossible(format!("no order {id}")))?;
        if !from.contains(&order.status) {
            return Err(Impossible(format!("order {id} is {:?} and cannot become {to:?}", order.status)));
        }
        order.status = to;
        order.updated = at;
        Ok(order)
    }

    fn settle(&mut self, id: u64, to: CaseStatus, at: i64) -> Result<(), Impossible> {
        let case = self.cases.get_mut(&id).filter(|case| case.status == CaseStatus::Applied);
        let case = case.ok_or_else(|| Impossible(format!("no open case {id}")))?;
        case.status = to;
        case.updated = at;
        Ok(())
    }

    /// 0 goods and money come back, 1 money only after shipping, 2 money only before.
    fn case_type(&self, case: &Case) -> u32 {
        let shipped = self.orders.get(&case.order).and_then(|order| order.shipped);
        if shipped.is_some_and(|at| at <= case.applied) { 1 } else { 2 }
    }

    fn tell(&mut self, tag: u32, id: u64, at: i64, more: &[(&str, Value)]) {
        let Some(order) = self.orders.get(&id) else { return };
        let mut data = json!({
            "p_id": id,
            "s_ids": order.line_ids,
            "shop_id": self.id,
            "order_status": order.status.code(),
            "order_type": 0,
            "biz": 2,
            "create_time": order.created,
        });
        extend(&mut data, more);
        self.message(tag, id, at, data);
    }

    fn tell_case(&mut self, tag: u32, id: u64, more: &[(&str, Value)]) {
        let Some(case) = self.cases.get(&id) else { return };
        let at = case.updated;
        let mut data = json!({
            "aftersale_id": id,
            "aftersale_status": case.status.code(),
            "aftersale_type": self.case_type(case),
            "apply_time": case.applied,
            "p_id": case.order,
            "s_id": case.line,
            "reason_code": 1,
            "refund_amount": case.amount,
            "refund_post_amount": 0,
            "refund_voucher_num": 0,
            "shop_id": self.id,
            "update_time": at,
        });
        extend(&mut data, more);
        self.message(tag, id, at, data);
    }

    /// The platform's message ids hold the subject, the time and the tag.
    fn message(&mut self, tag: u32, subject: u64, at: i64, data: Value) {
        self.untold.push(Message { tag, msg_id: format!("{subject}0{at}:{tag}:{at}"), data });
    }
}

fn extend(data: &mut Value, more: &[(&str, Value)]) {
    for (name, value) in more {
        data[*name] = value.clone();
    }
}

fn tracking_number(order: u64) -> String {
    format!("SF{}", order % 10_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basket() -> Basket {
        let goods = |code: &str, quantity, unit_price| Goods {
            code: code.to_owned(),
            title: "测试乌龙".to_owned(),
            quantity,
            unit_price,
        };
        Basket {
            open_id: "open-1".to_owned(),
            goods: vec![goods("TEA-1", 2, 1990), goods("TEA-2", 1, 3335)],
            discount_shop: 100,
            discount_platform: 1,
            freight: 600,
            room: None,
            region: ("浙江省", "杭州市"),
        }
    }

    #[test]
    fn books_count_what_was_paid_and_what_went_back() {
        let mut shop = Shop::new(1);
        let (kept, returned, unpaid) = (shop.place(basket(), 1), shop.place(basket(), 1), shop.place(basket(), 1));
        shop.pay(kept, 2).unwrap();
        shop.pay(returned, 2).unwrap();
        let case = shop.ask_refund(returned, 1990, 3).unwrap();
        shop.refund(case, 4).unwrap();
        shop.cancel(unpaid, 5).unwrap();
        let books = shop.books();
        assert_eq!((books.paid, books.refunded, books.revenue()), (2 * 7814, 1990, 2 * 7814 - 1990));
        assert_eq!(books.orders, [("closed", 1), ("paid", 2)].map(|(status, count)| (status.to_owned(), count)).into());
    }

    #[test]
    fn every_change_is_told_once_and_the_impossible_refused() {
        let mut shop = Shop::new(1);
        let id = shop.place(basket(), 1);
        assert!(shop.ship(id, 2).is_err(), "not paid yet");
        shop.pay(id, 2).unwrap();
        assert!(shop.cancel(id, 3).is_err(), "paid already");
        shop.ship(id, 3).unwrap();
        shop.finish(id, 4).unwrap();
        let tags: Vec<_> = shop.untold().iter().map(|message| message.tag).collect();
        assert_eq!(tags, [100, 101, 102, 103]);
        assert!(shop.untold().is_empty());
    }

    #[test]
    fn the_record_adds_up_and_ids_do_not_fit_a_double() {
        let mut shop = Shop::new(1);
        let id = shop.place(basket(), 1);
        shop.pay(id, 2).unwrap();
        assert!(id > 1 << 53);
        let detail = shop.detail(id).unwrap();
        let lines = detail["sku_order_list"].as_array().unwrap();
        let sum = |name: &str| lines.iter().map(|line| line[name].as_i64().unwrap()).sum::<i64>();
        assert_eq!(sum("promotion_amount"), 101);
        assert_eq!(sum("pay_amount") + 600, detail["pay_amount"].as_i64().unwrap());
    }
}
