//! The merchant of the tests: a tea chain, made up, with live rooms on the marketplaces and stores with tills.
//!
//! Buyers, guides, stores and numbers are invented; the same seed makes the same morning.

pub mod baskets;
pub mod tills;

use std::collections::BTreeMap;

use crate::marketplace::dialect::Dialect;
use crate::marketplace::shop::{Basket, Goods, Impossible, Room, Shop};

/// The menu: SKU code, title, price in fen.
pub const MENU: [(&str, &str, i64); 6] = [
    ("TEA-LJ-50", "明前龙井 50 克", 12_800),
    ("TEA-DC-100", "凤凰单丛 100 克", 16_900),
    ("TEA-PE-357", "普洱熟茶饼 357 克", 23_999),
    ("CUP-OOLONG", "冷泡乌龙 500 毫升", 1_990),
    ("CUP-LEMON", "鸭屎香柠檬茶", 2_200),
    ("GIFT-01", "节气茶礼盒", 39_801),
];

const REGIONS: [(&str, &str); 4] =
    [("浙江省", "杭州市"), ("广东省", "潮州市"), ("云南省", "昆明市"), ("上海市", "上海市")];

/// How big the morning is, and which one.
#[derive(Clone, Copy, Debug)]
pub struct Morning {
    /// Decides all that is left to chance.
    pub seed: u64,
    /// Orders from the live room.
    pub live_orders: u32,
    /// Sales over the stores' counters.
    pub store_orders: u32,
    /// When it begins, Unix seconds.
    pub begins: i64,
}

/// What a platform lets happen to an order.
#[derive(Clone, Copy, Debug)]
pub struct Ways {
    /// Lines in an order at most.
    pub lines: usize,
    /// Whether part of the money can go back before the goods have left, and the platform says so.
    pub refunds_before_shipping: bool,
    /// Whether the merchant hears of orders that nobody has paid.
    pub unpaid: bool,
}

impl Ways {
    /// Everything.
    pub const ALL: Self = Self { lines: usize::MAX, refunds_before_shipping: true, unpaid: true };

    /// Those of a simulated platform. JD knows cancellations only, of which it never says that the money went back; on Pinduoduo
    /// an order that is refunded before shipping is over. Neither shows what is not paid.
    pub fn of(dialect: &dyn Dialect) -> Self {
        let all = !matches!(dialect.name(), "jd" | "pinduoduo");
        Self { lines: dialect.lines(), refunds_before_shipping: all, unpaid: all }
    }
}

impl Morning {
    /// The live room's share: orders are placed, most are paid, many shipped, some finished, some cancelled, some refunded.
    /// The shop has then a change to tell about each step.
    ///
    /// # Errors
    /// [`Impossible`] if the story does not hold together; that would be a mistake in here.
    pub fn live_room(&self, shop: &mut Shop) -> Result<(), Impossible> {
        self.live_room_where(shop, Ways::ALL)
    }

    /// The same on a platform that does not have all ways.
    ///
    /// # Errors
    /// As for [`Morning::live_room`].
    pub fn live_room_where(&self, shop: &mut Shop, ways: Ways) -> Result<(), Impossible> {
        let mut dice = fastrand::Rng::with_seed(self.seed);
        let mut at = self.begins;
        let mut now = || {
            at += 1;
            at
        };
        let placed: Vec<String> = (0..self.live_orders)
            .map(|n| {
                let mut basket = basket(&mut dice, n);
                basket.goods.truncate(ways.lines);
                shop.place(basket, now())
            })
            .collect();
        let mut percent = |percent: u8| dice.u8(0..100) < percent;
        let (mut paid, mut shipped) = (Vec::new(), Vec::new());
        for order in &placed {
            if percent(84) || !ways.unpaid {
                shop.pay(order, now())?;
                paid.push(order);
            } else if percent(60) {
                shop.cancel(order, now())?;
            }
        }
        for order in &paid {
            if percent(75) {
                shop.ship(order, now())?;
                shipped.push(*order);
            }
        }
        for order in if ways.refunds_before_shipping { &paid } else { &shipped } {
            if percent(12) {
                let case = shop.ask_refund(order, 1_000, now())?;
                if percent(70) {
                    shop.refund(&case, now())?;
                } else if percent(50) {
                    shop.close_case(&case, now())?;
                }
            }
        }
        for order in &shipped {
            if percent(40) {
                shop.finish(order, now())?;
            }
        }
        Ok(())
    }
}

fn basket(dice: &mut fastrand::Rng, buyer: u32) -> Basket {
    let goods: Vec<Goods> = (0..dice.usize(1..=3)).map(|_| goods(dice)).collect();
    let total: i64 = goods.iter().map(|goods| goods.unit_price * i64::from(goods.quantity)).sum();
    Basket {
        buyer: format!("测试买家-{buyer:05}"),
        // Odd amounts, so that a discount never divides evenly over the lines.
        discount_merchant: if total > 10_000 { 1_001 } else { 0 },
        discount_platform: if dice.bool() { 333 } else { 0 },
        freight: if total < 5_000 { 800 } else { 0 },
        goods,
        room: Some(Room { id: 7_300_000_000_000_000_001, author_id: 9_000_000_001, author_name: "测试主播" }),
        region: REGIONS[dice.usize(..REGIONS.len())],
    }
}

/// One to three pieces of something from the menu; the same SKU may come up twice in a basket.
fn goods(dice: &mut fastrand::Rng) -> Goods {
    let (code, title, unit_price) = MENU[dice.usize(..MENU.len())];
    Goods { code: code.to_owned(), title: title.to_owned(), quantity: dice.u32(1..=3), unit_price }
}

/// A merchant's or a platform's own books, against which the system's answers are held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Orders by status, in the system's words.
    pub orders: BTreeMap<String, u64>,
    /// All that was paid, fen.
    pub paid: i64,
    /// All that went back, fen.
    pub refunded: i64,
}

impl Books {
    /// Take in an order that ended as `status` and for which `paid` fen were paid.
    pub fn order(&mut self, status: &str, paid: i64) {
        *self.orders.entry(status.to_owned()).or_default() += 1;
        self.paid += paid;
    }

    /// What remains with the merchant, fen.
    pub fn revenue(&self) -> i64 {
        self.paid - self.refunded
    }

    /// Add other books to these.
    pub fn add(&mut self, other: &Self) {
        for (status, count) in &other.orders {
            *self.orders.entry(status.clone()).or_default() += count;
        }
        self.paid += other.paid;
        self.refunded += other.refunded;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn morning(seed: u64) -> Shop {
        let mut shop = Shop::new(0, |_, number| number.to_string());
        Morning { seed, live_orders: 300, store_orders: 0, begins: 1_790_000_000 }.live_room(&mut shop).unwrap();
        shop
    }

    #[test]
    fn a_morning_has_orders_in_every_state_and_the_same_seed_gives_the_same_one() {
        let mut shop = morning(1);
        let books = shop.books();
        let states: Vec<_> = books.orders.keys().map(String::as_str).collect();
        assert_eq!(states, ["closed", "completed", "created", "paid", "shipped"]);
        assert!(books.refunded > 0 && books.revenue() > 0);
        assert_eq!(morning(1).untold(), shop.untold());
        assert_ne!(morning(2).books(), books);
    }
}
