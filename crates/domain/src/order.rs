//! The canonical order: what every platform's order becomes, and what everything else in the system works with.
//!
//! An [`Order`] is never written directly. Deliveries contribute [`OrderFacts`], which merge in any order and any number
//! of times to the same value; the order is what the facts say ([`OrderFacts::order`]).

mod facts;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::facts::{Latest, OrderDetail, OrderFacts};
use crate::{Fen, Identity, MoneyError, Platform, UnixMs, allocate};

/// What makes an order unique: the platform, the shop on it, and the platform's own id. Ids are text, never numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderKey {
    /// The platform that the order was placed on.
    pub platform: Platform,
    /// The shop's id on that platform.
    pub shop_id: String,
    /// The order's id on that platform.
    pub platform_order_id: String,
}

/// How far an order has come. The order of the variants is the rank: an order's status is the highest one reached.
///
/// `closed` ranks above all: platforms close an order that is cancelled, and also one that is refunded in full after
/// completion; no platform brings a closed order back. So a late `paid` or `completed` never reopens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Placed, not paid.
    Created,
    /// Paid in full.
    Paid,
    /// Some parcels are on their way, others are not.
    PartlyShipped,
    /// Everything is on its way (or needs no way, as a voucher).
    Shipped,
    /// The buyer or the carrier has confirmed receipt.
    Signed,
    /// Finished on the platform: confirmed by the buyer or by its time limit.
    Completed,
    /// Cancelled, or closed by the platform. Terminal.
    Closed,
}

impl OrderStatus {
    /// Every status by rank.
    pub const ALL: [Self; 7] =
        [Self::Created, Self::Paid, Self::PartlyShipped, Self::Shipped, Self::Signed, Self::Completed, Self::Closed];

    /// Its name in JSON, SQL and URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Paid => "paid",
            Self::PartlyShipped => "partly_shipped",
            Self::Shipped => "shipped",
            Self::Signed => "signed",
            Self::Completed => "completed",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OrderStatus {
    type Err = OrderError;

    fn from_str(text: &str) -> Result<Self, OrderError> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| OrderError::UnknownStatus(text.to_owned()))
    }
}

/// An order as all deliveries so far describe it. Carries no personal data in clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Platform, shop and the platform's order id.
    pub key: OrderKey,
    /// How far it has come.
    pub status: OrderStatus,
    /// The platform's own newest word for the status, unmapped; absent until a delivery has named one.
    pub raw_status: Option<String>,
    /// What a person should look at; empty when all is well.
    pub flags: Vec<OrderFlag>,
    /// Whether the full record has arrived. While false, only what pushes told is known: `lines` is empty, `amounts` absent.
    pub complete: bool,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// The bill; absent until the full record has arrived.
    pub amounts: Option<Amounts>,
    /// What the buyer has paid so far, in fen; absent until known.
    pub paid: Option<Fen>,
    /// Who bought: platform ids and keyed hashes, sorted.
    pub identities: Vec<Identity>,
    /// Where the goods go: province and city only.
    pub region: Option<Region>,
    /// The live room it was sold in.
    pub live_room: Option<LiveRoom>,
    /// The shop guide (导购) or advisor it is credited to.
    pub guide: Option<Guide>,
    /// The buyer's level among the shop's members, in the platform's or the merchant's own word; absent where it is not told.
    pub member_level: Option<String>,
    /// The parcels, by tracking number.
    pub shipments: Vec<Shipment>,
    /// When each step happened.
    pub times: OrderTimes,
}

impl Order {
    /// What was really paid for each line, in fen: the money paid less freight, spread over the lines by their price after
    /// the line's own discount. A refund of a line may not exceed it. Empty while the full record is missing.
    ///
    /// # Errors
    /// [`MoneyError`] when the order's own numbers do not fit 64 bits, or all its lines are free but money was paid for them.
    pub fn paid_by_line(&self) -> Result<Vec<(&str, Fen)>, MoneyError> {
        let (Some(amounts), Some(paid)) = (&self.amounts, self.paid) else {
            return Ok(Vec::new());
        };
        let for_goods = paid.try_sub(amounts.freight)?.max(Fen::ZERO);
        if for_goods == Fen::ZERO {
            return Ok(self.lines.iter().map(|line| (line.line_id.as_str(), Fen::ZERO)).collect());
        }
        let weights = self
            .lines
            .iter()
            .map(|line| line.payable().map(|fen| u64::try_from(fen.get()).unwrap_or(0)))
            .collect::<Result<Vec<_>, _>>()?;
        let parts = allocate(for_goods, &weights)?;
        Ok(self.lines.iter().map(|line| line.line_id.as_str()).zip(parts).collect())
    }
}

/// What is odd about an order. Flags inform people; they stop nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderFlag {
    /// Lines, discounts, freight and tax do not add up to what the platform says is payable.
    AmountsDisagree,
    /// The platform named a status that the mapping does not know. It was kept, and did not move the status.
    UnknownStatus,
}

/// One line of an order. The same SKU may stand on two lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The line's id, unique in the order (Doudian: the SKU order's id).
    pub line_id: String,
    /// The merchant's SKU code, by which stock is kept; the platform's SKU id where the merchant has set no code.
    pub sku: String,
    /// The platform's product id.
    pub product_id: Option<String>,
    /// The product's title at the time of sale.
    pub title: String,
    /// Pieces, at least 1.
    pub quantity: u32,
    /// Price of one piece before any discount, in fen.
    pub unit_price: Fen,
    /// The line's share of all discounts, in fen; 0 where the platform only gives the order's.
    pub discount: Fen,
}

impl Line {
    /// Price times quantity, in fen.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 64 bits.
    pub fn gross(&self) -> Result<Fen, MoneyError> {
        self.unit_price.try_mul(i64::from(self.quantity))
    }

    /// Price times quantity less the line's discount, in fen.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 64 bits.
    pub fn payable(&self) -> Result<Fen, MoneyError> {
        self.gross()?.try_sub(self.discount)
    }
}

/// The bill of an order, in fen. `goods − discount_merchant − discount_platform + freight + tax = payable`, or the order
/// is flagged.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// The lines' price before any discount.
    pub goods: Fen,
    /// Discount borne by the merchant (a promoter's share included).
    pub discount_merchant: Fen,
    /// Discount borne by the platform.
    pub discount_platform: Fen,
    /// Freight, after its own discounts.
    pub freight: Fen,
    /// Tax on top of the price (cross-border trade; else 0: consumer prices include it).
    pub tax: Fen,
    /// What the buyer is asked to pay.
    pub payable: Fen,
}

impl Amounts {
    /// Whether the bill agrees with itself and with the lines. A sum beyond 64 bits disagrees.
    pub fn agree_with(&self, lines: &[Line]) -> bool {
        self.agreement(lines).unwrap_or(false)
    }

    fn agreement(&self, lines: &[Line]) -> Result<bool, MoneyError> {
        let gross = lines.iter().map(Line::gross).collect::<Result<Vec<_>, _>>()?;
        let discount = self.discount_merchant.try_add(self.discount_platform)?;
        let line_discount = Fen::try_sum(lines.iter().map(|line| line.discount))?;
        let payable = self.goods.try_sub(discount)?.try_add(self.freight)?.try_add(self.tax)?;
        Ok(Fen::try_sum(gross)? == self.goods
            && payable == self.payable
            && (line_discount == discount || line_discount == Fen::ZERO))
    }
}

/// Where the goods go, as coarse as statistics need.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Province, municipality or autonomous region, as the platform writes it.
    pub province: String,
    /// City; absent where the platform gives none.
    pub city: Option<String>,
}

/// The live room or the promoter that sold it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveRoom {
    /// The live room's id; absent where the sale came from a short video or a shop window.
    pub room_id: Option<String>,
    /// The promoter's (达人) id.
    pub author_id: Option<String>,
    /// The promoter's public name.
    pub author_name: Option<String>,
}

/// The shop guide (导购) or advisor that an order is credited to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    /// The guide's number with the merchant.
    pub code: String,
    /// The store the sale was made in; absent for sales without one.
    pub store_code: Option<String>,
}

/// A parcel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Shipment {
    /// The carrier's tracking number.
    pub tracking_number: String,
    /// The carrier as the platform names it (a code or an id).
    pub carrier: Option<String>,
    /// When it was handed over.
    pub shipped_at: Option<UnixMs>,
}

/// When each step happened; absent for what has not, or what no delivery has told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderTimes {
    /// Placed.
    pub created_at: Option<UnixMs>,
    /// Paid.
    pub paid_at: Option<UnixMs>,
    /// Everything handed to the carrier.
    pub shipped_at: Option<UnixMs>,
    /// Received.
    pub signed_at: Option<UnixMs>,
    /// Finished.
    pub completed_at: Option<UnixMs>,
    /// Closed.
    pub closed_at: Option<UnixMs>,
    /// The newest instant that any delivery speaks of.
    pub updated_at: Option<UnixMs>,
}

/// Why a text is no order's status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Not a status.
    #[error(
        "{0:?} is not an order status: use one of created, paid, partly_shipped, shipped, signed, completed, closed"
    )]
    UnknownStatus(String),
}
