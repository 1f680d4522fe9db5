//! Stock: the platform takes differences only (`open.item.sku.stock.update`), so the product is looked up first (`open.item.get`).

use serde::Deserialize;
use serde_json::Value;

use crate::lenient;
use crate::marketplace::{ApiError, Ask, Refusal, Shelf};

/// `changeType`: more pieces.
pub const MORE: i64 = 1;
/// `changeType`: fewer pieces.
pub const FEWER: i64 = 2;

#[derive(Deserialize)]
struct Item {
    /// Older documents call it `skuList`.
    #[serde(rename = "skuInfos", alias = "skuList", default, deserialize_with = "lenient::list")]
    skus: Vec<Sku>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sku {
    #[serde(deserialize_with = "lenient::id")]
    kwai_sku_id: String,
    #[serde(deserialize_with = "lenient::integer")]
    sku_stock: i64,
}

/// What is missing to `quantity` pieces by the product's record; nothing when none is.
///
/// # Errors
/// [`ApiError::Permanent`] when the record is none, or does not have the SKU.
pub fn difference(shelf: &Shelf, quantity: i64, item: &Value) -> Result<Option<Ask>, ApiError> {
    let permanent = |why: &str| ApiError::Permanent(Refusal::ours(why));
    let Item { skus } = Item::deserialize(item).map_err(|_| permanent("data is no product"))?;
    let sku = match (&shelf.sku_id, skus.as_slice()) {
        (None, [only]) => only,
        (None, _) => return Err(permanent("the product has several SKUs: the listing must name one")),
        (Some(id), skus) => {
            skus.iter().find(|sku| sku.kwai_sku_id == *id).ok_or_else(|| permanent("the product has no such SKU"))?
        }
    };
    let by = quantity.saturating_sub(sku.sku_stock);
    let shelf = Shelf { product_id: shelf.product_id.clone(), sku_id: Some(sku.kwai_sku_id.clone()) };
    Ok((by != 0).then_some(Ask::MoveStock { shelf, by }))
}

#[cfg(test)]
mod tests {
    use super::difference;
    use crate::marketplace::{Ask, Shelf};
    use serde_json::json;

    #[test]
    fn the_difference_is_to_what_the_product_has_now() {
        let item = json!({ "kwaiItemId": 7, "skuInfos": [
            { "kwaiSkuId": 71, "skuStock": 10 }, { "kwaiSkuId": "72", "skuStock": "3" }] });
        let by = |sku_id: Option<&str>, quantity| {
            let shelf = Shelf { product_id: "7".to_owned(), sku_id: sku_id.map(str::to_owned) };
            difference(&shelf, quantity, &item).map(|next| match next {
                Some(Ask::MoveStock { shelf, by }) => (shelf.sku_id, by),
                None => (None, 0),
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(by(Some("71"), 18), Ok((Some("71".to_owned()), 8)));
        assert_eq!(by(Some("72"), 0), Ok((Some("72".to_owned()), -3)));
        assert_eq!(by(Some("71"), 10), Ok((None, 0)), "nothing to tell");
        assert!(by(Some("73"), 1).is_err() && by(None, 1).is_err());
        let only = json!({ "skuList": [{ "kwaiSkuId": 71, "skuStock": 1 }] });
        let shelf = Shelf { product_id: "7".to_owned(), sku_id: None };
        assert!(matches!(difference(&shelf, 2, &only), Ok(Some(Ask::MoveStock { by: 1, .. }))));
        assert!(difference(&shelf, 2, &json!([])).is_err());
    }
}
