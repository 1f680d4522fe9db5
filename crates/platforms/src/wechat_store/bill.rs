//! The bill of an order: `price_info`.

use domain::{Amounts, Fen};
use serde::Deserialize;

use crate::lenient;
use crate::marketplace::MapError;

/// All in fen.
#[derive(Debug, Deserialize)]
pub(super) struct Price {
    #[serde(deserialize_with = "lenient::integer")]
    product_price: i64,
    /// What the buyer pays.
    #[serde(deserialize_with = "lenient::integer")]
    pub(super) order_price: i64,
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    freight: Option<i64>,
    /// `product_price + freight`.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    original_order_price: Option<i64>,
    /// What the merchant gets: the original price less what the merchant bears.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    merchant_receieve_price: Option<i64>,
    /// What a promoter (达人) bears.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    finder_discounted_price: Option<i64>,
    #[serde(default)]
    is_change_freight: Option<bool>,
    /// The freight after the merchant lowered it.
    #[serde(default, deserialize_with = "lenient::optional_integer")]
    change_freight: Option<i64>,
}

impl Price {
    /// Who bears what is read off the totals, since the list of the platform's discounts keeps growing: what the merchant gets
    /// beyond what the buyer pays (and a promoter bears) comes from the platform; all else is the merchant's.
    /// `order_price = original_order_price − discounts` is documented; that newer discounts keep to it is not confirmed.
    pub(super) fn amounts(&self) -> Result<Amounts, MapError> {
        let fen = |amount: Option<i64>| Fen::new(amount.unwrap_or(0));
        let (goods, payable) = (Fen::new(self.product_price), Fen::new(self.order_price));
        let mut freight = fen(self.freight);
        let original = match self.original_order_price {
            Some(original) if original > 0 => Fen::new(original),
            _ => goods.try_add(freight)?,
        };
        let discount = original.try_sub(payable)?;
        let subsidy = fen(self.merchant_receieve_price).try_sub(payable)?.try_sub(fen(self.finder_discounted_price))?;
        let discount_platform = subsidy.min(discount).max(Fen::ZERO);
        let mut discount_merchant = discount.try_sub(discount_platform)?;
        if self.is_change_freight == Some(true) {
            let lowered = fen(self.change_freight);
            discount_merchant = discount_merchant.try_sub(freight.try_sub(lowered)?)?;
            freight = lowered;
        }
        Ok(Amounts { goods, discount_merchant, discount_platform, freight, tax: Fen::ZERO, payable })
    }
}
