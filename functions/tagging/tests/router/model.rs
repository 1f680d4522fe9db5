//! The heart: for random rules and random events, what the function keeps equals what a naive model makes of the raw history, and does
//! not depend on how the log is cut into batches.

use crate::support::*;
use domain::{
    AttributeValue, CustomerAttributeChanged, CustomerStageChanged, Event, Platform, Stage, TagEvent, TagId, Version,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const CUSTOMERS: u8 = 4;
const TAGS: usize = 3;

/// Something that happens. Small numbers choose who, what and how much.
#[derive(Clone, Debug)]
enum Action {
    Order {
        number: u8,
        who: (u8, u8),
        amount: i64,
        douyin: bool,
    },
    Refund {
        number: u8,
        of: u8,
        amount: i64,
    },
    View {
        who: (u8, u8),
        product: u8,
    },
    Identified {
        customer: u8,
        cards: Vec<u8>,
    },
    Merged(u8, u8),
    Split(u8, u8),
    Stage(u8, bool),
    Attribute(u8, Option<i64>),
    Word {
        customer: u8,
        tag: usize,
        present: bool,
    },
    Days(i64),
    /// The next rule that is not at work yet gets to be.
    Activate,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let who = || (0..6_u8, 0..6_u8);
    let customer = || 0..CUSTOMERS;
    prop::collection::vec(
        prop_oneof![
            6 => (0..6_u8, who(), 1..5_i64, any::<bool>())
                .prop_map(|(number, who, amount, douyin)| Action::Order { number, who, amount: amount * 1000, douyin }),
            2 => (0..4_u8, 0..6_u8, 1..4_i64).prop_map(|(number, of, amount)| Action::Refund { number, of, amount: amount * 1000 }),
            4 => (who(), 0..2_u8).prop_map(|(who, product)| Action::View { who, product }),
            6 => (customer(), prop::collection::vec(0..6_u8, 1..3)).prop_map(|(customer, cards)| Action::Identified { customer, cards }),
            2 => (customer(), customer()).prop_map(|(one, other)| Action::Merged(one, other)),
            2 => (customer(), customer()).prop_map(|(one, other)| Action::Split(one, other)),
            1 => (customer(), any::<bool>()).prop_map(|(customer, buyer)| Action::Stage(customer, buyer)),
            1 => (customer(), prop::option::of(0..3_i64)).prop_map(|(customer, value)| Action::Attribute(customer, value)),
            1 => (customer(), 0..TAGS, any::<bool>()).prop_map(|(customer, tag, present)| Action::Word { customer, tag, present }),
            3 => prop::sample::select(vec![1_i64, 3, 7, 31]).prop_map(Action::Days),
            1 => Just(Action::Activate),
        ],
        5..40,
    )
}

/// A condition; `{"tag": n}` stands for one of the first `tags` tags, so that no rule feeds itself.
fn condition(tags: usize) -> impl Strategy<Value = Value> {
    let features = prop::sample::select(vec![
        "orders.count.7d",
        "orders.count.30d",
        "orders.count.ever",
        "orders.amount.30d{platform=douyin}",
        "orders.since_last",
        "orders.since_first",
        "net.amount.30d",
        "refunds.count.ever",
        "views.count.7d{product=P1}",
        "views.top.30d{product}",
        "basket.average.30d",
        "orders.days.30d",
    ]);
    let compared = (
        features,
        prop::sample::select(vec![">=", "<", "=", "!="]),
        prop::sample::select(vec![0, 1, 2, 5, 2000, 4000]),
    );
    let leaf = prop_oneof![
        6 => compared.prop_map(|(feature, op, value)| json!({ "feature": feature, "op": op, "value": value })),
        1 => Just(json!({ "stage": "buyer" })),
        1 => Just(json!({ "attribute": "week", "op": ">=", "value": 1 })),
        1 => Just(json!({ "calendar": { "days": "workday" } })),
        2 => (0..TAGS).prop_map(move |tag| if tags == 0 { json!({ "stage": "lead" }) } else { json!({ "tag": tag % tags }) }),
        1 => Just(json!({ "changed": "orders.count.ever" })),
    ];
    leaf.prop_recursive(2, 5, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| json!({ "all": parts })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| json!({ "any": parts })),
            inner.prop_map(|part| json!({ "not": part })),
        ]
    })
}

#[derive(Clone, Debug)]
struct Spec {
    condition: Value,
    /// Tag given or taken, of those that this rule may not ask for.
    tag: usize,
    effect: u8,
    segment: bool,
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let one = |level: usize| {
        (condition(level), level..TAGS, 0..5_u8, prop::bool::weighted(0.25))
            .prop_map(|(condition, tag, effect, segment)| Spec { condition, tag, effect, segment })
    };
    (0..3_usize, 0..3_usize, 0..3_usize, 0..3_usize).prop_flat_map(move |levels| {
        let [a, b, c, d] = [levels.0, levels.1, levels.2, levels.3].map(one);
        (a, b, c, d).prop_map(|(a, b, c, d)| vec![a, b, c, d])
    })
}

fn momentary(condition: &Value) -> bool {
    condition.to_string().contains("changed")
}

fn effects(spec: &Spec, tags: &[String]) -> Value {
    let tag = &tags[spec.tag];
    let lasting = !momentary(&spec.condition);
    match spec.effect {
        0 => json!([{ "add_tag": tag }]),
        1 => json!([{ "add_tag": tag, "while_true": lasting }]),
        2 => json!([{ "add_tag": tag, "for_days": 5 }, { "raise": "x" }]),
        3 => json!([{ "add_tag": tag, "for_days": 9, "while_true": lasting }]),
        _ => json!([{ "remove_tag": tag }]),
    }
}

/// A rule of the model.
struct Rule {
    id: String,
    condition: Value,
    effects: Value,
    segment: bool,
    at_work: bool,
}

struct Bought {
    card: u8,
    day: i64,
    amount: i64,
    douyin: bool,
}

/// By customer, tag and rule (or "" for a person).
type Reasons = BTreeMap<(u8, usize, String), (bool, Option<i64>, bool, usize)>;

/// The raw history, and what follows from it by the definitions, without any index.
#[derive(Default)]
struct Model {
    today: i64,
    // The history.
    orders: BTreeMap<u8, Bought>,
    refunds: BTreeMap<u8, (u8, i64, i64)>,
    views: Vec<(u8, i64, u8)>,
    owner: BTreeMap<u8, u8>,
    part_of: BTreeMap<u8, u8>,
    known: BTreeSet<u8>,
    stages: BTreeMap<u8, bool>,
    attributes: BTreeMap<u8, (usize, Option<i64>)>,
    told: usize,
    // What is kept.
    matched: BTreeSet<(u8, String)>,
    /// (customer, tag, rule or "") → (present, the day on which it is gone, goes with the rule, order of words).
    reasons: Reasons,
    members: BTreeSet<(String, u8)>,
    raised: Vec<(u8, String)>,
    announced: Vec<(u8, usize, bool)>,
}

/// Figures by name, for one customer.
type Figures = BTreeMap<String, Option<i64>>;

impl Model {
    fn survivor(&self, customer: u8) -> u8 {
        self.part_of.get(&customer).map_or(customer, |into| self.survivor(*into))
    }

    fn survivors(&self) -> Vec<u8> {
        self.known.iter().copied().filter(|customer| !self.part_of.contains_key(customer)).collect()
    }

    fn group(&self, survivor: u8) -> Vec<u8> {
        self.known.iter().copied().filter(|customer| self.survivor(*customer) == survivor).collect()
    }

    fn is_of(&self, card: u8, survivor: u8) -> bool {
        self.owner.get(&card).is_some_and(|owner| self.survivor(*owner) == survivor)
    }

    fn feature(&self, name: &str, who: u8) -> Option<i64> {
        let today = self.today;
        let within = |day: i64, window: &str| match window {
            "ever" => true,
            days => day > today - days.trim_end_matches('d').parse::<i64>().unwrap(),
        };
        let mine = || self.orders.values().filter(|order| self.is_of(order.card, who));
        // A refund counts where its order is, and on its own day.
        let back = || {
            self.refunds
                .values()
                .filter(|refund| self.orders.get(&refund.0).is_some_and(|order| self.is_of(order.card, who)))
        };
        let views = |window: &str, product: u8| {
            let seen =
                self.views.iter().filter(|view| self.is_of(view.0, who) && within(view.1, window) && view.2 == product);
            i64::try_from(seen.count()).unwrap()
        };
        let count = |window: &str| i64::try_from(mine().filter(|order| within(order.day, window)).count()).unwrap();
        let amount =
            |window: &str| mine().filter(|order| within(order.day, window)).map(|order| order.amount).sum::<i64>();
        match name {
            "orders.count.7d" => Some(count("7d")),
            "orders.count.30d" => Some(count("30d")),
            "orders.count.ever" => Some(count("ever")),
            "orders.amount.30d{platform=douyin}" => {
                Some(mine().filter(|order| order.douyin && within(order.day, "30d")).map(|order| order.amount).sum())
            }
            "orders.since_last" => mine().map(|order| today - order.day).min(),
            "orders.since_first" => mine().map(|order| today - order.day).max(),
            "net.amount.30d" => Some(
                amount("30d") - back().filter(|refund| within(refund.1, "30d")).map(|refund| refund.2).sum::<i64>(),
            ),
            "refunds.count.ever" => Some(i64::try_from(back().count()).unwrap()),
            "views.count.7d{product=P1}" => Some(views("7d", 1)),
            "views.top.30d{product}" => Some(views("30d", 0).max(views("30d", 1))),
            "basket.average.30d" => Some(count("30d")).filter(|count| *count > 0).map(|count| amount("30d") / count),
            "orders.days.30d" => {
                let days: BTreeSet<i64> = mine().map(|order| order.day).filter(|day| within(*day, "30d")).collect();
                Some(i64::try_from(days.len()).unwrap())
            }
            other => panic!("the model does not know {other}"),
        }
    }

    fn figures(&self, rules: &[Rule], who: u8) -> Figures {
        let names = rules.iter().flat_map(|rule| names(&rule.condition));
        names.map(|name| (name.clone(), self.feature(&name, who))).collect()
    }

    fn tags(&self, who: u8) -> BTreeSet<usize> {
        let group = self.group(who);
        (0..TAGS)
            .filter(|tag| {
                let of_tag = || self.reasons.iter().filter(|(key, _)| group.contains(&key.0) && key.1 == *tag);
                let word = of_tag().filter(|(key, _)| key.2.is_empty()).max_by_key(|(_, reason)| reason.3);
                word.map_or_else(|| of_tag().next().is_some(), |(_, reason)| reason.0)
            })
            .collect()
    }

    fn holds(&self, condition: &Value, who: u8, tags: &BTreeSet<usize>, before: &Figures, now: &Figures) -> bool {
        let inner = |part: &Value| self.holds(part, who, tags, before, now);
        if let Some(parts) = condition["all"].as_array() {
            return parts.iter().all(inner);
        }
        if let Some(parts) = condition["any"].as_array() {
            return parts.iter().any(inner);
        }
        if !condition["not"].is_null() {
            return !inner(&condition["not"]);
        }
        let compared = |seen: Option<i64>| {
            let (Some(seen), wanted) = (seen, condition["value"].as_i64().unwrap()) else { return false };
            match condition["op"].as_str().unwrap() {
                ">=" => seen >= wanted,
                "<" => seen < wanted,
                "=" => seen == wanted,
                _ => seen != wanted,
            }
        };
        if let Some(name) = condition["feature"].as_str() {
            return compared(now[name]);
        }
        if let Some(tag) = condition["tag"].as_u64() {
            return tags.contains(&usize::try_from(tag).unwrap());
        }
        if let Some(stage) = condition["stage"].as_str() {
            return self.stages.get(&who).is_some_and(|buyer| *buyer == (stage == "buyer"));
        }
        if !condition["attribute"].is_null() {
            let told = self.group(who).into_iter().filter_map(|one| self.attributes.get(&one)).max();
            return compared(told.and_then(|told| told.1));
        }
        if !condition["calendar"].is_null() {
            // March to June 2026 with the holidays that the State Council has announced.
            let date = self.today - DAY_OF_MONDAY;
            let holidays = [33, 34, 35, 60, 61, 62, 63, 64, 109, 110, 111];
            let made_up = [68];
            return !holidays.contains(&date) && (date.rem_euclid(7) < 5 || made_up.contains(&date));
        }
        let name = condition["changed"].as_str().unwrap();
        before[name] != now[name]
    }

    /// Asks every rule of every customer, again and again, until nothing changes.
    fn settle(&mut self, rules: &[Rule], before: &BTreeMap<u8, Figures>, quiet: bool) {
        for who in self.survivors() {
            let now = self.figures(rules, who);
            let nothing: Figures = now.keys().map(|name| (name.clone(), absent(name))).collect();
            let before = before.get(&who).unwrap_or(&nothing);
            let today = self.today;
            self.retag(who, |reasons, _| reasons.retain(|_, reason| reason.1.is_none_or(|until| until > today)));
            for round in 0.. {
                assert!(round < 20, "the rules feed each other");
                if !self.round(rules, who, before, &now, round == 0 && !quiet, quiet) {
                    break;
                }
            }
        }
        let survivors = self.survivors();
        self.members.retain(|(_, who)| survivors.contains(who));
    }

    fn round(&mut self, rules: &[Rule], who: u8, before: &Figures, now: &Figures, moments: bool, quiet: bool) -> bool {
        let (tags, group) = (self.tags(who), self.group(who));
        let mut edges = Vec::new();
        for rule in rules.iter().filter(|rule| rule.at_work) {
            let holds = self.holds(&rule.condition, who, &tags, before, now);
            let matched = group.iter().any(|one| self.matched.contains(&(*one, rule.id.clone())));
            let touched = names(&rule.condition).iter().any(|name| before[name] != now[name]);
            if rule.segment {
                let key = (rule.id.clone(), who);
                if holds {
                    self.members.insert(key)
                } else {
                    self.members.remove(&key)
                };
            } else if momentary(&rule.condition) {
                if moments && touched && holds {
                    edges.push((rule, true));
                }
            } else if holds != matched {
                edges.push((rule, holds));
            }
        }
        for (rule, rises) in &edges {
            let id = &rule.id;
            if !momentary(&rule.condition) {
                if *rises {
                    self.matched.insert((who, id.clone()));
                } else {
                    self.matched.retain(|(one, rule)| !(group.contains(one) && rule == id));
                }
            }
            let today = self.today;
            for effect in rule.effects.as_array().unwrap() {
                let tag = |name: &str| effect[name].as_u64().map(|tag| usize::try_from(tag).unwrap());
                match (rises, tag("add_tag"), tag("remove_tag")) {
                    (true, Some(tag), _) => {
                        let until = effect["for_days"].as_i64().map(|days| today + days);
                        let lasting = effect["while_true"] == true;
                        self.retag(who, |reasons, _| {
                            reasons.insert((who, tag, id.clone()), (true, until, lasting, 0));
                        });
                    }
                    (true, _, Some(tag)) => self.retag(who, |reasons, group| {
                        reasons.retain(|key, _| !(group.contains(&key.0) && key.1 == tag && !key.2.is_empty()));
                    }),
                    (true, None, None) if !quiet => self.raised.push((who, id.clone())),
                    (false, Some(_), _) => self.retag(who, |reasons, group| {
                        reasons.retain(|key, reason| !(group.contains(&key.0) && key.2 == *id && reason.2));
                    }),
                    _ => {}
                }
            }
        }
        !edges.is_empty()
    }

    fn retag(&mut self, who: u8, change: impl FnOnce(&mut Reasons, &[u8])) {
        let (before, group) = (self.tags(who), self.group(who));
        // Only this customer's reasons are looked at.
        let mut own: BTreeMap<_, _> = self
            .reasons
            .iter()
            .filter(|(key, _)| group.contains(&key.0))
            .map(|(key, reason)| (key.clone(), *reason))
            .collect();
        self.reasons.retain(|key, _| !group.contains(&key.0));
        change(&mut own, &group);
        self.reasons.extend(own);
        let after = self.tags(who);
        self.announced.extend(after.difference(&before).map(|tag| (who, *tag, true)));
        self.announced.extend(before.difference(&after).map(|tag| (who, *tag, false)));
    }

    fn split(&mut self, customer: u8) {
        self.part_of.remove(&customer);
    }

    fn apply(&mut self, action: &Action) {
        match action {
            Action::Order { number, who, amount, douyin } => {
                let (card, day) = (who.0.min(who.1), self.today);
                let order = self.orders.entry(*number).or_insert(Bought { card, day, amount: 0, douyin: *douyin });
                (order.amount, order.douyin) = (*amount, *douyin);
            }
            Action::Refund { number, of, amount } => {
                // Of one order, a refund is told once.
                self.refunds.entry(number * 10 + of).or_insert((*of, self.today, *amount));
            }
            Action::View { who, product } => self.views.push((who.0.min(who.1), self.today, *product)),
            Action::Identified { customer, cards } => {
                self.known.insert(*customer);
                self.owner.extend(cards.iter().map(|card| (*card, *customer)));
            }
            Action::Merged(into, merged) if into != merged => {
                self.known.extend([*into, *merged]);
                if self.part_of.contains_key(into) {
                    self.split(*into);
                }
                self.part_of.insert(*merged, *into);
            }
            Action::Merged(..) => {}
            Action::Split(from, split) => {
                self.known.extend([*from, *split]);
                self.split(*split);
            }
            Action::Stage(customer, buyer) => {
                self.known.insert(*customer);
                self.stages.insert(*customer, *buyer);
            }
            Action::Attribute(customer, value) => {
                self.known.insert(*customer);
                self.told += 1;
                self.attributes.insert(*customer, (self.told, *value));
            }
            Action::Word { customer, tag, present } => {
                if self.known.contains(customer) {
                    self.told += 1;
                    let (who, told) = (self.survivor(*customer), self.told);
                    let group = self.group(who);
                    self.reasons.retain(|key, _| !(group.contains(&key.0) && key.1 == *tag && key.2.is_empty()));
                    self.reasons.insert((who, *tag, String::new()), (*present, None, false, told));
                }
            }
            Action::Days(_) | Action::Activate => {}
        }
    }
}

/// Days from 1970-01-01 to Monday, 2 March 2026.
const DAY_OF_MONDAY: i64 = 20_514;

fn absent(name: &str) -> Option<i64> {
    (!name.contains("since") && !name.contains("average")).then_some(0)
}

/// The features that a condition mentions.
fn names(condition: &Value) -> Vec<String> {
    match condition {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(name) if key == "feature" || key == "changed" => vec![name.clone()],
                other => names(other),
            })
            .collect(),
        Value::Array(parts) => parts.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// Puts the tags' ids in place of their numbers.
fn with_ids(condition: &Value, tags: &[String]) -> Value {
    match condition {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match value.as_u64() {
                Some(tag) if key == "tag" => (key.clone(), json!(tags[usize::try_from(tag).unwrap()])),
                _ => (key.clone(), with_ids(value, tags)),
            })
            .collect(),
        Value::Array(parts) => parts.iter().map(|part| with_ids(part, tags)).collect(),
        other => other.clone(),
    }
}

fn event(action: &Action, millis: i64, tags: &[String], first: bool) -> Option<Event> {
    let names = |cards: &[u8]| {
        let mut names: Vec<String> = cards.iter().map(|card| format!("M-{card}")).collect();
        names.sort();
        names.dedup();
        names
    };
    let cards = |who: &(u8, u8)| names(&[who.0, who.1]);
    let v = Version;
    Some(match action {
        Action::Order { number, who, amount, douyin } => {
            let cards = cards(who);
            let cards: Vec<&str> = cards.iter().map(String::as_str).collect();
            let platform = if *douyin { Platform::Douyin } else { Platform::Taobao };
            let order = order(*number, &cards, millis, platform, *amount, !first);
            if first { Event::OrderPaid(order) } else { Event::OrderDetailed(order) }
        }
        Action::Refund { number, of, amount } => refunded(number * 10 + of, *of, millis, *amount),
        Action::View { who, product } => {
            let cards = cards(who);
            let cards: Vec<&str> = cards.iter().map(String::as_str).collect();
            viewed(&cards, millis, &format!("P{product}"))
        }
        Action::Identified { customer: id, cards } => {
            let cards = names(cards);
            identified(customer(*id), &cards.iter().map(String::as_str).collect::<Vec<_>>())
        }
        Action::Merged(into, merged_id) => merged(customer(*into), customer(*merged_id)),
        Action::Split(from, split_id) => split(customer(*from), customer(*split_id)),
        Action::Stage(id, buyer) => Event::CustomerStageChanged(CustomerStageChanged {
            v,
            customer_id: customer(*id),
            from: None,
            to: if *buyer { Stage::Buyer } else { Stage::Lead },
            cause: "invented".to_owned(),
            at: at(millis),
        }),
        Action::Attribute(id, value) => Event::CustomerAttributeChanged(CustomerAttributeChanged {
            v,
            customer_id: customer(*id),
            field: "week".to_owned(),
            value: value.map(AttributeValue::Number),
            source: "invented".to_owned(),
            at: at(millis),
        }),
        Action::Word { customer: id, tag, present } => {
            let tag_id: TagId = tags[*tag].parse().unwrap();
            let (rule_id, by) = (None, Some("first".to_owned()));
            let word = TagEvent { v, customer_id: customer(*id), tag_id, rule_id, by, at: at(millis) };
            if *present { Event::TagAdded(word) } else { Event::TagRemoved(word) }
        }
        Action::Days(_) | Action::Activate => return None,
    })
}

const TABLES: [&str; 7] = [
    "select kind || scope || value || ' ' || coalesce(customer, '') || ' ' || state as v from subject order by id",
    "select order_id || ' ' || coalesce(subject, '') || ' ' || booked as v from tagging_order order by order_id",
    "select id || survivor || coalesce(part_of, '') || coalesce(stage, '') || attributes || matched || coalesce(due, '') as v from tagging_customer order by id",
    "select customer || tag || rule || present || coalesce(version, '') || event || coalesce(by, '') || since || coalesce(until, '') || lasting || seen as v from customer_tag order by customer, tag, rule",
    "select id || kind || version || coalesce(definition, '') || cursor || done || total || coalesce(finished_at, '') || members as v from tagging_rule order by id",
    "select segment || customer || since as v from segment_member order by segment, customer",
    "select day || revision as v from tagging_engine",
];

async fn dump(desk: &Desk) -> Vec<Vec<String>> {
    let mut tables = Vec::new();
    for sql in TABLES {
        tables.push(desk.column(sql).await);
    }
    tables
}

async fn play(specs: &[Spec], actions: &[Action]) {
    let desk = Desk::open().await;
    let names: Vec<String> = (0..TAGS).map(|tag| format!("T{tag}")).collect();
    let tags = desk.tags("Tags", false, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut rules = Vec::new();
    for (number, spec) in specs.iter().enumerate() {
        let segment = spec.segment && !momentary(&spec.condition);
        let condition = with_ids(&spec.condition, &tags);
        let name = format!("R{number}");
        let numbers: Vec<String> = (0..TAGS).map(|tag| tag.to_string()).collect();
        let in_numbers = effects(spec, &numbers).to_string();
        let in_numbers =
            numbers.iter().fold(in_numbers, |text, n| text.replace(&format!("tag\":\"{n}\""), &format!("tag\":{n}")));
        let id = if segment {
            // A segment is at work when it is made: those of the test are made at once.
            let made = desk.post("/v1/segments", json!({ "name": name, "condition": condition })).await;
            made["id"].as_str().unwrap().to_owned()
        } else {
            desk.draft(&name, condition, effects(spec, &tags)).await
        };
        let (condition, effects) = (spec.condition.clone(), serde_json::from_str(&in_numbers).unwrap());
        rules.push(Rule { id, condition, effects, segment, at_work: segment });
    }
    rules.sort_by(|one, other| one.id.cmp(&other.id));
    let mut model = Model { today: DAY_OF_MONDAY, ..Model::default() };
    let mut millis = 10 * HOUR;
    desk.tick(millis).await;
    // Two rules at once, the others later.
    let later: Vec<&Action> = vec![&Action::Activate; 2];
    for action in later.into_iter().chain(actions) {
        millis += 60_000;
        let before: BTreeMap<u8, Figures> =
            model.survivors().into_iter().map(|who| (who, model.figures(&rules, who))).collect();
        match action {
            Action::Days(days) => {
                for _ in 0..*days {
                    model.today += 1;
                    millis = (model.today - DAY_OF_MONDAY) * DAY;
                    desk.tick(millis).await;
                    // The day's own event changes no figure but by its coming.
                    let now = model.survivors().into_iter().map(|who| (who, model.figures(&rules, who))).collect();
                    model.settle(&rules, &now, false);
                }
            }
            Action::Activate => {
                let Some(rule) = rules.iter_mut().find(|rule| !rule.at_work) else { continue };
                rule.at_work = true;
                desk.activate(millis, &rule.id.clone()).await;
                model.settle(&rules, &before, true);
            }
            other => {
                let first = matches!(other, Action::Order { number, .. } if !model.orders.contains_key(number));
                model.apply(other);
                desk.log(millis, event(other, millis, &tags, first).into_iter().collect()).await;
                model.settle(&rules, &before, false);
            }
        }
        compare(&desk, &model, &rules, &tags, action).await;
    }
    replay(&desk).await;
}

async fn compare(desk: &Desk, model: &Model, rules: &[Rule], tags: &[String], action: &Action) {
    for who in model.survivors() {
        let path = format!("/v1/customers/{}", customer(who));
        for (name, value) in model.figures(rules, who) {
            let shown = desk.features(customer(who), &name).await;
            assert_eq!(shown.get(&name).and_then(Value::as_i64), value, "{name} of {who} after {action:?}");
        }
        let shown = desk.get(&format!("{path}/tags")).await;
        let shown: BTreeSet<usize> =
            shown.as_array().unwrap().iter().map(|tag| tags.iter().position(|id| tag["id"] == **id).unwrap()).collect();
        assert_eq!(shown, model.tags(who), "tags of {who} after {action:?}");
    }
    let matched = "select tagging_customer.id || ' ' || key as v from tagging_customer, json_each(matched)
        where key in (select id from tag_rule)";
    let matched: BTreeSet<String> = desk.column(matched).await.into_iter().collect();
    let wanted: BTreeSet<String> =
        model.matched.iter().map(|(who, rule)| format!("{} {rule}", customer(*who))).collect();
    assert_eq!(matched, wanted, "rules that hold after {action:?}");
    let members: BTreeSet<String> =
        desk.column("select segment || ' ' || customer as v from segment_member").await.into_iter().collect();
    let wanted: BTreeSet<String> =
        model.members.iter().map(|(segment, who)| format!("{segment} {}", customer(*who))).collect();
    assert_eq!(members, wanted, "members after {action:?}");
    let counts = "select id as v from tagging_rule
        where members <> (select count(*) from segment_member where segment = tagging_rule.id)";
    assert_eq!(desk.column(counts).await, Vec::<String>::new(), "counts after {action:?}");
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    let raised = desk
        .column(
            "select data ->> 'customer_id' || ' ' || (data ->> 'rule_id') as v from event where type = 'rule.matched'",
        )
        .await;
    let wanted = model.raised.iter().map(|(who, rule)| format!("{} {rule}", customer(*who))).collect();
    assert_eq!(sorted(raised), sorted(wanted), "raised after {action:?}");
    let announced = "select type || ' ' || (data ->> 'customer_id') || ' ' || (data ->> 'tag_id') as v from event
        where type in ('tag.added', 'tag.removed') and data ->> 'by' is null";
    let wanted = model.announced.iter().map(|(who, tag, added)| {
        format!("tag.{} {} {}", if *added { "added" } else { "removed" }, customer(*who), tags[*tag])
    });
    assert_eq!(sorted(desk.column(announced).await), sorted(wanted.collect()), "told after {action:?}");
}

/// The same log, cut otherwise, leaves the same behind.
async fn replay(desk: &Desk) {
    let wanted = dump(desk).await;
    for careful in [false, true] {
        let other = Desk::open().await;
        for (table, columns) in [
            ("tag_group", "id, name, single, colour, owner, created_at"),
            ("tag", "id, tag_group, name, created_at"),
            ("tag_rule", "id, name, draft, active, created_at, updated_at, retired_at"),
            ("tag_rule_version", "rule, version, definition, by, created_at"),
            ("segment", "id, name, condition, revision, created_at, updated_at, retired_at"),
            ("event", "seq, id, type, subject, source, time, data, trace"),
        ] {
            other.copy_from(desk, table, columns).await;
        }
        other.consume(careful).await;
        assert_eq!(dump(&other).await, wanted, "careful: {careful}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_is_what_the_history_says(specs in specs(), actions in actions()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&specs, &actions));
    }
}
