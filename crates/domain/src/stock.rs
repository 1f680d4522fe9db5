//! Stock of one SKU: reserve when ordered, commit when it leaves, release when the order falls through. Never negative.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Line;

/// Pieces of one SKU. `0 ≤ reserved ≤ on_hand` always holds; what can still be sold is the difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "StockRow", into = "StockRow")]
pub struct Stock {
    /// Pieces in the store, promised ones included.
    on_hand: i64,
    /// Pieces promised to orders that have not left yet.
    reserved: i64,
}

impl Stock {
    /// Stock as a row of the database or a count in the store says it.
    ///
    /// # Errors
    /// [`StockError::Impossible`] unless `0 ≤ reserved ≤ on_hand`.
    pub const fn new(on_hand: i64, reserved: i64) -> Result<Self, StockError> {
        if 0 <= reserved && reserved <= on_hand {
            Ok(Self { on_hand, reserved })
        } else {
            Err(StockError::Impossible { on_hand, reserved })
        }
    }

    /// Pieces in the store, promised ones included.
    pub const fn on_hand(self) -> i64 {
        self.on_hand
    }

    /// Pieces promised to orders that have not left yet.
    pub const fn reserved(self) -> i64 {
        self.reserved
    }

    /// Pieces that can still be sold.
    pub const fn available(self) -> i64 {
        self.on_hand - self.reserved
    }

    /// Promises `quantity` pieces to an order.
    ///
    /// # Errors
    /// [`StockError::NotPositive`]; [`StockError::SoldOut`] when fewer are available.
    pub fn reserve(self, quantity: i64) -> Result<Self, StockError> {
        let quantity = positive(quantity)?;
        if quantity > self.available() {
            return Err(StockError::SoldOut { asked: quantity, available: self.available() });
        }
        Self::new(self.on_hand, self.reserved + quantity)
    }

    /// Hands `quantity` promised pieces over: they leave the store.
    ///
    /// # Errors
    /// [`StockError::NotPositive`]; [`StockError::NotReserved`] when fewer are promised.
    pub fn commit(self, quantity: i64) -> Result<Self, StockError> {
        let quantity = self.promised(quantity)?;
        Self::new(self.on_hand - quantity, self.reserved - quantity)
    }

    /// Takes the promise of `quantity` pieces back: they can be sold again.
    ///
    /// # Errors
    /// [`StockError::NotPositive`]; [`StockError::NotReserved`] when fewer are promised.
    pub fn release(self, quantity: i64) -> Result<Self, StockError> {
        let quantity = self.promised(quantity)?;
        Self::new(self.on_hand, self.reserved - quantity)
    }

    /// Sets the pieces in the store to what was counted.
    ///
    /// # Errors
    /// [`StockError::Impossible`] when fewer were counted than are promised: release orders first.
    pub const fn recount(self, on_hand: i64) -> Result<Self, StockError> {
        Self::new(on_hand, self.reserved)
    }

    fn promised(self, quantity: i64) -> Result<i64, StockError> {
        let quantity = positive(quantity)?;
        if quantity > self.reserved {
            return Err(StockError::NotReserved { asked: quantity, reserved: self.reserved });
        }
        Ok(quantity)
    }
}

/// The JSON form of [`Stock`], not yet checked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StockRow {
    on_hand: i64,
    reserved: i64,
}

impl TryFrom<StockRow> for Stock {
    type Error = StockError;

    fn try_from(row: StockRow) -> Result<Self, StockError> {
        Self::new(row.on_hand, row.reserved)
    }
}

impl From<Stock> for StockRow {
    fn from(stock: Stock) -> Self {
        Self { on_hand: stock.on_hand, reserved: stock.reserved }
    }
}

/// Pieces wanted of each SKU. Two lines of one SKU count together: checking them one by one would sell the last piece twice.
pub fn demand(lines: &[Line]) -> BTreeMap<&str, i64> {
    let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
    for line in lines {
        // u32 quantities cannot add up to more than i64 holds in any list that fits memory.
        *wanted.entry(&line.sku).or_default() += i64::from(line.quantity);
    }
    wanted
}

/// Why stock cannot change so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StockError {
    /// Not a number of pieces.
    #[error("{0} is not a number of pieces: it must be above zero")]
    NotPositive(i64),
    /// Too few to sell.
    #[error("{asked} pieces are wanted and {available} are available")]
    SoldOut {
        /// Pieces wanted.
        asked: i64,
        /// Pieces available.
        available: i64,
    },
    /// Too few promised.
    #[error("{asked} pieces should leave the reservation, which holds {reserved}")]
    NotReserved {
        /// Pieces to commit or release.
        asked: i64,
        /// Pieces reserved.
        reserved: i64,
    },
    /// A row that cannot be.
    #[error("stock of {on_hand} on hand and {reserved} reserved cannot be: 0 ≤ reserved ≤ on hand must hold")]
    Impossible {
        /// Pieces on hand.
        on_hand: i64,
        /// Pieces reserved.
        reserved: i64,
    },
}

const fn positive(quantity: i64) -> Result<i64, StockError> {
    if quantity > 0 { Ok(quantity) } else { Err(StockError::NotPositive(quantity)) }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Stock, StockError, demand};
    use crate::{Fen, Line};

    fn line(line_id: &str, sku: &str, quantity: u32) -> Line {
        Line {
            line_id: line_id.to_owned(),
            sku: sku.to_owned(),
            product_id: None,
            title: "Invented tea".to_owned(),
            quantity,
            unit_price: Fen::new(100),
            discount: Fen::ZERO,
        }
    }

    #[test]
    fn two_lines_of_one_sku_count_together() {
        let lines = [line("1", "tea", 2), line("2", "cup", 1), line("3", "tea", 3)];
        assert_eq!(demand(&lines).into_iter().collect::<Vec<_>>(), [("cup", 1), ("tea", 5)]);
        let five = Stock::new(4, 0).unwrap().reserve(demand(&lines)["tea"]);
        assert_eq!(five, Err(StockError::SoldOut { asked: 5, available: 4 }));
    }

    #[test]
    fn a_piece_is_reserved_then_leaves_or_returns() {
        let reserved = Stock::new(10, 0).unwrap().reserve(4).unwrap();
        assert_eq!((reserved.on_hand(), reserved.reserved(), reserved.available()), (10, 4, 6));
        assert_eq!(reserved.commit(3), Stock::new(7, 1));
        assert_eq!(reserved.release(4), Stock::new(10, 0));
        assert_eq!(reserved.recount(4), Stock::new(4, 4));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let stock = Stock::new(10, 4).unwrap();
        assert_eq!(stock.reserve(7), Err(StockError::SoldOut { asked: 7, available: 6 }));
        assert_eq!(stock.commit(5), Err(StockError::NotReserved { asked: 5, reserved: 4 }));
        assert_eq!(stock.release(5), Err(StockError::NotReserved { asked: 5, reserved: 4 }));
        assert_eq!(stock.reserve(0), Err(StockError::NotPositive(0)));
        assert_eq!(stock.commit(i64::MIN), Err(StockError::NotPositive(i64::MIN)));
        assert_eq!(stock.recount(3), Err(StockError::Impossible { on_hand: 3, reserved: 4 }));
        assert!(serde_json::from_str::<Stock>(r#"{"on_hand":1,"reserved":2}"#).is_err());
    }

    proptest! {
        /// Whatever is tried, in whatever order: what succeeds leaves stock that can be, what fails says so.
        #[test]
        fn stock_is_never_negative(start in 0_i64..50, steps in vec((0..3, -2_i64..60), 0..40)) {
            let mut stock = Stock::new(start, 0).unwrap();
            for (step, quantity) in steps {
                let next = match step {
                    0 => stock.reserve(quantity),
                    1 => stock.commit(quantity),
                    _ => stock.release(quantity),
                };
                stock = next.unwrap_or(stock);
                prop_assert!(0 <= stock.reserved() && stock.reserved() <= stock.on_hand() && stock.on_hand() <= start);
            }
        }
    }
}
