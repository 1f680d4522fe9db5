//! A merchant's books at the end of a day on which pushes were lost, repeated and out of order.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{OrderFacts, OrderKey, OrderStatus, PullKind, RefundFacts, RefundKind, RefundStatus};
use platforms::Fact;
use platforms::marketplace::{Answer, Ask, Message, Received, Says, Seen, Window};
use siyu_tests::marketplace::push::Mishaps;
use siyu_tests::marketplace::shop::{self, CaseStatus};

use crate::THEN;
use crate::pair::Pair;

/// Platforms that tell of a case before shipping that it is agreed to, and never that it is paid.
const NEVER_TELLS_PAID: &[&str] = &["jd"];

/// Platforms that refund an order before shipping as a whole and have no state for it: such an order is over.
const REFUNDED_IS_CLOSED: &[&str] = &["pinduoduo"];

/// What is known of orders and cases.
#[derive(Default)]
struct Known {
    orders: BTreeMap<OrderKey, OrderFacts>,
    cases: BTreeMap<String, RefundFacts>,
}

impl Known {
    fn learn(&mut self, fact: Fact) {
        match fact {
            Fact::Order { key, facts } => self.orders.entry(key).or_default().merge(facts),
            Fact::Refund { after_sale_id, facts, .. } => self.cases.entry(after_sale_id).or_default().merge(facts),
        }
    }

    /// Takes in a message; gives what is to be asked about it.
    fn hear(&mut self, message: Message) -> Option<Ask> {
        match message.says {
            Says::Fact(fact) => {
                self.learn(*fact);
                None
            }
            Says::Hint { ask, .. } => Some(ask),
            Says::Nothing => None,
            Says::NotUnderstood => panic!("{message:?}"),
        }
    }
}

impl Pair {
    /// Asks, and asks all that the answers lead to.
    async fn follow(&self, known: &mut Known, mut asks: Vec<Ask>) {
        while let Some(ask) = asks.pop() {
            match self.ask(&ask).await {
                Answer::Facts(facts) => facts.into_iter().for_each(|fact| known.learn(fact)),
                Answer::Changed { asks: found, next } => {
                    asks.extend(found);
                    asks.extend(next.is_some().then(|| match &ask {
                        Ask::ChangedOrders(window) => Ask::ChangedOrders(Window { page: next, ..window.clone() }),
                        Ask::ChangedAfterSales(window) => {
                            Ask::ChangedAfterSales(Window { page: next, ..window.clone() })
                        }
                        other => panic!("{other:?} has no pages"),
                    }));
                }
                Answer::Messages(messages) if messages.is_empty() => {}
                Answer::Messages(messages) => {
                    let message_ids = messages.iter().map(|message| message.id.clone()).collect();
                    // The last is asked first.
                    asks.extend([Ask::Messages, Ask::ConfirmMessages { message_ids }]);
                    asks.extend(messages.into_iter().filter_map(|message| known.hear(message)));
                }
                Answer::Done => {}
            }
        }
    }

    /// All that is pushed now, with these mishaps.
    async fn hear(&self, known: &mut Known, mishaps: &Mishaps) {
        for messages in self.server.deliveries(mishaps) {
            let push = self.server.push(&messages).unwrap();
            let Ok(Received::Messages(received)) = self.receive(&push, self.server.app()) else { panic!("{push:?}") };
            let asks = received.into_iter().filter_map(|message| known.hear(message)).collect();
            self.follow(known, asks).await;
        }
    }

    /// All that is asked for regularly, for the hour since [`THEN`].
    async fn pull(&self, known: &mut Known) {
        for kind in self.source.pulls() {
            let asks = match kind {
                PullKind::Orders => self.windows().into_iter().map(Ask::ChangedOrders).collect(),
                PullKind::AfterSales => self.windows().into_iter().map(Ask::ChangedAfterSales).collect(),
                PullKind::Messages => vec![Ask::Messages],
            };
            self.follow(known, asks).await;
        }
    }
}

#[tokio::test]
async fn pushes_out_of_order_repeated_and_lost_end_in_the_platform_s_books() {
    for pair in Pair::all().await {
        let (mut known, mut seed) = (Known::default(), 0);
        let mut mishaps = || {
            seed += 1;
            Mishaps { seed, duplicated: 30, disordered: 50, dropped: 20, batch: 3, delay: Duration::ZERO }
        };
        let orders = pair.server.shop(|shop| {
            let orders: Vec<_> = (0..40).map(|number| shop.place(pair.basket(), THEN + number)).collect();
            for order in &orders[..30] {
                shop.pay(order, THEN + 100).unwrap();
            }
            orders
        });
        pair.hear(&mut known, &mishaps()).await;
        let cases = pair.server.shop(|shop| {
            orders[10..30].iter().for_each(|order| shop.ship(order, THEN + 200).unwrap());
            orders[30..].iter().for_each(|order| shop.cancel(order, THEN + 200).unwrap());
            orders[5..15].iter().map(|order| shop.ask_refund(order, 1_001, THEN + 300).unwrap()).collect::<Vec<_>>()
        });
        pair.hear(&mut known, &mishaps()).await;
        pair.server.shop(|shop| {
            cases[..7].iter().for_each(|case| shop.refund(case, THEN + 400).unwrap());
            orders[20..30].iter().for_each(|order| shop.finish(order, THEN + 500).unwrap());
        });
        pair.hear(&mut known, &mishaps()).await;
        pair.pull(&mut known).await;

        let books = pair.server.books();
        let known_orders: Vec<_> = known.orders.into_iter().map(|(key, facts)| facts.order(key)).collect();
        let paid: i64 = known_orders.iter().filter_map(|order| Some(order.paid?.get())).sum();
        assert_eq!(paid, books.paid, "{}", pair.name());
        for order in &known_orders {
            let id = &order.key.platform_order_id;
            let (theirs, refunded) = pair.server.shop(|shop| {
                let refunded = shop.cases_of(id).items.iter().any(|case| case.status == CaseStatus::Refunded);
                (shop.order(id).unwrap().status, refunded)
            });
            let over = pair.is_one_of(REFUNDED_IS_CLOSED) && theirs == shop::Status::Paid && refunded;
            let wanted = if over { OrderStatus::Closed.as_str() } else { theirs.canonical() };
            assert_eq!((order.status.as_str(), &order.flags), (wanted, &vec![]), "{} {id}", pair.name());
        }
        let refunded = known.cases.values().filter(|case| {
            let agreed_is_all = pair.is_one_of(NEVER_TELLS_PAID) && Seen::of(case).kind == Some(RefundKind::Unshipped);
            let last = if agreed_is_all { RefundStatus::Agreed } else { RefundStatus::Refunded };
            case.status() == Some(last)
        });
        let amounts: i64 = refunded.map(|case| case.claim.as_ref().unwrap().value.amount.get()).sum();
        assert_eq!((known.cases.len(), amounts), (cases.len(), books.refunded), "{}", pair.name());
    }
}
