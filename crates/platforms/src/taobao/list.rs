//! What changed: `taobao.trades.sold.increment.get` and `taobao.refunds.receive.get`.

use serde::Deserialize;
use serde_json::Value;

use super::LISTS;
use super::api::Call;
use crate::backwards::Place;
use crate::marketplace::{Answer, Ask, MapError, Window};
use crate::{gmt8_text, lenient};

/// Trades by the seller's shop, by mail order, by presale in two steps, by voucher, and from abroad. The default is without the
/// last three. Not confirmed: that the list is complete.
const TYPES: &str = "guarantee_trade,auto_delivery,ec,cod,step,eticket,tmall_i18n";

/// What asks for a page of changed trades.
pub(super) fn trades_call(window: &Window) -> Call {
    paged("taobao.trades.sold.increment.get", window, "tid")
}

/// What asks for a page of changed cases.
pub(super) fn refunds_call(window: &Window) -> Call {
    paged("taobao.refunds.receive.get", window, "refund_id,tid")
}

fn paged(method: &'static str, window: &Window, fields: &str) -> Call {
    Call::new(
        method,
        [
            ("fields", fields),
            ("type", TYPES),
            ("start_modified", &gmt8_text(window.since)),
            ("end_modified", &gmt8_text(window.until)),
            ("page_no", &Place::of(window).number().to_string()),
            ("page_size", &LISTS.page_size.to_string()),
        ],
    )
}

#[derive(Deserialize)]
struct Page {
    #[serde(deserialize_with = "lenient::integer")]
    total_results: i64,
    /// Absent where nothing changed.
    #[serde(default)]
    trades: Option<Trades>,
    #[serde(default)]
    refunds: Option<Refunds>,
}

#[derive(Deserialize)]
struct Trades {
    #[serde(default)]
    trade: Vec<Trade>,
}

#[derive(Deserialize)]
struct Trade {
    #[serde(deserialize_with = "lenient::id")]
    tid: String,
}

#[derive(Deserialize)]
struct Refunds {
    #[serde(default)]
    refund: Vec<Refund>,
}

#[derive(Deserialize)]
struct Refund {
    #[serde(deserialize_with = "lenient::id")]
    refund_id: String,
    #[serde(default, deserialize_with = "lenient::optional_id")]
    tid: Option<String>,
}

/// Reads a page of changed trades.
pub(super) fn trades(window: &Window, answer: &Value) -> Result<Answer, MapError> {
    let page = Page::deserialize(answer)?;
    let trades = page.trades.map(|trades| trades.trade).unwrap_or_default();
    let asks = trades.into_iter().map(|trade| Ask::Order { order_id: trade.tid });
    Ok(LISTS.turn(window, page.total_results, asks.collect()))
}

/// Reads a page of changed cases.
pub(super) fn refunds(window: &Window, answer: &Value) -> Result<Answer, MapError> {
    let page = Page::deserialize(answer)?;
    let refunds = page.refunds.map(|refunds| refunds.refund).unwrap_or_default();
    let asks =
        refunds.into_iter().map(|refund| Ask::AfterSale { order_id: refund.tid, after_sale_id: refund.refund_id });
    Ok(LISTS.turn(window, page.total_results, asks.collect()))
}
