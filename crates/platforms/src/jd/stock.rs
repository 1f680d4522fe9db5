//! Stock: `jingdong.ware.stock.sku.set`, which follows `jingdong.stock.write.updateSkuStock`. Not confirmed: the words for the
//! way (`fullStockIn`: the quantity itself) and the model (`POP_SOP`: the merchant's own warehouse).

use domain::UnixMs;
use serde_json::{Value, json};

use super::api::{number, refused};
use crate::lenient::flag;
use crate::marketplace::{ApiError, Shelf};

/// What sets the pieces of a SKU, with a reference of its own for each attempt.
///
/// # Errors
/// [`ApiError::Permanent`] without a SKU: every product of JD's has one.
pub(super) fn set(shelf: &Shelf, quantity: i64, now: UnixMs) -> Result<(&'static str, Value), ApiError> {
    let sku_id =
        shelf.sku_id.as_deref().ok_or_else(|| ApiError::unsupported("keep stock of a product without a SKU"))?;
    let params = json!({ "req": {
        "updateModel": "fullStockIn", "stockRfId": format!("{sku_id}-{}", now.millis()),
        "skuStocks": [{ "skuId": number(sku_id), "stockNum": quantity, "stockModel": "POP_SOP" }],
    }});
    Ok(("jingdong.ware.stock.sku.set", params))
}

/// Looks into the answer to [`set`], which succeeds as a whole and says SKU by SKU whether it was done.
///
/// # Errors
/// [`ApiError::Permanent`] when it was not.
pub(super) fn done(answer: &Value) -> Result<(), ApiError> {
    let results = answer.pointer("/returnType/obj/updateStockResult").and_then(Value::as_array);
    let failed = results.into_iter().flatten().find(|result| result.get("success").and_then(flag) == Some(false));
    failed.map_or(Ok(()), |result| Err(refused(result)))
}
