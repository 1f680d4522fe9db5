//! The SQL of orders, refunds, stock and what came in.

mod buyer;
mod document;
mod listing;
mod order;
mod parcel;
mod pickup;
mod pull;
mod refund;
mod stock;

pub use buyer::{Bought, add_interval, cycle, is_first, purchase, remove_interval};
pub use document::{Taken, take_document};
pub use listing::{ListingRow, listed_sku, listing_asked, listing_told, listings, replace_listings};
pub use order::{
    Filter, KnownOrder, Listed, Mark, find_order, forget_phones, history, id_of_order, list, listed_by_id, order_by_id,
    save_order,
};
pub use parcel::{KnownParcel, note_parcel, orders_in_parcel, parcel, save_parcel};
pub use pickup::{KnownPickup, forget_senders, pickup, pickup_of, save_pickup};
pub use pull::{PullRow, advance_pull, begin_pull, is_connected, pull, pull_failed};
pub use refund::{
    KnownRefund, case, find_refund, mark_received, order_of_refund, refund_by_case, refund_by_id, refunds, save_refund,
};
pub use stock::{Reason, StockRow, break_promises, count, held, move_stock, reserve, stock};

use domain::UnixMs;
use kit::DbError;
use serde::Serialize;

fn json(value: &impl Serialize) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Shape(error.to_string()))
}

fn millis(instant: Option<UnixMs>) -> Option<i64> {
    instant.map(UnixMs::millis)
}
