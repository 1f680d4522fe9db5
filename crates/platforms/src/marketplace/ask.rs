//! What a marketplace can be asked.

use domain::{RefundKind, RefundStatus, UnixMs};
use serde::{Deserialize, Serialize};

/// A question or a command to a marketplace, as the outbox keeps it. Ids are the platform's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
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
}

/// How a case stood when somebody decided on it. Some platforms have another call for each kind or step of a case, and some
/// refuse a decision on a case that has moved on since: they want the version that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// What was to happen with the goods.
    pub kind: Option<RefundKind>,
    /// How far it had come.
    pub status: Option<RefundStatus>,
    /// The platform's number for the state it was in ([`domain::RefundFacts::version`]).
    pub version: Option<String>,
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
        }
    }
}
