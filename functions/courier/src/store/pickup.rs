//! What Kuaidi100 must know of parcels and of couriers who fetch returns: rows of functions/orders, read when the call goes out.

use domain::PickupId;
use kit::{DbError, Tx, params};

/// What a courier is to do.
#[derive(Clone, Debug)]
pub struct PickupRow {
    /// The carrier by Kuaidi100's code.
    pub carrier: String,
    /// Who hands the parcel over, sealed.
    pub sender: Vec<u8>,
    /// What is in it.
    pub cargo: Option<String>,
    /// What it weighs.
    pub grams: Option<u32>,
}

/// What a courier is to do.
///
/// # Errors
/// [`DbError`] of the query.
pub fn pickup(tx: &Tx<'_>, id: PickupId) -> Result<Option<PickupRow>, DbError> {
    tx.query_one("select carrier, sender, cargo, grams from pickup where id = ?1", &params![id.to_string()])?
        .map(|row| {
            let grams: Option<i64> = row.get("grams")?;
            let grams = grams.and_then(|grams| grams.try_into().ok());
            Ok(PickupRow { carrier: row.get("carrier")?, sender: row.get("sender")?, cargo: row.get("cargo")?, grams })
        })
        .transpose()
}

/// The phone, sealed, of a buyer whose goods are in a parcel; some carriers (SF) tell nothing without its end.
///
/// # Errors
/// [`DbError`] of the query.
pub fn receiver_phone(tx: &Tx<'_>, tracking_number: &str) -> Result<Option<Vec<u8>>, DbError> {
    let query = r#"select phone from parcel_order join "order" on id = order_id
                    where tracking_number = ?1 and phone is not null limit 1"#;
    tx.query_one(query, &params![tracking_number])?.map(|row| row.get("phone")).transpose()
}
