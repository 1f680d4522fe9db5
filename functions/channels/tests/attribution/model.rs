//! Whatever happens in whatever order, and however the log is cut: what stands in the tables is what a naive reading of the whole log says.

use crate::support::*;
use domain::{Activity, Event, Fen, RelationSide, allocate};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: u8 = 5;
const CHANNELS: [&str; 2] = ["live", "metro"];
const CODES: [&str; 3] = ["c0", "c1", "c2"];
const STORES: [&str; 3] = ["", "/east/a", "/west"];
const STAFF: [&str; 3] = ["", "s1", "s2"];
const WINDOW: i64 = 20;
const MODELS: [&str; 4] = ["first_touch", "last_touch", "linear", "time_decay"];

/// Times are hours.
#[derive(Clone, Debug)]
enum Action {
    Came { who: u8, how: u8, channel: u8, code: u8, store: u8, staff: u8, day: i64 },
    Left { who: u8, staff: u8, hour: i64 },
    Wrote { who: u8, hour: i64 },
    Bought { number: u8, who: Option<u8>, day: i64, amount: i64 },
    Refunded { number: u8, of: u8, amount: i64 },
    Identified { customer: u8, who: BTreeSet<u8> },
}

fn action() -> impl Strategy<Value = Action> {
    let hour = 0..40 * 24_i64;
    prop_oneof![
        4 => (0..PEOPLE, 0..3_u8, 0..2_u8, 0..3_u8, 0..3_u8, 0..3_u8, 0..40_i64).prop_map(
            |(who, how, channel, code, store, staff, day)| Action::Came { who, how, channel, code, store, staff, day }
        ),
        1 => (0..PEOPLE, 0..3_u8, hour.clone()).prop_map(|(who, staff, hour)| Action::Left { who, staff, hour }),
        1 => (0..PEOPLE, hour).prop_map(|(who, hour)| Action::Wrote { who, hour }),
        4 => (0..6_u8, prop::option::weighted(0.9, 0..PEOPLE), 0..40_i64, 0..100_000_i64)
            .prop_map(|(number, who, day, amount)| Action::Bought { number, who, day, amount }),
        2 => (0..8_u8, 0..6_u8, 0..60_000_i64).prop_map(|(number, of, amount)| Action::Refunded { number, of, amount }),
        2 => (0..4_u8, prop::collection::btree_set(0..PEOPLE, 1..4))
            .prop_map(|(customer, who)| Action::Identified { customer, who }),
    ]
}

fn name(who: u8) -> String {
    format!("p{who}")
}

/// The channel and the code that an activity names, and whether somebody joins by it. What names no code is of a channel of its own: with others it would be
/// one touch with a scan of the same instant, which has a test of its own.
fn way(how: u8, channel: u8, code: u8) -> (&'static str, &'static str, bool) {
    match how {
        2 => ("site", "", false),
        _ => (CHANNELS[usize::from(channel)], CODES[usize::from(code)], how == 0),
    }
}

fn event(action: &Action) -> Event {
    match action {
        Action::Came { who, how, channel, code, store, staff, day } => {
            let (channel, code, _) = way(*how, *channel, *code);
            let place = (channel, STORES[usize::from(*store)], STAFF[usize::from(*staff)]);
            let activity = match how {
                0 => added(code),
                1 => scanned(code),
                _ => Activity::LinkOpened { link: "l".to_owned() },
            };
            did(&name(*who), day * DAY, place, activity)
        }
        Action::Left { who, staff, hour } => {
            let activity = Activity::ContactRemoved { by: RelationSide::Customer };
            did(&name(*who), hour * HOUR, ("", "", STAFF[usize::from(*staff)]), activity)
        }
        Action::Wrote { who, hour } => did(&name(*who), hour * HOUR, ("", "", ""), wrote()),
        Action::Bought { number, who, day, amount } => bought(*number, who.map(name).as_deref(), day * DAY, *amount),
        Action::Refunded { number, of, amount } => refunded(*number, *of, *amount),
        Action::Identified { customer: id, who } => {
            let names: Vec<String> = who.iter().map(|who| name(*who)).collect();
            identified(customer(*id), &names.iter().map(String::as_str).collect::<Vec<_>>())
        }
    }
}

/// Channel, code, store, member of staff.
type Way = (String, String, String, String);

#[derive(Clone, Debug, Default)]
struct Touch {
    /// Each day with its store.
    times: BTreeSet<(i64, String)>,
    joined: Option<i64>,
}

#[derive(Clone, Debug, Default)]
struct Order {
    who: Option<u8>,
    day: i64,
    amount: i64,
}

/// What the whole log says.
#[derive(Default)]
struct Naive {
    customers: BTreeMap<u8, u8>,
    /// By person, channel, code and member of staff.
    touches: BTreeMap<(u8, String, String, String), Touch>,
    /// By person and member of staff: hours.
    joined: BTreeMap<(u8, String), i64>,
    left: BTreeMap<(u8, String), i64>,
    wrote: BTreeSet<(u8, i64)>,
    orders: BTreeMap<u8, Order>,
    refunds: BTreeMap<u8, (u8, i64)>,
}

impl Naive {
    fn read(actions: &[Action]) -> Self {
        let mut naive = Self::default();
        for action in actions {
            match action.clone() {
                Action::Came { who, how, channel, code, store, staff, day } => {
                    let (channel, code, joins) = way(how, channel, code);
                    let staff = STAFF[usize::from(staff)].to_owned();
                    let store = STORES[usize::from(store)].to_owned();
                    let key = (who, channel.to_owned(), code.to_owned(), staff.clone());
                    let touch = naive.touches.entry(key).or_default();
                    touch.times.insert((day, store));
                    if joins {
                        touch.joined = Some(touch.joined.map_or(day, |known| known.min(day)));
                        let last = naive.joined.entry((who, staff)).or_insert(day * 24);
                        *last = (*last).max(day * 24);
                    }
                }
                Action::Left { who, staff, hour } => {
                    let last = naive.left.entry((who, STAFF[usize::from(staff)].to_owned())).or_insert(hour);
                    *last = (*last).max(hour);
                }
                Action::Wrote { who, hour } => {
                    naive.wrote.insert((who, hour));
                }
                Action::Bought { number, who, day, amount } => {
                    let order = naive.orders.entry(number).or_default();
                    *order = Order { who: order.who.or(who), day, amount };
                }
                Action::Refunded { number, of, amount } => {
                    // A refund belongs to one order for ever.
                    let refund = naive.refunds.entry(number).or_insert((of, amount));
                    refund.1 = amount;
                }
                Action::Identified { customer, who } => {
                    naive.customers.extend(who.into_iter().map(|who| (who, customer)));
                }
            }
        }
        naive
    }

    /// Everybody who is the same person.
    fn same(&self, who: u8) -> BTreeSet<u8> {
        match self.customers.get(&who) {
            None => BTreeSet::from([who]),
            Some(customer) => (0..PEOPLE).filter(|other| self.customers.get(other) == Some(customer)).collect(),
        }
    }

    fn worth(&self, number: u8) -> i64 {
        let back: i64 = self.refunds.values().filter(|(of, _)| *of == number).map(|(_, amount)| amount).sum();
        (self.orders[&number].amount - back).max(0)
    }

    /// Shares of an order, as `order model channel code store staff amount`.
    fn shares(&self, number: u8, model: &str) -> Vec<String> {
        let (order, worth) = (&self.orders[&number], self.worth(number));
        let people = order.who.map(|who| self.same(who)).unwrap_or_default();
        let path: BTreeSet<(i64, Way)> = self
            .touches
            .iter()
            .filter(|((who, ..), _)| people.contains(who))
            .flat_map(|((_, channel, code, staff), touch)| {
                let way = |store: &String| (channel.clone(), code.clone(), store.clone(), staff.clone());
                touch.times.iter().map(move |(day, store)| (*day, way(store)))
            })
            .filter(|(day, _)| (order.day - WINDOW..=order.day).contains(day))
            .collect();
        let line = |way: &str, amount: i64| format!("{} {model} {way} {amount}", order_id(number));
        let (Some((_, first)), Some((last_day, _))) = (path.first(), path.last()) else {
            return vec![line("-", worth)];
        };
        let last = &path.iter().find(|(day, _)| day == last_day).unwrap().1;
        let mut weights: BTreeMap<&Way, u64> = BTreeMap::new();
        for (day, way) in &path {
            let weight = match model {
                "first_touch" => u64::from(way == first && *day == path.first().unwrap().0),
                "last_touch" => u64::from(way == last && day == last_day),
                "linear" => 1,
                // The half-life is a day here.
                _ => 1 << (40 - (last_day - day)),
            };
            *weights.entry(way).or_default() += weight;
        }
        weights.retain(|_, weight| *weight > 0);
        let parts = allocate(Fen::new(worth), &weights.values().copied().collect::<Vec<_>>()).unwrap();
        let text = |way: &Way| format!("{}|{}|{}|{}", way.0, way.1, way.2, way.3);
        weights.keys().zip(parts).map(|(way, part)| line(&text(way), part.get())).collect()
    }

    fn firsts(&self) -> BTreeSet<String> {
        let first = |who: &u8| {
            let people = self.same(*who);
            let own = self.orders.iter().filter(|(number, order)| {
                order.who.is_some_and(|who| people.contains(&who)) && self.worth(**number) > 0
            });
            own.map(|(number, order)| (order.day, order_id(*number).to_string())).min()
        };
        (0..PEOPLE).collect::<Vec<_>>().iter().filter_map(first).map(|(_, id)| id).collect()
    }

    /// What became of who joined: `person channel code staff added replied lost`, days.
    fn funnel(&self) -> BTreeSet<String> {
        let joined = self.touches.iter().filter_map(|(key, touch)| touch.joined.map(|day| (key, day)));
        let row = |((who, channel, code, staff), added): (&(u8, String, String, String), i64)| {
            let people = self.same(*who);
            let wrote = self.wrote.iter().filter(|(who, hour)| people.contains(who) && *hour >= added * 24);
            let replied = wrote.map(|(_, hour)| hour / 24).min();
            let key = (*who, staff.clone());
            let back = self.joined.get(&key).copied().unwrap_or_default();
            let lost = self.left.get(&key).filter(|hour| **hour >= back).map(|hour| hour / 24);
            let shown = |day: Option<i64>| day.map_or(String::new(), |day| day.to_string());
            format!("p{who} {channel} {code} {staff} {added} {} {}", shown(replied), shown(lost))
        };
        joined.map(row).collect()
    }
}

async fn agrees(desk: &Desk, actions: &[Action]) {
    let naive = Naive::read(actions);
    let owed = "select order_id || ' ' || model || ' ' || coalesce(channel || '|' || coalesce(code, '') || '|'
        || coalesce(store, '') || '|' || coalesce(staff, ''), '-') || ' ' || amount as v from attribution";
    let owed: BTreeSet<String> = desk.column(owed).await.into_iter().collect();
    let wanted: BTreeSet<String> =
        naive.orders.keys().flat_map(|number| MODELS.map(|model| naive.shares(*number, model))).flatten().collect();
    assert_eq!(owed, wanted);
    let leaders = "select order_id || model as v from attribution group by order_id, model having sum(leads) <> 1";
    assert_eq!(desk.column(leaders).await, Vec::<String>::new());
    let first = desk.column("select order_id as v from attributed_order where is_first = 1").await;
    assert_eq!(first.into_iter().collect::<BTreeSet<_>>(), naive.firsts());
    let funnel = format!(
        "select value || ' ' || channel || ' ' || code || ' ' || staff || ' ' || (added_day - {MONDAY_NUMBER}) || ' '
                || coalesce(replied_day - {MONDAY_NUMBER}, '') || ' ' || coalesce(lost_day - {MONDAY_NUMBER}, '') as v
           from touch where added_at is not null"
    );
    assert_eq!(desk.column(&funnel).await.into_iter().collect::<BTreeSet<_>>(), naive.funnel());
    let revenue: i64 = naive.orders.keys().map(|number| naive.worth(*number)).sum();
    for model in MODELS {
        let mut all = Vec::new();
        for by in ["channel", "code", "store", "staff", "day"] {
            let report = desk.report(by, model).await;
            let totals = report["totals"].clone();
            assert_eq!(totals["revenue"].as_i64().unwrap() + totals["unattributed"].as_i64().unwrap(), revenue);
            all.push(totals);
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{model}: {all:?}");
    }
}

const TABLES: [&str; 7] = [
    "select touch || ' ' || at || store || joins as v from touch_time order by touch, at, store",
    "select id || kind || value || person || channel || code || staff || coalesce(store, '') || at
        || coalesce(added_at, '') || coalesce(replied_day, '') || coalesce(lost_day, '') as v from touch order by id",
    "select value || staff || coalesce(added_at, '') || coalesce(removed_at, '') as v from touch_bond order by v",
    "select value || day || person || last_at as v from touch_message order by v",
    "select order_id || coalesce(value, '') || coalesce(person, '') || paid_at || paid || refunded || worth || is_first as v
        from attributed_order order by v",
    "select order_id || model || part || coalesce(channel, '') || day || amount || leads as v from attribution order by v",
    "select day || channel || code || store || scans as v from channel_scan order by v",
];

async fn dump(desk: &Desk) -> Vec<Vec<String>> {
    let mut tables = Vec::new();
    for sql in TABLES {
        tables.push(desk.column(sql).await);
    }
    tables
}

async fn open() -> Desk {
    let desk = Desk::open().await;
    let body = json!({ "window_days": WINDOW, "half_life_days": 1 });
    assert_eq!(desk.call("PUT", "/v1/channels/attribution", body).await.0, 200);
    desk.tick().await;
    desk
}

async fn play(actions: &[(Action, u8)]) {
    let desk = open().await;
    let mut done = Vec::new();
    for (action, cut) in actions {
        desk.append(vec![event(action)]).await;
        done.push(action.clone());
        // Cut here, cut here and one event at a time, or not.
        if *cut < 2 {
            desk.consume(*cut == 1).await;
        }
    }
    desk.consume(false).await;
    agrees(&desk, &done).await;
    let whole = open().await;
    whole.log(done.iter().map(event).collect()).await;
    assert_eq!(dump(&desk).await, dump(&whole).await, "however the log is cut");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn attribution_is_what_a_naive_reading_of_the_log_says(
        actions in prop::collection::vec((action(), 0..6_u8), 1..50),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&actions));
    }
}
