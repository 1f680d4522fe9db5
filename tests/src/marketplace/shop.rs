//! A shop as every platform sees it: orders and after-sale cases, how they may change, and a log of each change.
//!
//! It is also the platform's own book-keeping: [`Shop::books`] is what the system under test must arrive at. Times are Unix
//! seconds and never run backwards for one order or case, amounts are fen, ids text in the platform's own form.

mod records;

use std::collections::BTreeMap;

pub use self::records::{Basket, Case, CaseStatus, Change, Goods, Kind, Line, Order, Room, Shelf, Status};
use crate::merchant::Books;

/// What a buyer has typed into the box for wishes, where no platform hides anything.
pub const WISH: &str = "请放门口：测试顾客甲，测试路17号3单元，13900000123";

/// How a platform writes the ids that it makes up: of what, and a number that no other id of the shop has.
pub type Ids = fn(Id, u64) -> String;

/// What an id is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    /// A shop.
    Shop,
    /// An order.
    Order,
    /// A line of an order.
    Line,
    /// An after-sale case.
    Case,
    /// A product.
    Product,
    /// A SKU of a product.
    Sku,
}

/// A shop's state.
#[derive(Debug)]
pub struct Shop {
    id: String,
    ids: Ids,
    next: u64,
    next_shelf: u64,
    orders: BTreeMap<String, Order>,
    cases: BTreeMap<String, Case>,
    shelves: BTreeMap<String, Shelf>,
    stock: BTreeMap<Shelf, i64>,
    /// How many changes there have been: what changed in the same second is told apart by it.
    changes: u64,
    untold: Vec<Change>,
}

/// Some of what changed in a stretch of time.
#[derive(Debug)]
pub struct Page<T> {
    /// What is on the page.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: usize,
    /// How many are on the pages before.
    pub skipped: usize,
}

impl<T> Page<T> {
    /// Whether there is a page after this one.
    pub fn has_more(&self) -> bool {
        self.skipped + self.items.len() < self.total
    }
}

/// A stretch of time, both ends included, and the page of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From this second.
    pub since: i64,
    /// To this second.
    pub until: i64,
    /// How many come on the pages before.
    pub skip: usize,
    /// How many fit on the page.
    pub size: usize,
}

/// Why the platform would not do something. The simulator's user, or the caller of its API, asked for the impossible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible(String);

impl std::fmt::Display for Impossible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Impossible {}

impl Shop {
    /// An empty shop. Several shops of one platform differ in `index`. The numbers in ids start above 2^53.
    pub fn new(index: u64, ids: Ids) -> Self {
        Self {
            id: ids(Id::Shop, 4_463_798 + index),
            ids,
            next: 6_917_529_027_641_081_857 + index * 1_000_000_000_000_000,
            next_shelf: 1_737_398_770_243_598 + index * 1_000_000,
            orders: BTreeMap::new(),
            cases: BTreeMap::new(),
            shelves: BTreeMap::new(),
            stock: BTreeMap::new(),
            changes: 0,
            untold: Vec::new(),
        }
    }

    /// The platform's id of the shop.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// All changes since the last call, in the order in which they happened.
    pub fn untold(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.untold)
    }

    /// An order.
    pub fn order(&self, id: &str) -> Option<&Order> {
        self.orders.get(id)
    }

    /// A case.
    pub fn case(&self, id: &str) -> Option<&Case> {
        self.cases.get(id)
    }

    /// All orders.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    /// All cases.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.values()
    }

    /// A page of the orders that last changed in a stretch of time, the earliest first.
    pub fn changed_orders(&self, span: Span) -> Page<&Order> {
        page(self.orders.values(), |order| (order.updated, order.changed), span)
    }

    /// A page of the cases that last changed in a stretch of time, the earliest first.
    pub fn changed_cases(&self, span: Span) -> Page<&Case> {
        page(self.cases.values(), |case| (case.updated, case.changed), span)
    }

    /// The same, of some kinds only.
    pub fn changed_cases_of(&self, kinds: &[Kind], span: Span) -> Page<&Case> {
        page(self.cases.values().filter(|case| kinds.contains(&case.kind)), |case| (case.updated, case.changed), span)
    }

    /// All cases of an order, on one page.
    pub fn cases_of(&self, order_id: &str) -> Page<&Case> {
        let items: Vec<_> = self.cases.values().filter(|case| case.order_id == order_id).collect();
        Page { total: items.len(), items, skipped: 0 }
    }

    /// Where the merchant's SKU is offered here. It is put there when it is first asked for.
    pub fn shelf(&mut self, code: &str) -> Shelf {
        if let Some(shelf) = self.shelves.get(code) {
            return shelf.clone();
        }
        let number = self.next_shelf;
        self.next_shelf += 1;
        let shelf = Shelf {
            product_id: (self.ids)(Id::Product, 3_500_000_000_000_000_000 + number),
            sku_id: (self.ids)(Id::Sku, number),
        };
        self.shelves.insert(code.to_owned(), shelf.clone());
        shelf
    }

    /// How many pieces of the merchant's SKU can be bought, as last set through the API; none if it never was.
    pub fn stock(&self, code: &str) -> Option<i64> {
        self.stock.get(self.shelves.get(code)?).copied()
    }

    /// The merchant sets how many pieces can be bought. Without a SKU it is the product's only one; an empty product is the SKU's.
    ///
    /// # Errors
    /// [`Impossible`] for what is not offered here, and below zero.
    pub fn set_stock(&mut self, product_id: &str, sku_id: Option<&str>, quantity: i64) -> Result<(), Impossible> {
        let of_product = |shelf: &Shelf| shelf.product_id == product_id || (product_id.is_empty() && sku_id.is_some());
        let fits = |shelf: &&Shelf| of_product(shelf) && sku_id.is_none_or(|id| shelf.sku_id == id);
        let shelf = self.shelves.values().find(fits).filter(|_| quantity >= 0);
        let shelf = shelf.ok_or_else(|| Impossible(format!("{quantity} pieces of {product_id} {sku_id:?}")))?;
        self.stock.insert(shelf.clone(), quantity);
        Ok(())
    }

    /// So many pieces more can be bought, or fewer.
    ///
    /// # Errors
    /// As for [`Shop::set_stock`].
    pub fn move_stock(&mut self, sku_id: &str, by: i64) -> Result<(), Impossible> {
        let now = self.shelves.values().find(|shelf| shelf.sku_id == sku_id).and_then(|shelf| self.stock.get(shelf));
        self.set_stock("", Some(sku_id), now.unwrap_or(&0) + by)
    }

    /// What is offered of a product: the SKU's id, and how many pieces can be bought. None for what is not offered here.
    pub fn product(&self, product_id: &str) -> Option<Vec<(String, i64)>> {
        let shelves = self.shelves.values().filter(|shelf| shelf.product_id == product_id);
        let skus = shelves.map(|shelf| (shelf.sku_id.clone(), self.stock.get(shelf).copied().unwrap_or(0)));
        Some(skus.collect::<Vec<_>>()).filter(|skus| !skus.is_empty())
    }

    /// A buyer orders; returns the order's id.
    pub fn place(&mut self, basket: Basket, at: i64) -> String {
        let id = self.id_of(Id::Order);
        let merchant = split(basket.discount_merchant, &basket.goods);
        let platform = split(basket.discount_platform, &basket.goods);
        let parts = basket.goods.clone().into_iter().zip(merchant).zip(platform);
        let lines = parts.map(|((goods, discount_merchant), discount_platform)| {
            let (id, shelf) = (self.id_of(Id::Line), self.shelf(&goods.code));
            Line { id, shelf, goods, discount_merchant, discount_platform }
        });
        let order = Order {
            id: id.clone(),
            lines: lines.collect(),
            basket,
            status: Status::Created,
            times: BTreeMap::from([(Status::Created, at)]),
            tracking_number: None,
            updated: at,
            changed: 0,
        };
        self.keep_order(order);
        id
    }

    /// The buyer pays in full.
    ///
    /// # Errors
    /// [`Impossible`] unless the order waits for payment.
    pub fn pay(&mut self, id: &str, at: i64) -> Result<(), Impossible> {
        self.advance(id, &[Status::Created], Status::Paid, at)
    }

    /// The merchant ships everything.
    ///
    /// # Errors
    /// [`Impossible`] unless the order is paid.
    pub fn ship(&mut self, id: &str, at: i64) -> Result<(), Impossible> {
        self.advance(id, &[Status::Paid], Status::Shipped, at)
    }

    /// The carrier hands it over.
    ///
    /// # Errors
    /// [`Impossible`] unless the order is shipped.
    pub fn sign(&mut self, id: &str, at: i64) -> Result<(), Impossible> {
        self.advance(id, &[Status::Shipped], Status::Signed, at)
    }

    /// The buyer confirms receipt, or the time for it is over.
    ///
    /// # Errors
    /// [`Impossible`] unless the order is shipped.
    pub fn finish(&mut self, id: &str, at: i64) -> Result<(), Impossible> {
        self.advance(id, &[Status::Shipped, Status::Signed], Status::Completed, at)
    }

    /// The buyer cancels.
    ///
    /// # Errors
    /// [`Impossible`] once the order is paid.
    pub fn cancel(&mut self, id: &str, at: i64) -> Result<(), Impossible> {
        self.advance(id, &[Status::Created], Status::Closed, at)
    }

    /// The buyer of a paid order asks for `amount` fen of its first line back, and keeps the goods; returns the case's id.
    ///
    /// # Errors
    /// [`Impossible`] if the order is unknown, unpaid, or was paid with less than `amount`.
    pub fn ask_refund(&mut self, id: &str, amount: i64, at: i64) -> Result<String, Impossible> {
        let shipped = self.orders.get(id).is_some_and(|order| order.times.contains_key(&Status::Shipped));
        self.open(id, if shipped { Kind::RefundOnly } else { Kind::Unshipped }, amount, at)
    }

    /// The buyer of a shipped order wants to send its first line back for `amount` fen; returns the case's id.
    ///
    /// # Errors
    /// [`Impossible`] if the order is unknown, not shipped, or was paid with less than `amount`.
    pub fn ask_return(&mut self, id: &str, amount: i64, at: i64) -> Result<String, Impossible> {
        self.orders
            .get(id)
            .filter(|order| order.times.contains_key(&Status::Shipped))
            .ok_or_else(|| Impossible(format!("order {id} is not shipped, nothing can come back")))?;
        self.open(id, Kind::Return, amount, at)
    }

    /// The merchant agrees: the goods may come back, or, where none do, the money goes back at once.
    ///
    /// # Errors
    /// [`Impossible`] unless the case waits for that.
    pub fn agree(&mut self, case: &str, at: i64) -> Result<(), Impossible> {
        self.settle(case, &[CaseStatus::Applied], CaseStatus::Agreed, at)?;
        match self.cases.get(case).map(|case| case.kind) {
            Some(Kind::RefundOnly | Kind::Unshipped) => self.refund(case, at),
            Some(Kind::Return) | None => Ok(()),
        }
    }

    /// The merchant refuses: to agree, or to take what came back.
    ///
    /// # Errors
    /// [`Impossible`] unless the case waits for either.
    pub fn refuse(&mut self, case: &str, reason: &str, at: i64) -> Result<(), Impossible> {
        self.settle(case, &[CaseStatus::Applied, CaseStatus::Returning], CaseStatus::Rejected, at)?;
        if let Some(case) = self.cases.get_mut(case) {
            case.refusal = Some(reason.to_owned());
        }
        Ok(())
    }

    /// The buyer sends the goods back.
    ///
    /// # Errors
    /// [`Impossible`] unless the merchant has agreed.
    pub fn send_back(&mut self, case: &str, at: i64) -> Result<(), Impossible> {
        self.settle(case, &[CaseStatus::Agreed], CaseStatus::Returning, at)
    }

    /// The merchant has the goods back; the money goes back.
    ///
    /// # Errors
    /// [`Impossible`] unless they are on their way.
    pub fn confirm_receipt(&mut self, case: &str, at: i64) -> Result<(), Impossible> {
        self.settle(case, &[CaseStatus::Returning], CaseStatus::Refunded, at)
    }

    /// The merchant pays back: at once where the goods stay with the buyer, else when they are on their way back.
    ///
    /// # Errors
    /// [`Impossible`] unless the case waits for that, and for another sum than was asked for.
    pub fn pay_back(&mut self, case: &str, amount: Option<i64>, at: i64) -> Result<(), Impossible> {
        let known = self.cases.get(case).filter(|known| amount.is_none_or(|amount| amount == known.amount));
        match known.map(|known| known.kind) {
            Some(Kind::RefundOnly | Kind::Unshipped) => self.agree(case, at),
            Some(Kind::Return) => self.confirm_receipt(case, at),
            None => Err(Impossible(format!("case {case} for {amount:?} fen"))),
        }
    }

    /// The money of a case goes back, by the platform's own decision or by the merchant's, given in its console.
    ///
    /// # Errors
    /// [`Impossible`] unless the case is open.
    pub fn refund(&mut self, case: &str, at: i64) -> Result<(), Impossible> {
        self.settle(case, &[CaseStatus::Applied, CaseStatus::Agreed, CaseStatus::Returning], CaseStatus::Refunded, at)
    }

    /// A case ends without money.
    ///
    /// # Errors
    /// [`Impossible`] unless the case is open.
    pub fn close_case(&mut self, case: &str, at: i64) -> Result<(), Impossible> {
        self.settle(case, &[CaseStatus::Applied, CaseStatus::Agreed, CaseStatus::Rejected], CaseStatus::Cancelled, at)
    }

    /// The platform's own books.
    pub fn books(&self) -> Books {
        let mut books = Books::default();
        for order in self.orders.values() {
            books.order(order.status.canonical(), order.paid());
        }
        for case in self.cases.values().filter(|case| case.status == CaseStatus::Refunded) {
            books.refunded += case.amount;
        }
        books
    }

    fn id_of(&mut self, of: Id) -> String {
        self.next += 4_294_967_291; // A prime, so that neighbours do not look alike.
        (self.ids)(of, self.next)
    }

    fn advance(&mut self, id: &str, from: &[Status], to: Status, at: i64) -> Result<(), Impossible> {
        let order = self.orders.get(id).ok_or_else(|| Impossible(format!("no order {id}")))?;
        if !from.contains(&order.status) {
            return Err(Impossible(format!("order {id} is {:?} and cannot become {to:?}", order.status)));
        }
        let mut order = order.clone();
        let at = at.max(order.updated);
        order.status = to;
        order.updated = at;
        order.times.insert(to, at);
        if to == Status::Shipped {
            order.tracking_number = Some(tracking_number("SF", id));
        }
        self.keep_order(order);
        Ok(())
    }

    fn open(&mut self, id: &str, kind: Kind, amount: i64, at: i64) -> Result<String, Impossible> {
        let order = self.orders.get(id).ok_or_else(|| Impossible(format!("no order {id}")))?;
        if amount > order.paid() {
            return Err(Impossible(format!("{amount} fen of order {id} cannot be refunded")));
        }
        let line = order.lines.first().ok_or_else(|| Impossible(format!("order {id} has no lines")))?;
        let (order_id, line_id) = (id.to_owned(), line.id.clone());
        let id = self.id_of(Id::Case);
        self.keep_case(Case {
            id: id.clone(),
            order_id,
            line_id,
            kind,
            amount,
            status: CaseStatus::Applied,
            times: BTreeMap::from([(CaseStatus::Applied, at)]),
            tracking_number: None,
            refusal: None,
            updated: at,
            changed: 0,
        });
        Ok(id)
    }

    fn settle(&mut self, id: &str, from: &[CaseStatus], to: CaseStatus, at: i64) -> Result<(), Impossible> {
        let case = self.cases.get(id).ok_or_else(|| Impossible(format!("no case {id}")))?;
        if !from.contains(&case.status) {
            return Err(Impossible(format!("case {id} is {:?} and cannot become {to:?}", case.status)));
        }
        let mut case = case.clone();
        let at = at.max(case.updated);
        case.status = to;
        case.updated = at;
        case.times.insert(to, at);
        if to == CaseStatus::Returning {
            case.tracking_number = Some(tracking_number("YT", id));
        }
        self.keep_case(case);
        Ok(())
    }

    fn keep_order(&mut self, mut order: Order) {
        self.changes += 1;
        order.changed = self.changes;
        self.untold.push(Change::Order(order.clone()));
        self.orders.insert(order.id.clone(), order);
    }

    fn keep_case(&mut self, mut case: Case) {
        self.changes += 1;
        case.changed = self.changes;
        self.untold.push(Change::Case(case.clone()));
        self.cases.insert(case.id.clone(), case);
    }
}

/// Splits a discount over goods by value; the last takes the rest. The platform's own way, not the system's.
fn split(discount: i64, goods: &[Goods]) -> Vec<i64> {
    let total: i64 = goods.iter().map(Goods::gross).sum();
    let mut left = discount;
    let mut parts: Vec<i64> = goods.iter().map(|goods| discount * goods.gross() / total.max(1)).collect();
    if let Some((last, others)) = parts.split_last_mut() {
        left -= others.iter().sum::<i64>();
        *last = left;
    }
    parts
}

fn page<'a, T>(all: impl Iterator<Item = &'a T>, at: impl Fn(&T) -> (i64, u64), span: Span) -> Page<&'a T> {
    let mut found: Vec<&T> = all.filter(|item| (span.since..=span.until).contains(&at(item).0)).collect();
    found.sort_by_key(|item| at(item));
    let total = found.len();
    Page { items: found.into_iter().skip(span.skip).take(span.size).collect(), total, skipped: span.skip }
}

/// A carrier's letters and the last ten digits of what the parcel is about.
fn tracking_number(carrier: &str, id: &str) -> String {
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    format!("{carrier}{}", &digits[digits.len().saturating_sub(10)..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchant::baskets::{plain, tea};

    fn shop() -> Shop {
        Shop::new(0, |_, number| number.to_string())
    }

    fn basket() -> Basket {
        let goods = vec![tea("TEA-1", 2, 1990), tea("TEA-2", 1, 3335)];
        Basket { discount_merchant: 100, discount_platform: 1, freight: 600, ..plain(goods) }
    }

    #[test]
    fn books_count_what_was_paid_and_what_went_back() {
        let mut shop = shop();
        let (kept, returned, unpaid) = (shop.place(basket(), 1), shop.place(basket(), 1), shop.place(basket(), 1));
        shop.pay(&kept, 2).unwrap();
        shop.pay(&returned, 2).unwrap();
        let case = shop.ask_refund(&returned, 1990, 3).unwrap();
        shop.refund(&case, 4).unwrap();
        shop.cancel(&unpaid, 5).unwrap();
        let books = shop.books();
        assert_eq!((books.paid, books.refunded, books.revenue()), (2 * 7814, 1990, 2 * 7814 - 1990));
        assert_eq!(books.orders, [("closed", 1), ("paid", 2)].map(|(status, count)| (status.to_owned(), count)).into());
    }

    #[test]
    fn every_change_is_logged_once_and_the_impossible_refused() {
        let mut shop = shop();
        let id = shop.place(basket(), 1);
        assert!(shop.ship(&id, 2).is_err(), "not paid yet");
        shop.pay(&id, 2).unwrap();
        assert!(shop.cancel(&id, 3).is_err(), "paid already");
        shop.ship(&id, 3).unwrap();
        shop.sign(&id, 4).unwrap();
        shop.finish(&id, 5).unwrap();
        let statuses = shop.untold().into_iter().map(|change| match change {
            Change::Order(order) => order.status.canonical(),
            Change::Case(case) => panic!("{case:?}"),
        });
        assert_eq!(Vec::from_iter(statuses), ["created", "paid", "shipped", "signed", "completed"]);
        assert!(shop.untold().is_empty());
    }

    #[test]
    fn a_return_goes_back_and_forth_and_a_refund_without_goods_is_paid_at_once() {
        let mut shop = shop();
        let id = shop.place(basket(), 1);
        shop.pay(&id, 2).unwrap();
        assert!(shop.ask_return(&id, 1990, 3).is_err(), "nothing was shipped");
        let early = shop.ask_refund(&id, 1990, 3).unwrap();
        shop.agree(&early, 4).unwrap();
        assert_eq!(shop.case(&early).unwrap().status, CaseStatus::Refunded);
        shop.ship(&id, 5).unwrap();
        let case = shop.ask_return(&id, 1990, 6).unwrap();
        assert!(shop.confirm_receipt(&case, 7).is_err(), "nothing came back");
        assert!(shop.pay_back(&case, None, 7).is_err(), "nothing came back");
        shop.agree(&case, 7).unwrap();
        shop.send_back(&case, 8).unwrap();
        shop.confirm_receipt(&case, 9).unwrap();
        let case = shop.case(&case).unwrap();
        assert_eq!((case.status, case.applied(), case.updated), (CaseStatus::Refunded, 6, 9));
        assert_eq!(shop.books().refunded, 2 * 1990);
    }

    #[test]
    fn paying_back_agrees_or_confirms_and_only_the_sum_that_was_asked_for() {
        let mut shop = shop();
        let id = shop.place(basket(), 1);
        shop.pay(&id, 2).unwrap();
        let early = shop.ask_refund(&id, 100, 3).unwrap();
        shop.ship(&id, 4).unwrap();
        let back = shop.ask_return(&id, 1990, 5).unwrap();
        assert!(shop.pay_back(&early, Some(99), 6).is_err() && shop.pay_back(&back, Some(1990), 6).is_err());
        shop.pay_back(&early, Some(100), 6).unwrap();
        shop.agree(&back, 7).unwrap();
        assert!(shop.pay_back(&back, Some(1990), 8).is_err(), "nothing came back");
        shop.send_back(&back, 8).unwrap();
        shop.pay_back(&back, Some(1990), 9).unwrap();
        assert_eq!(shop.books().refunded, 2090);
        let span = Span { since: 0, until: 9, skip: 0, size: 9 };
        let found =
            |kinds| shop.changed_cases_of(kinds, span).items.into_iter().map(|case| &case.id).collect::<Vec<_>>();
        assert_eq!((found(&[Kind::Return]), found(&[Kind::Unshipped])), (vec![&back], vec![&early]));
        assert_eq!((shop.cases_of(&id).total, shop.cases_of("1").total), (2, 0));
    }

    #[test]
    fn lines_add_up_and_ids_do_not_fit_a_double() {
        let mut shop = shop();
        let id = shop.place(basket(), 1);
        assert!(id.parse::<u64>().unwrap() > 1 << 53);
        let order = shop.order(&id).unwrap();
        assert_eq!(order.lines.iter().map(Line::net).sum::<i64>() + 600, order.payable());
        assert_eq!(order.lines.iter().map(|line| line.discount_merchant).sum::<i64>(), 100);
    }

    #[test]
    fn what_changed_comes_in_pages_the_earliest_first() {
        let mut shop = shop();
        let ids: Vec<_> = (0..5).map(|at| shop.place(basket(), at)).collect();
        shop.pay(&ids[1], 9).unwrap();
        let span = Span { since: 1, until: 9, skip: 0, size: 3 };
        let first = shop.changed_orders(span);
        let found: Vec<_> = first.items.iter().map(|order| &order.id).collect();
        assert_eq!((found, first.total, first.has_more()), (vec![&ids[2], &ids[3], &ids[4]], 4, true));
        let second = shop.changed_orders(Span { skip: 3, ..span });
        assert_eq!((second.items[0].id.as_str(), second.has_more()), (ids[1].as_str(), false));
    }

    #[test]
    fn stock_is_what_was_last_set_for_what_is_offered() {
        let mut shop = shop();
        let shelf = shop.shelf("TEA-1");
        assert_eq!((shop.shelf("TEA-1"), shop.stock("TEA-1")), (shelf.clone(), None));
        shop.set_stock(&shelf.product_id, Some(&shelf.sku_id), 7).unwrap();
        shop.set_stock(&shelf.product_id, None, 5).unwrap();
        shop.set_stock("", Some(&shelf.sku_id), 5).unwrap();
        assert_eq!((shop.stock("TEA-1"), shop.stock("TEA-2")), (Some(5), None));
        assert!(shop.set_stock(&shelf.product_id, Some("1"), 5).is_err());
        assert!(shop.set_stock(&shelf.product_id, None, -1).is_err());
        shop.move_stock(&shelf.sku_id, -2).unwrap();
        assert_eq!(shop.stock("TEA-1"), Some(3));
        assert_eq!(shop.product(&shelf.product_id), Some(vec![(shelf.sku_id.clone(), 3)]));
        assert!(shop.move_stock("1", 3).is_err() && shop.move_stock(&shelf.sku_id, -4).is_err());
        assert_eq!(shop.product("1"), None);
        assert!(shop.set_stock("", None, 5).is_err());
    }
}
