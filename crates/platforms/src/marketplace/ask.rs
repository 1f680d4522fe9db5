//! What a marketplace can be asked.

use domain::{Fen, PullKind, RefundFacts, RefundKind, RefundStatus, UnixMs};
use serde::{Deserialize, Serialize};

use super::{ApiError, Refusal};

/// A question or a command to a marketplace, as the outbox keeps it. Ids are the platform's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// The full record of an order.
    Order {
        /// The order.
        order_id: String,
    },
    /// The full record of an after-sale case.
    AfterSale {
        /// The order it belongs to, where it is known.
        order_id: Option<String>,
        /// The case.
        after_sale_id: String,
    },
    /// Which orders changed.
    ChangedOrders(Window),
    /// Which after-sale cases changed.
    ChangedAfterSales(Window),
    /// The next messages of the platform's queue.
    Messages,
    /// These messages of the queue are kept.
    ConfirmMessages {
        /// Their ids.
        message_ids: Vec<String>,
    },
    /// Agree to a case.
    Agree {
        /// The order it belongs to.
        order_id: String,
        /// The case.
        after_sale_id: String,
        /// How the case stood when it was decided.
        #[serde(default)]
        seen: Seen,
    },
    /// Refuse a case.
    Refuse {
        /// The order it belongs to.
        order_id: String,
        /// The case.
        after_sale_id: String,
        /// Why, for the buyer to read.
        reason: String,
        /// How the case stood when it was decided.
        #[serde(default)]
        seen: Seen,
    },
    /// The goods of a case have come back.
    ConfirmReceipt {
        /// The order it belongs to.
        order_id: String,
        /// The case.
        after_sale_id: String,
        /// How the case stood when it was decided.
        #[serde(default)]
        seen: Seen,
    },
    /// How many pieces can be bought.
    SetStock {
        /// What is sold.
        shelf: Shelf,
        /// Pieces.
        quantity: i64,
    },
    /// How many pieces more, or fewer, can be bought. Only [`super::Api::next`] makes it, where a platform takes differences.
    MoveStock {
        /// What is sold.
        shelf: Shelf,
        /// Pieces more; fewer below zero.
        by: i64,
    },
    /// The second step of a question or command that takes two: with what the answer to the first has told, in the platform's
    /// own words (a case's version and amount, say, which an agreement must repeat). Only [`super::Source::read`] makes it.
    Further {
        /// What was asked.
        first: Box<Self>,
        /// What is known.
        known: String,
    },
}

/// A question about one shop: the `request` of a row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The shop's id on the platform.
    pub shop_id: String,
    /// The question.
    #[serde(flatten)]
    pub ask: Ask,
}

/// How a case stood when somebody decided on it. Some platforms have another call for each kind or step of a case, and some
/// refuse a decision on a case that has moved on since: they want the version that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// What was to happen with the goods.
    pub kind: Option<RefundKind>,
    /// The sum that was asked for.
    pub amount: Option<Fen>,
    /// How far it had come.
    pub status: Option<RefundStatus>,
    /// The platform's number for the state it was in ([`domain::RefundFacts::version`]).
    pub version: Option<String>,
    /// When the record that was looked at was current.
    pub as_of: Option<UnixMs>,
}

impl Seen {
    /// How a case stands by what is known of it.
    pub fn of(facts: &RefundFacts) -> Self {
        let claim = facts.claim.as_ref();
        Self {
            kind: claim.map(|claim| claim.value.kind),
            amount: claim.map(|claim| claim.value.amount),
            status: facts.status(),
            version: facts.version.as_ref().map(|version| version.value.clone()),
            as_of: claim.map(|claim| claim.at),
        }
    }

    /// What was to happen with the goods, for platforms that have another call for each kind.
    ///
    /// # Errors
    /// [`ApiError::Permanent`]: the wrong call would pay back what is still with the buyer.
    pub fn kind(&self) -> Result<RefundKind, ApiError> {
        self.kind.ok_or_else(|| unseen("kind"))
    }

    /// The sum that was asked for.
    ///
    /// # Errors
    /// [`ApiError::Permanent`] while no record has told.
    pub fn amount(&self) -> Result<Fen, ApiError> {
        self.amount.ok_or_else(|| unseen("amount"))
    }

    /// When the record that was looked at was current.
    ///
    /// # Errors
    /// [`ApiError::Permanent`] while no record has told.
    pub fn as_of(&self) -> Result<UnixMs, ApiError> {
        self.as_of.ok_or_else(|| unseen("version"))
    }
}

fn unseen(what: &str) -> ApiError {
    ApiError::Permanent(Refusal::ours(&format!(
        "the {what} of the case is not known: wait for its record, then decide again"
    )))
}

/// A stretch of time in which to look for changes, and the page of the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// From this instant.
    pub since: UnixMs,
    /// To this instant.
    pub until: UnixMs,
    /// The page, in the platform's own words (a number or a cursor); none is the first.
    pub page: Option<String>,
}

impl Window {
    /// The page as a number, from `first` on.
    pub fn page_number(&self, first: i64) -> i64 {
        self.page.as_deref().and_then(|page| page.parse().ok()).unwrap_or(first)
    }
}

/// Where a SKU is offered on a marketplace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shelf {
    /// The platform's id of the product.
    pub product_id: String,
    /// The platform's id of the SKU; absent for a product without variants.
    pub sku_id: Option<String>,
}

impl Ask {
    /// Its name: the outbox's `operation`.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Order { .. } => "order",
            Self::AfterSale { .. } => "after_sale",
            Self::ChangedOrders(_) => "changed_orders",
            Self::ChangedAfterSales(_) => "changed_after_sales",
            Self::Messages => "messages",
            Self::ConfirmMessages { .. } => "confirm_messages",
            Self::Agree { .. } => "agree",
            Self::Refuse { .. } => "refuse",
            Self::ConfirmReceipt { .. } => "confirm_receipt",
            Self::SetStock { .. } => "set_stock",
            Self::MoveStock { .. } => "move_stock",
            Self::Further { .. } => "further",
        }
    }

    /// What it is about, in the platform's ids; empty for the shop as a whole.
    pub fn about(&self) -> &str {
        match self {
            Self::Order { order_id } => order_id,
            Self::AfterSale { after_sale_id, .. }
            | Self::Agree { after_sale_id, .. }
            | Self::Refuse { after_sale_id, .. }
            | Self::ConfirmReceipt { after_sale_id, .. } => after_sale_id,
            Self::ConfirmMessages { message_ids } => message_ids.first().map_or("", String::as_str),
            Self::SetStock { shelf, .. } | Self::MoveStock { shelf, .. } => {
                shelf.sku_id.as_ref().unwrap_or(&shelf.product_id)
            }
            Self::Further { first, .. } => first.about(),
            Self::ChangedOrders(_) | Self::ChangedAfterSales(_) | Self::Messages => "",
        }
    }

    /// What was asked in the first place: the same but for a second step.
    pub fn first(&self) -> &Self {
        match self {
            Self::Further { first, .. } => first.first(),
            other => other,
        }
    }

    /// The question whose answer tells what this command has done.
    pub fn record(&self) -> Option<Self> {
        match self {
            Self::Agree { order_id, after_sale_id, .. }
            | Self::Refuse { order_id, after_sale_id, .. }
            | Self::ConfirmReceipt { order_id, after_sale_id, .. } => {
                Some(Self::AfterSale { order_id: Some(order_id.clone()), after_sale_id: after_sale_id.clone() })
            }
            _ => None,
        }
    }

    /// What it pulls, if it is part of a pull.
    pub const fn pull_kind(&self) -> Option<PullKind> {
        match self {
            Self::ChangedOrders(_) => Some(PullKind::Orders),
            Self::ChangedAfterSales(_) => Some(PullKind::AfterSales),
            Self::Messages | Self::ConfirmMessages { .. } => Some(PullKind::Messages),
            _ => None,
        }
    }
}
