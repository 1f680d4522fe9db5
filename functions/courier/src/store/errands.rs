//! Couriers who are to fetch returns: rows of functions/orders, read when the call goes out.

use domain::PickupId;
use kit::{DbError, Tx, params};

/// What a courier is to do.
#[derive(Clone, Debug)]
pub struct ErrandRow {
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
pub fn errand(tx: &Tx<'_>, id: PickupId) -> Result<Option<ErrandRow>, DbError> {
    tx.query_one("select carrier, sender, cargo, grams from pickup where id = ?1", &params![id.to_string()])?
        .map(|row| {
            let grams: Option<i64> = row.get("grams")?;
            let grams = grams.and_then(|grams| grams.try_into().ok());
            Ok(ErrandRow { carrier: row.get("carrier")?, sender: row.get("sender")?, cargo: row.get("cargo")?, grams })
        })
        .transpose()
}
