//! Records: what they tell, in whatever order.

use std::collections::BTreeMap;

use domain::{OrderFacts, OrderKey, OrderStatus, RefundFacts, RefundStatus};
use platforms::Fact;
use platforms::marketplace::Ask;
use siyu_tests::marketplace::shop::{Goods, Impossible, Shop};

use crate::THEN;
use crate::pair::Pair;

/// Platforms that tell of all pieces of one SKU together.
const ADDS_UP_SKUS: &[&str] = &["xiaohongshu"];

#[tokio::test]
async fn a_record_tells_what_the_platform_s_books_say() {
    for pair in Pair::all().await {
        let order_id = pair.server.shop(|shop| {
            let id = shop.place(pair.basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            shop.ship(&id, THEN + 120).unwrap();
            shop.sign(&id, THEN + 180).unwrap();
            id
        });
        let Fact::Order { key, facts } = pair.fact(&Ask::Order { order_id: order_id.clone() }).await else { panic!() };
        assert_eq!((&key.shop_id, &key.platform_order_id), (&pair.shop_id, &order_id));
        let order = facts.order(key);
        assert_eq!(order.flags, [], "{order:?}");
        assert_eq!(order.paid.unwrap().get(), pair.server.books().paid);
        assert_eq!(order.amounts.as_ref().unwrap().payable.get(), pair.server.books().paid);
        let lines: Vec<_> = order.lines.iter().map(|line| (line.sku.as_str(), line.quantity)).collect();
        let mut goods: Vec<(String, u32)> = Vec::new();
        for Goods { code, quantity, .. } in pair.basket().goods {
            match goods.iter_mut().find(|(known, _)| *known == code).filter(|_| pair.is_one_of(ADDS_UP_SKUS)) {
                Some((_, sum)) => *sum += quantity,
                None => goods.push((code, quantity)),
            }
        }
        let goods: Vec<_> = goods.iter().map(|(code, quantity)| (code.as_str(), *quantity)).collect();
        assert_eq!(lines, goods, "{}", pair.name());
        assert!(order.status >= OrderStatus::Shipped, "{:?}", order.status);
    }
}

/// A step of an order's life, at a time.
type Step = fn(&mut Shop, &str, i64) -> Result<(), Impossible>;

/// Does something to the only case.
fn on_case(shop: &mut Shop, step: impl Fn(&mut Shop, &str) -> Result<(), Impossible>) -> Result<(), Impossible> {
    let case = shop.cases().next().unwrap().id.clone();
    step(shop, &case)
}

const LIFE: [Step; 7] = [
    |shop, order, at| shop.pay(order, at),
    |shop, order, at| shop.ship(order, at),
    |shop, order, at| shop.ask_return(order, 1_990, at).map(drop),
    |shop, _, at| on_case(shop, |shop, case| shop.agree(case, at)),
    |shop, _, at| on_case(shop, |shop, case| shop.send_back(case, at)),
    |shop, order, at| shop.finish(order, at),
    |shop, _, at| on_case(shop, |shop, case| shop.confirm_receipt(case, at)),
];

/// What a receiver's books hold after these facts, in this order.
fn books(facts: Vec<Fact>) -> (BTreeMap<OrderKey, OrderFacts>, BTreeMap<(OrderKey, String), RefundFacts>) {
    let (mut orders, mut refunds) = (BTreeMap::<_, OrderFacts>::new(), BTreeMap::<_, RefundFacts>::new());
    for fact in facts {
        match fact {
            Fact::Order { key, facts } => orders.entry(key).or_default().merge(facts),
            Fact::Refund { order, after_sale_id, facts } => {
                refunds.entry((order, after_sale_id)).or_default().merge(facts);
            }
        }
    }
    (orders, refunds)
}

#[tokio::test]
async fn every_sequence_of_messages_and_records_ends_in_the_same_books() {
    for pair in Pair::all().await {
        let order_id = pair.server.shop(|shop| shop.place(pair.basket(), THEN));
        let mut told = pair.told(&order_id).await;
        for (at, step) in (THEN + 1..).zip(LIFE) {
            pair.server.shop(|shop| step(shop, &order_id, at)).unwrap();
            told.extend(pair.told(&order_id).await);
        }
        let (orders, refunds) = books(told.clone());
        let (key, facts) = orders.first_key_value().unwrap();
        let order = facts.order(key.clone());
        assert_eq!((orders.len(), order.status, order.flags), (1, OrderStatus::Completed, vec![]));
        let (order_books, refund) = (pair.server.books(), refunds.values().next().unwrap());
        assert_eq!(order.paid.unwrap().get(), order_books.paid);
        assert_eq!((refunds.len(), refund.status()), (1, Some(RefundStatus::Refunded)));
        assert_eq!(refund.claim.as_ref().unwrap().value.amount.get(), order_books.refunded);
        for seed in 0..50 {
            let mut dice = fastrand::Rng::with_seed(seed);
            let again: Vec<_> = told.iter().filter(|_| dice.bool()).cloned().collect();
            let mut noisy = [told.clone(), again].concat();
            dice.shuffle(&mut noisy);
            assert_eq!(books(noisy), (orders.clone(), refunds.clone()), "{} {seed}", pair.server.dialect().name());
        }
    }
}
