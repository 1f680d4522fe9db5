//! Baskets that are not left to chance.

use crate::marketplace::shop::{Basket, Goods};

/// Some pieces of tea, at a price in fen each.
pub fn tea(code: &str, quantity: u32, unit_price: i64) -> Goods {
    Goods { code: code.to_owned(), title: "测试茶".to_owned(), quantity, unit_price }
}

/// These goods and nothing else: no discount, no freight, no live room.
pub fn plain(goods: Vec<Goods>) -> Basket {
    Basket {
        buyer: "测试买家-1".to_owned(),
        goods,
        discount_merchant: 0,
        discount_platform: 0,
        freight: 0,
        room: None,
        region: ("浙江省", "杭州市"),
    }
}

/// Two lines of one SKU and one of another, with discounts that do not divide evenly.
pub fn uneven() -> Basket {
    let goods = vec![tea("TEA-A", 2, 1_990), tea("TEA-B", 1, 3_335), tea("TEA-A", 1, 1_990)];
    Basket { discount_merchant: 100, discount_platform: 1, freight: 600, ..plain(goods) }
}
