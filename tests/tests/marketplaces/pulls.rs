//! What is asked for regularly: lists of what changed, and queues of messages.

use std::collections::BTreeSet;

use domain::{PullKind, UnixMs};
use platforms::Fact;
use platforms::marketplace::{Answer, Ask, Says, Window};
use siyu_tests::marketplace::dialect;

use crate::THEN;
use crate::pair::Pair;

#[tokio::test]
async fn what_changed_is_found_over_all_pages() {
    for pair in Pair::all().await {
        let (orders, cases): (BTreeSet<_>, Vec<_>) = pair.server.shop(|shop| {
            let orders: Vec<_> = (0..250).map(|number| shop.place(pair.basket(), THEN + number)).collect();
            for order in &orders {
                shop.pay(order, THEN + 300).unwrap();
            }
            // Half of the cases are about goods that were shipped.
            for order in orders.iter().step_by(2) {
                shop.ship(order, THEN + 400).unwrap();
            }
            let cases = orders.iter().map(|order| shop.ask_refund(order, 100, THEN + 600).unwrap()).collect();
            shop.place(pair.basket(), THEN - 1);
            (orders.into_iter().collect(), cases)
        });
        let found = pair.changed(pair.windows(), Ask::ChangedOrders).await.into_iter().map(|ask| match ask {
            Ask::Order { order_id } => order_id,
            other => panic!("{other:?}"),
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), orders);
        let mut found = BTreeSet::new();
        for ask in pair.changed(pair.windows(), Ask::ChangedAfterSales).await {
            match ask {
                Ask::AfterSale { after_sale_id, .. } => {
                    found.insert(after_sale_id);
                }
                // The case stands in its order's record.
                Ask::Order { .. } => {
                    let Answer::Facts(facts) = pair.ask(&ask).await else { panic!("{ask:?}") };
                    found.extend(facts.into_iter().filter_map(|fact| match fact {
                        Fact::Refund { after_sale_id, .. } => Some(after_sale_id),
                        Fact::Order { .. } => None,
                    }));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(found, cases.iter().map(|case| pair.case_name(case)).collect());
    }
}

#[tokio::test]
async fn the_longest_window_is_not_too_long() {
    for pair in Pair::all().await {
        // Between two seconds, so that rounding makes it longer.
        let since = UnixMs::from_seconds(THEN).unwrap().try_add_millis(1).unwrap();
        let until = since.try_add_millis(pair.source.longest_window_ms()).unwrap();
        let window = Window { since, until, page: None };
        for kind in pair.source.pulls() {
            let list = match kind {
                PullKind::Orders => Ask::ChangedOrders,
                PullKind::AfterSales => Ask::ChangedAfterSales,
                PullKind::Messages => continue,
            };
            assert_eq!(pair.changed(vec![window.clone()], list).await, BTreeSet::new(), "{}", pair.name());
        }
    }
}

#[tokio::test]
async fn messages_of_a_queue_come_until_they_are_confirmed() {
    for pair in
        Pair::all().await.into_iter().filter(|pair| pair.server.dialect().delivery() == dialect::Delivery::Queue)
    {
        assert_eq!(pair.ask(&Ask::Messages).await, Answer::Messages(Vec::new()));
        let (order_id, case) = pair.server.shop(|shop| {
            let id = shop.place(pair.basket(), THEN);
            shop.pay(&id, THEN + 60).unwrap();
            let case = shop.ask_refund(&id, 100, THEN + 120).unwrap();
            (id, case)
        });
        let Answer::Messages(messages) = pair.ask(&Ask::Messages).await else { panic!("{}", pair.name()) };
        let order = Ask::Order { order_id: order_id.clone() };
        let case = Ask::AfterSale { order_id: Some(order_id), after_sale_id: pair.case_name(&case) };
        let hint = |ask: &Ask| Says::Hint { shop_id: pair.shop_id.clone(), ask: ask.clone() };
        let said: Vec<_> = messages.iter().map(|message| &message.says).collect();
        assert_eq!(said, [&hint(&order), &hint(&order), &hint(&case)]);
        assert_eq!(pair.ask(&Ask::Messages).await, Answer::Messages(messages.clone()), "not confirmed");
        let message_ids = messages[..2].iter().map(|message| message.id.clone()).collect();
        assert_eq!(pair.ask(&Ask::ConfirmMessages { message_ids }).await, Answer::Done);
        assert_eq!(pair.ask(&Ask::Messages).await, Answer::Messages(messages[2..].to_vec()));
    }
}
