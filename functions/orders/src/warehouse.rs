//! Documents of warehouses: each counts once, and as a whole or not at all.

use crate::decision::{self, Decision};
use crate::store::{self, Reason, Taken};
use domain::{Platform, RefundStatus, StockCause};
use kit::{Problem, Tx};
use platforms::warehouse::{AfterSaleCase, Document, IssueReason, Movement};

/// What has become of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its pieces are booked, but for these SKUs, whose stock is not kept.
    Booked(Vec<String>),
    /// It is noted and changes nothing: what leaves with an order is booked by the order.
    Noted,
    /// It was taken before.
    Duplicate,
}

/// Takes a document.
///
/// # Errors
/// [`Problem`] says what to change when its number was used for another, when more leaves than there is, or when it is about a
/// case that is not known; 503 when the database is busy.
pub fn take(tx: &Tx<'_>, document: &Document) -> Result<Outcome, Problem> {
    match store::take_document(tx, document)? {
        Taken::New => {}
        Taken::Before => return Ok(Outcome::Duplicate),
        Taken::Another => {
            let why =
                "the warehouse's document of this number said something else: correct it by a document of its own";
            return Err(Problem::conflict("document-changed", why));
        }
    }
    let reason = |cause| Reason { cause, order_id: None, document_id: Some(&document.document_id) };
    match &document.movement {
        Movement::In { after_sale: Some(case), .. } => came_back(tx, document, case),
        Movement::In { .. } => book(tx, document, 1, reason(StockCause::Moved)),
        Movement::Out { reason: IssueReason::Sale } => Ok(Outcome::Noted),
        Movement::Out { .. } => {
            for (sku, pieces) in &document.pieces {
                store::break_promises(tx, sku, *pieces)?;
            }
            book(tx, document, -1, reason(StockCause::Moved))
        }
    }
}

/// Adds a document's pieces to stock, or takes them away (`sign` −1).
fn book(tx: &Tx<'_>, document: &Document, sign: i64, reason: Reason<'_>) -> Result<Outcome, Problem> {
    let mut not_kept = Vec::new();
    for (sku, pieces) in &document.pieces {
        if store::stock(tx, sku)?.is_none() {
            not_kept.push(sku.clone());
        } else if store::move_stock(tx, sku, sign * pieces, reason)?.is_none() {
            let why =
                format!("more of {sku} left than there is: count it (PUT /v1/stock/{{sku}}), then send this again");
            return Err(Problem::conflict("stock-missing", why));
        }
    }
    Ok(Outcome::Booked(not_kept))
}

/// The goods of an after-sale case have come back: these pieces, whatever the case said.
fn came_back(tx: &Tx<'_>, document: &Document, case: &AfterSaleCase) -> Result<Outcome, Problem> {
    let AfterSaleCase { platform, shop_id, after_sale_id } = case;
    let known = store::case(tx, *platform, shop_id, after_sale_id)?;
    let (order, refund) = known.ok_or_else(|| {
        let why = "data.after_sale: no such case is known: name its platform, shop and number, or leave it out";
        Problem::unprocessable("case-unknown", why)
    })?;
    if !decision::returned(tx, &order, &refund)? {
        // Somebody has confirmed it already, and so it is on the shelf.
        return Ok(Outcome::Noted);
    }
    let status = refund.facts.status().unwrap_or(RefundStatus::Applied);
    if *platform != Platform::Own && Decision::ConfirmReceipt.fits(status) {
        decision::decide(tx, &order, &refund, Decision::ConfirmReceipt)?;
    }
    let reason =
        Reason { cause: StockCause::Returned, order_id: Some(order.id), document_id: Some(&document.document_id) };
    book(tx, document, 1, reason)
}
