//! Points against a plain model in which every point is a thing of its own; levels whatever the order of arrival.

use crate::membership_support::{Shop, buyer, customer, day, order, refund};
use domain::{CustomerId, Event, UnixMs};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::future::Future;

/// What happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    /// One of two people buys for so many yuan.
    Buy(bool, i64),
    /// So many fen of an order go back.
    Refund(usize, i64),
    /// So many points are given for something.
    Redeem(bool, i64),
    /// A redemption is cancelled.
    Cancel(usize),
    /// Points are given that expire in so many days.
    Give(bool, i64, i64),
    /// Points are taken.
    Take(bool, i64),
    /// Time passes: so many hours; or to the instant of the next expiry, or to just before it. Timers come or are late.
    Wait(i64, bool),
    ToExpiry(i64, bool),
    /// The two become one, or two again.
    Merge(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<bool>(), 1..60_i64).prop_map(|(who, yuan)| Step::Buy(who, yuan)),
        3 => (0..20_usize, 1..5000_i64).prop_map(|(order, fen)| Step::Refund(order, fen)),
        4 => (any::<bool>(), 1..60_i64).prop_map(|(who, points)| Step::Redeem(who, points)),
        2 => (0..20_usize).prop_map(Step::Cancel),
        3 => (any::<bool>(), 1..40_i64, 1..15_i64).prop_map(|(who, points, days)| Step::Give(who, points, days)),
        1 => (any::<bool>(), 1..20_i64).prop_map(|(who, points)| Step::Take(who, points)),
        2 => (1..120_i64, any::<bool>()).prop_map(|(hours, tick)| Step::Wait(hours, tick)),
        2 => (0..2_i64, any::<bool>()).prop_map(|(before, tick)| Step::ToExpiry(before, tick)),
        1 => any::<bool>().prop_map(Step::Merge),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Free,
    Spent(usize),
    Expired,
    Gone,
}

/// One point.
#[derive(Clone, Debug)]
struct Point {
    owner: usize,
    order: Option<usize>,
    expires: i64,
    state: State,
}

#[derive(Default)]
struct Model {
    points: Vec<Point>,
    owed: [i64; 2],
    merged: bool,
    /// Who bought, the price and what went back, in fen.
    orders: Vec<(usize, i64, i64)>,
    /// Who redeemed, as written, and whether it is cancelled.
    redemptions: Vec<(usize, bool)>,
}

impl Model {
    fn group(&self, who: usize) -> Vec<usize> {
        if self.merged { vec![0, 1] } else { vec![who] }
    }

    fn pass(&mut self, now: i64) {
        let due = self.points.iter_mut().filter(|point| point.state == State::Free && point.expires <= now);
        due.for_each(|point| point.state = State::Expired);
    }

    fn free(&self, group: &[usize]) -> i64 {
        let free = self.points.iter().filter(|point| point.state == State::Free && group.contains(&point.owner));
        i64::try_from(free.count()).unwrap()
    }

    fn balance(&self, who: usize) -> (i64, i64) {
        let group = self.group(who);
        let owed: i64 = group.iter().map(|who| self.owed[*who]).sum();
        ((self.free(&group) - owed).max(0), (owed - self.free(&group)).max(0))
    }

    /// The free point of a group that expires first, of those the oldest, becomes this.
    fn use_up(&mut self, group: &[usize], state: State) -> bool {
        let free = self.points.iter_mut().filter(|point| point.state == State::Free && group.contains(&point.owner));
        // The first of equals.
        let Some(point) = free.min_by_key(|point| point.expires) else { return false };
        point.state = state;
        true
    }

    fn come(&mut self, who: usize, order: Option<usize>, points: i64, expires: i64) {
        for _ in 0..points {
            self.points.push(Point { owner: who, order, expires, state: State::Free });
        }
        self.settle(who);
    }

    fn settle(&mut self, who: usize) {
        let group = self.group(who);
        for debtor in group.clone() {
            while self.owed[debtor] > 0 && self.use_up(&group, State::Gone) {
                self.owed[debtor] -= 1;
            }
        }
    }

    fn go(&mut self, who: usize, points: i64, state: State) -> bool {
        if self.balance(who).0 < points {
            return false;
        }
        let group = self.group(who);
        (0..points).for_each(|_| assert!(self.use_up(&group, state)));
        true
    }

    fn reverse(&mut self, order: usize, points: i64) {
        let who = self.orders[order].0;
        let mut left = points;
        for state in [State::Free, State::Expired] {
            for point in self.points.iter_mut().rev() {
                if left > 0 && point.order == Some(order) && point.state == state {
                    point.state = State::Gone;
                    left -= 1;
                }
            }
        }
        let group = self.group(who);
        while left > 0 && self.use_up(&group, State::Gone) {
            left -= 1;
        }
        self.owed[who] += left;
    }

    fn cancel(&mut self, redemption: usize, now: i64) {
        let spent = self.points.iter_mut().filter(|point| point.state == State::Spent(redemption));
        spent.for_each(|point| point.state = State::Free);
        self.pass(now);
        self.settle(self.redemptions[redemption].0);
    }
}

/// A shop and its model, side by side.
struct Pair {
    shop: Shop,
    model: Model,
    now: UnixMs,
    redemptions: Vec<String>,
    refunds: u8,
}

impl Pair {
    /// The id for which something is written that is done for one of the two.
    fn written(&self, who: usize) -> usize {
        if self.model.merged { 0 } else { who }
    }

    /// Ten whole days after today.
    fn usual_end(&self) -> i64 {
        let today = (self.now.millis() - day(0).millis()).div_euclid(86_400_000);
        day(today + 11).millis()
    }

    async fn post(&self, path: String, body: Value) -> (u16, Value) {
        let (status, answer) = self.shop.call("POST", &path, Some(body)).await;
        (status.as_u16(), answer)
    }

    async fn step(&mut self, step: &Step) {
        let ids: [CustomerId; 2] = [customer(0), customer(1)];
        let names = ["ma", "li"];
        match *step {
            Step::Buy(who, yuan) if self.model.orders.len() < 200 => {
                let (who, number) = (usize::from(who), self.model.orders.len());
                let paid = order(u8::try_from(number).unwrap(), &buyer(names[who]), self.now, &[("TEA", yuan * 100)]);
                self.shop.tell(Event::OrderPaid(paid)).await;
                self.model.orders.push((who, yuan * 100, 0));
                self.model.come(who, Some(number), yuan, self.usual_end());
            }
            Step::Refund(choice, fen) if !self.model.orders.is_empty() => {
                let number = choice % self.model.orders.len();
                self.refunds += 1;
                let back = refund(self.refunds, u8::try_from(number).unwrap(), None, fen);
                self.shop.tell(Event::RefundRefunded(back)).await;
                let (_, paid, before) = self.model.orders[number];
                self.model.orders[number].2 = before + fen;
                let earned = |back: i64| (paid - back).max(0) / 100;
                self.model.reverse(number, earned(before) - earned(before + fen));
            }
            Step::Redeem(who, points) => {
                let (who, number) = (usize::from(who), self.redemptions.len());
                let path = format!("/v1/customers/{}/points/redeem", ids[who]);
                let (status, answer) = self.post(path, json!({ "points": points, "reason": "x" })).await;
                let done = self.model.go(who, points, State::Spent(number));
                assert_eq!(status, if done { 201 } else { 409 }, "{answer}");
                if done {
                    self.redemptions.push(answer["id"].as_str().unwrap().to_owned());
                    self.model.redemptions.push((self.written(who), false));
                }
            }
            Step::Cancel(choice) if !self.redemptions.is_empty() => {
                let number = choice % self.redemptions.len();
                let path = format!("/v1/redemptions/{}/cancel", self.redemptions[number]);
                assert_eq!(self.post(path, json!({ "reason": "x" })).await.0, 200);
                if !self.model.redemptions[number].1 {
                    self.model.redemptions[number].1 = true;
                    self.model.cancel(number, self.now.millis());
                }
            }
            Step::Give(who, points, days) => {
                let who = usize::from(who);
                let end = self.now.try_add_millis(days * 86_400_000).unwrap();
                let body = json!({ "points": points, "reason": "x", "expires_at": end.to_string() });
                assert_eq!(self.post(format!("/v1/customers/{}/points", ids[who]), body).await.0, 201);
                self.model.come(self.written(who), None, points, end.millis());
            }
            Step::Take(who, points) => {
                let who = usize::from(who);
                let body = json!({ "points": -points, "reason": "x" });
                let status = self.post(format!("/v1/customers/{}/points", ids[who]), body).await.0;
                assert_eq!(status, if self.model.go(who, points, State::Gone) { 201 } else { 409 });
            }
            Step::Wait(hours, tick) => self.wait(self.now.millis() + hours * 3_600_000, tick).await,
            Step::ToExpiry(before, tick) => {
                let free = self.model.points.iter().filter(|point| point.state == State::Free);
                if let Some(next) = free.map(|point| point.expires).min() {
                    self.wait((next - before).max(self.now.millis()), tick).await;
                }
            }
            Step::Merge(merged) => {
                self.shop.part_of(ids[1], if merged { ids[0] } else { ids[1] }).await;
                self.model.merged = merged;
            }
            Step::Buy(..) | Step::Refund(..) | Step::Cancel(..) => {}
        }
        for (who, id) in ids.into_iter().enumerate() {
            assert_eq!(self.shop.points(id).await, self.model.balance(who), "{who} after {step:?}");
        }
        self.shop.is_balanced().await;
    }

    async fn wait(&mut self, until: i64, tick: bool) {
        self.now = UnixMs::from_millis(until).unwrap();
        self.model.pass(until);
        if tick {
            self.shop.wait_until(self.now).await;
        } else {
            self.shop.app.clock().set(self.now).await.unwrap();
        }
    }
}

/// What the consumer leaves behind. Events that it appends itself stand elsewhere in the log when it is late.
const LEFT_BEHIND: [&str; 7] = [
    "select json_array(order_id, customer, paid_at, body, rules, level, earned, spend) as v from member_order order by 1",
    "select json_array(seq, customer, kind, points, at, order_id) as v from point_entry order by seq",
    "select json_array(entry, remains, expired, expires_at, remind_at) as v from point_lot order by entry",
    "select json_array(entry, lot, points) as v from point_allocation order by entry, lot",
    "select json_array(entry, points, paid) as v from point_debt order by entry",
    "select json_array(customer, level, since, at) as v from member_level order by 1",
    "select data as v from event where type in ('points.changed', 'member.level_changed') order by seq",
];

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn points_are_what_the_plain_model_says(steps in prop::collection::vec(step(), 10..50)) {
        run(async {
            let shop = Shop::open().await;
            for (number, name) in [(0, "ma"), (1, "li")] {
                shop.customer(number, &[buyer(name)]).await;
            }
            let mut pair = Pair { shop, model: Model::default(), now: day(0), redemptions: Vec::new(), refunds: 0 };
            for step in &steps {
                pair.step(step).await;
            }
            assert!(pair.shop.events("points.changed").await.iter().all(|told| told["balance"].as_i64().unwrap() >= 0));
        });
    }

    #[test]
    fn what_is_left_behind_does_not_depend_on_how_the_log_was_cut(
        steps in prop::collection::vec((0..4_usize, 0..6_u8, 1..3000_i64), 1..20),
    ) {
        run(async {
            let (eager, lazy) = (Shop::open().await, Shop::open().await);
            for shop in [&eager, &lazy] {
                shop.customer(0, &[buyer("ma")]).await;
            }
            for (number, (what, which, fen)) in steps.iter().enumerate() {
                for shop in [&eager, &lazy] {
                    // Rules that change on the way hold from there on, however late the log is read.
                    if *what == 3 {
                        let mut rules = crate::membership_support::rules();
                        rules["rate"]["points"] = json!(fen);
                        rules["levels"] = json!({ "silver": 200 });
                        let levels = json!({ "window_days": 30, "levels": [{ "name": "silver", "threshold": fen }] });
                        assert_eq!(shop.call("PUT", "/v1/point-rules", Some(rules)).await.0, 200);
                        assert_eq!(shop.call("PUT", "/v1/member-levels", Some(levels)).await.0, 200);
                        shop.write(|tx| kit::events::fire_due(tx, 100)).await;
                    } else {
                        let event = match what {
                            0 => Event::OrderPaid(order(*which, &buyer("ma"), day(0), &[("TEA", *fen)])),
                            1 => Event::OrderDetailed(order(*which, &buyer("ma"), day(-9), &[("TEA", *fen)])),
                            _ => Event::RefundRefunded(refund(u8::try_from(number).unwrap(), *which, None, *fen)),
                        };
                        shop.write(move |tx| kit::events::append(tx, "/functions/orders", "x", &event).map(drop)).await;
                    }
                }
                eager.consume().await;
            }
            lazy.consume().await;
            for sql in LEFT_BEHIND {
                assert_eq!(eager.column(sql).await, lazy.column(sql).await, "{sql}");
            }
        });
    }

    #[test]
    fn a_level_and_points_are_the_same_whatever_arrives_first(
        orders in prop::collection::vec((-50..0_i64, 1..4000_i64, prop::option::of(1..4000_i64)), 1..6),
        seed in prop::collection::vec(any::<u32>(), 12),
    ) {
        run(async {
            let shop = Shop::open().await;
            let levels = json!({ "window_days": 30, "keep_days": 0, "levels":
                [{ "name": "silver", "threshold": 1000 }, { "name": "gold", "threshold": 5000 }] });
            assert_eq!(shop.call("PUT", "/v1/member-levels", Some(levels)).await.0, 200);
            let ma = shop.customer(0, &[buyer("ma")]).await;
            let mut events = Vec::new();
            let (mut spend, mut points) = (0, 0);
            for (number, (at, paid, back)) in orders.iter().enumerate() {
                let number = u8::try_from(number).unwrap();
                events.push(Event::OrderPaid(order(number, &buyer("ma"), day(*at), &[("TEA", *paid)])));
                events.extend(back.map(|back| Event::RefundRefunded(refund(number, number, None, back))));
                let net = (paid - back.unwrap_or(0)).max(0);
                spend += if *at > -30 { net } else { 0 };
                points += net / 100;
            }
            let mut order: Vec<(u32, Event)> = seed.iter().copied().zip(events).collect();
            order.sort_by_key(|(key, _)| *key);
            for (_, event) in order {
                shop.tell(event).await;
            }
            let expected = if spend >= 5000 { json!("gold") } else if spend >= 1000 { json!("silver") } else { json!(null) };
            let member = shop.get(&format!("/v1/customers/{ma}/membership")).await;
            assert_eq!((&member["level"], &member["balance"]), (&expected, &json!(points)));
            // Each change is told once, from what was told before.
            let told = shop.events("member.level_changed").await;
            let mut before = json!(null);
            for change in told {
                assert_eq!(change["from"], before);
                assert_ne!(change["to"], before);
                before = change["to"].clone();
            }
            assert_eq!(before, expected);
            // And as time goes on, spend leaves the window.
            for today in [1, 7, 13, 20, 29, 30] {
                shop.wait_until(day(today)).await;
                let inside = orders.iter().filter(|(at, ..)| *at > today - 30);
                let spend: i64 = inside.map(|(_, paid, back)| (paid - back.unwrap_or(0)).max(0)).sum();
                let expected = if spend >= 5000 { json!("gold") } else if spend >= 1000 { json!("silver") } else { json!(null) };
                assert_eq!(shop.get(&format!("/v1/customers/{ma}/membership")).await["level"], expected, "day {today}");
            }
        });
    }
}
