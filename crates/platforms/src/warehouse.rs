//! The merchant's warehouse (WMS): `POST /hooks/stock`, signed by Standard Webhooks ([`crate::standard_webhooks`]).
//!
//! A message is a document: goods came in, or left. This is our own API, so unknown fields are refused. A document has a number
//! of the warehouse's own and counts once, whatever number of messages bring it.

use std::collections::BTreeMap;

use domain::{Platform, UnixMs};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::own::{OwnError, invalid, not_blank};

/// A message: a document of a warehouse.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Message {
    /// Goods came in (入库).
    #[serde(rename = "goods.received")]
    Received {
        /// When, by the warehouse's clock.
        timestamp: UnixMs,
        /// The document.
        data: Receipt,
    },
    /// Goods left (出库).
    #[serde(rename = "goods.issued")]
    Issued {
        /// When, by the warehouse's clock.
        timestamp: UnixMs,
        /// The document.
        data: Issue,
    },
}

/// Goods that came in.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The warehouse, as the merchant numbers them.
    pub warehouse: String,
    /// The document's number, unique in the warehouse.
    pub document_id: String,
    /// Why they came.
    pub reason: ReceiptReason,
    /// The after-sale case that they come back for; only with reason `return`. The case's goods then count as received, with
    /// these pieces, and its platform is told.
    pub after_sale: Option<AfterSaleCase>,
    /// What came, at least one line. The same SKU may stand on two lines.
    pub lines: Vec<GoodsLine>,
}

/// Goods that left.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// The warehouse, as the merchant numbers them.
    pub warehouse: String,
    /// The document's number, unique in the warehouse.
    pub document_id: String,
    /// Why they left.
    pub reason: IssueReason,
    /// What left, at least one line. The same SKU may stand on two lines.
    pub lines: Vec<GoodsLine>,
}

/// Why goods came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptReason {
    /// Bought or made (采购入库).
    Purchase,
    /// From another warehouse or a store (调拨入库).
    Transfer,
    /// Back from a buyer (退货入库).
    Return,
    /// Found, or another reason (其他入库).
    Other,
}

/// Why goods left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IssueReason {
    /// With an order (销售出库). Orders book their own pieces when they leave, so the document changes nothing here.
    Sale,
    /// To another warehouse or a store (调拨出库).
    Transfer,
    /// Broken, expired or lost (报损).
    Loss,
    /// Used up, given away, or another reason (其他出库).
    Other,
}

/// An after-sale case, by its platform's own number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AfterSaleCase {
    /// The platform.
    pub platform: Platform,
    /// The shop's id on the platform.
    pub shop_id: String,
    /// The platform's id of the case; for own shops, the refund's number.
    pub after_sale_id: String,
}

/// Pieces of a SKU.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GoodsLine {
    /// The merchant's SKU code.
    pub sku: String,
    /// Pieces, at least one.
    #[schema(minimum = 1)]
    pub quantity: u32,
}

/// What a document says, all lines of one SKU together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// The warehouse.
    pub warehouse: String,
    /// The document's number in it.
    pub document_id: String,
    /// When, by the warehouse's clock. Not part of what it says: a document that is sent again may carry another time.
    #[serde(skip)]
    pub at: UnixMs,
    /// Which way the goods went, and why.
    pub movement: Movement,
    /// Pieces by SKU.
    pub pieces: BTreeMap<String, i64>,
}

/// Which way goods went, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Movement {
    /// In.
    In {
        /// Why.
        reason: ReceiptReason,
        /// The case that they come back for.
        after_sale: Option<AfterSaleCase>,
    },
    /// Out.
    Out {
        /// Why.
        reason: IssueReason,
    },
}

/// Reads a message.
///
/// # Errors
/// [`OwnError`] says which field to change. Answer it 422.
pub fn decode(body: &[u8]) -> Result<Document, OwnError> {
    let message = serde_json::from_slice(body).map_err(|source| OwnError::Malformed(source.to_string()))?;
    let (at, warehouse, document_id, movement, lines) = match message {
        Message::Received { timestamp, data } => {
            let Receipt { warehouse, document_id, reason, after_sale, lines } = data;
            if after_sale.is_some() && reason != ReceiptReason::Return {
                return Err(invalid("data.after_sale", "belongs to reason \"return\": change one of the two"));
            }
            (timestamp, warehouse, document_id, Movement::In { reason, after_sale }, lines)
        }
        Message::Issued { timestamp, data } => {
            let Issue { warehouse, document_id, reason, lines } = data;
            (timestamp, warehouse, document_id, Movement::Out { reason }, lines)
        }
    };
    not_blank("data.warehouse", &warehouse)?;
    not_blank("data.document_id", &document_id)?;
    Ok(Document { warehouse, document_id, at, movement, pieces: pieces(&lines)? })
}

fn pieces(lines: &[GoodsLine]) -> Result<BTreeMap<String, i64>, OwnError> {
    if lines.is_empty() {
        return Err(invalid("data.lines", "name at least one line"));
    }
    let mut pieces = BTreeMap::new();
    for (index, GoodsLine { sku, quantity }) in lines.iter().enumerate() {
        let field = |name: &str| format!("data.lines[{index}].{name}");
        not_blank(&field("sku"), sku)?;
        if *quantity == 0 {
            return Err(invalid(field("quantity"), "move at least one piece, or leave the line out"));
        }
        let sum: &mut i64 = pieces.entry(sku.clone()).or_default();
        *sum = sum.saturating_add(i64::from(*quantity));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::{Document, IssueReason, Movement, decode};
    use serde_json::{Value, json};

    fn issue(data: Value) -> Value {
        json!({ "type": "goods.issued", "timestamp": "2026-02-14T09:30:00+08:00", "data": data })
    }

    fn receipt(data: Value) -> Value {
        json!({ "type": "goods.received", "timestamp": "2026-02-14T09:30:00+08:00", "data": data })
    }

    fn read(message: &Value) -> Result<Document, String> {
        decode(message.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn two_lines_of_one_sku_count_together() {
        let lines =
            json!([{ "sku": "TEA", "quantity": 2 }, { "sku": "CUP", "quantity": 1 }, { "sku": "TEA", "quantity": 3 }]);
        let document =
            read(&issue(json!({ "warehouse": "W1", "document_id": "OUT-1", "reason": "loss", "lines": lines })))
                .unwrap();
        assert_eq!(document.movement, Movement::Out { reason: IssueReason::Loss });
        assert_eq!(document.pieces.into_iter().collect::<Vec<_>>(), [("CUP".to_owned(), 1), ("TEA".to_owned(), 5)]);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let one = json!([{ "sku": "TEA", "quantity": 1 }]);
        let case = json!({ "platform": "own", "shop_id": "S-001", "after_sale_id": "R-1" });
        for (message, said) in [
            (
                issue(json!({ "warehouse": " ", "document_id": "1", "reason": "loss", "lines": one })),
                "data.warehouse: must not be blank",
            ),
            (
                issue(json!({ "warehouse": "W", "document_id": "", "reason": "loss", "lines": one })),
                "data.document_id: must",
            ),
            (issue(json!({ "warehouse": "W", "document_id": "1", "reason": "loss", "lines": [] })), "data.lines: name"),
            (
                issue(
                    json!({ "warehouse": "W", "document_id": "1", "reason": "loss", "lines": [{ "sku": "TEA", "quantity": 0 }] }),
                ),
                "data.lines[0].quantity: move",
            ),
            (
                issue(
                    json!({ "warehouse": "W", "document_id": "1", "reason": "loss", "lines": [{ "sku": "TEA", "quantity": -1 }] }),
                ),
                "documented form",
            ),
            (
                issue(json!({ "warehouse": "W", "document_id": "1", "reason": "stolen", "lines": one })),
                "documented form",
            ),
            (
                issue(json!({ "warehouse": "W", "document_id": "1", "reason": "loss", "lines": one, "linse": 1 })),
                "unknown field `linse`",
            ),
            (
                receipt(
                    json!({ "warehouse": "W", "document_id": "1", "reason": "purchase", "lines": one, "after_sale": case }),
                ),
                "data.after_sale: belongs",
            ),
        ] {
            let error = read(&message).unwrap_err();
            assert!(error.contains(said), "{message}: {error}");
        }
    }
}
