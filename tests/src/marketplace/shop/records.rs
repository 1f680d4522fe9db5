//! What a shop keeps: orders and after-sale cases, as every platform has them.

use std::collections::BTreeMap;

/// What a buyer puts in the basket.
#[derive(Clone, Debug, PartialEq)]
pub struct Basket {
    /// The buyer's id for the merchant's app.
    pub buyer: String,
    /// The goods.
    pub goods: Vec<Goods>,
    /// Discount at the merchant's cost, fen, on the order as a whole.
    pub discount_merchant: i64,
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
#[derive(Clone, Debug, PartialEq)]
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

impl Goods {
    /// All pieces at their price, before discounts, fen.
    pub fn gross(&self) -> i64 {
        self.unit_price * i64::from(self.quantity)
    }
}

/// A live room and who sells in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// The room's id.
    pub id: u64,
    /// The host's id.
    pub author_id: u64,
    /// The host's public name.
    pub author_name: &'static str,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Placed, not paid.
    Created,
    /// Paid in full.
    Paid,
    /// All on its way.
    Shipped,
    /// With the buyer, by the carrier's word.
    Signed,
    /// Confirmed by the buyer, or by the time limit.
    Completed,
    /// Cancelled.
    Closed,
}

impl Status {
    /// The word that the system under test uses for it.
    pub const fn canonical(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Signed => "signed",
            Self::Completed => "completed",
            Self::Closed => "closed",
        }
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// The platform's id.
    pub id: String,
    /// Its lines, one for each of the basket's goods.
    pub lines: Vec<Line>,
    /// The basket, for all that concerns the order as a whole.
    pub basket: Basket,
    /// How far it has come.
    pub status: Status,
    /// When each status was reached.
    pub times: BTreeMap<Status, i64>,
    /// The parcel's number, once it is shipped.
    pub tracking_number: Option<String>,
    /// When it last changed.
    pub updated: i64,
    /// Its place among all changes of the shop.
    pub(super) changed: u64,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The platform's id of the line.
    pub id: String,
    /// Where the goods are offered on the platform.
    pub shelf: Shelf,
    /// The goods.
    pub goods: Goods,
    /// Its part of the merchant's discount, fen. The parts are the platform's own split, by value, the last line taking the
    /// rest.
    pub discount_merchant: i64,
    /// Its part of the platform's discount, fen.
    pub discount_platform: i64,
}

impl Line {
    /// What the buyer pays for it, without freight, fen.
    pub fn net(&self) -> i64 {
        self.goods.gross() - self.discount_merchant - self.discount_platform
    }
}

/// Where a SKU is offered: the platform's ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shelf {
    /// The product.
    pub product_id: String,
    /// The SKU.
    pub sku_id: String,
}

impl Order {
    /// When a status was reached.
    pub fn time(&self, status: Status) -> Option<i64> {
        self.times.get(&status).copied()
    }

    /// The goods before discounts, fen.
    pub fn goods_amount(&self) -> i64 {
        self.basket.goods.iter().map(Goods::gross).sum()
    }

    /// All discounts, fen.
    pub fn discount(&self) -> i64 {
        self.basket.discount_merchant + self.basket.discount_platform
    }

    /// What the buyer is to pay, fen.
    pub fn payable(&self) -> i64 {
        self.goods_amount() - self.discount() + self.basket.freight
    }

    /// What the buyer has paid, fen.
    pub fn paid(&self) -> i64 {
        if self.times.contains_key(&Status::Paid) { self.payable() } else { 0 }
    }
}

/// What is to happen with the goods of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They come back.
    Return,
    /// They were shipped and stay.
    RefundOnly,
    /// They were not shipped yet.
    Unshipped,
}

/// Where an after-sale case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseStatus {
    /// The buyer has asked.
    Applied,
    /// The merchant has agreed, and waits for the goods.
    Agreed,
    /// The goods are on their way back.
    Returning,
    /// The merchant has refused.
    Rejected,
    /// It came to nothing.
    Cancelled,
    /// The money went back.
    Refunded,
}

/// An after-sale case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The platform's id.
    pub id: String,
    /// The order it belongs to.
    pub order_id: String,
    /// The line it is about.
    pub line_id: String,
    /// What is to happen with the goods.
    pub kind: Kind,
    /// The money asked for, fen.
    pub amount: i64,
    /// Where it stands.
    pub status: CaseStatus,
    /// When each status was reached.
    pub times: BTreeMap<CaseStatus, i64>,
    /// The parcel's number on its way back.
    pub tracking_number: Option<String>,
    /// Why the merchant refused.
    pub refusal: Option<String>,
    /// When it last changed.
    pub updated: i64,
    /// Its place among all changes of the shop.
    pub(super) changed: u64,
}

impl Case {
    /// When a status was reached.
    pub fn time(&self, status: CaseStatus) -> Option<i64> {
        self.times.get(&status).copied()
    }

    /// When the buyer asked.
    pub fn applied(&self) -> i64 {
        self.time(CaseStatus::Applied).unwrap_or(self.updated)
    }
}

/// What changed: the order or the case as it was right after.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An order came to its status.
    Order(Order),
    /// A case came to its status.
    Case(Case),
}
