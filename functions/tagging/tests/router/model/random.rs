//! Random rules and random events.

use proptest::prelude::*;
use serde_json::{Value, json};

/// How many customers there are.
pub const CUSTOMERS: u8 = 4;
/// How many tags there are.
pub const TAGS: usize = 3;

/// Something that happens. Small numbers choose who, what and how much.
#[derive(Clone, Debug)]
pub enum Action {
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
        /// Yes, no, or what was said is taken back.
        present: Option<bool>,
    },
    Days(i64),
    /// The next rule that is not at work yet gets to be.
    Activate,
    /// Limits between RFM scores, in a window: written down, or the merchant's own fifths.
    Rfm(&'static str, Option<[[i64; 4]; 3]>),
}

pub fn actions() -> impl Strategy<Value = Vec<Action>> {
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
            2 => (customer(), 0..TAGS, any::<Option<bool>>()).prop_map(|(customer, tag, present)| Action::Word { customer, tag, present }),
            3 => prop::sample::select(vec![1_i64, 3, 7, 31]).prop_map(Action::Days),
            1 => Just(Action::Activate),
            2 => (prop::sample::select(vec!["30d", "90d", "365d", "ever"]), prop::option::of(limits()))
                .prop_map(|(window, limits)| Action::Rfm(window, limits)),
        ],
        5..40,
    )
}

fn limits() -> impl Strategy<Value = [[i64; 4]; 3]> {
    prop::sample::select(vec![
        [[1, 2, 8, 32], [2, 3, 4, 5], [1000, 2000, 4000, 8000]],
        [[0, 7, 40, 80], [1, 2, 3, 4], [3000, 3001, 5000, 6000]],
    ])
}

/// A condition; `{"tag": n}` stands for one of the first `tags` tags, so that no rule feeds itself.
pub fn condition(tags: usize) -> impl Strategy<Value = Value> {
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
        "rfm.recency",
        "rfm.frequency",
        "rfm.monetary",
        "rfm.total",
    ]);
    let compared = (
        features,
        prop::sample::select(vec![">=", "<", "=", "!="]),
        prop::sample::select(vec![0, 1, 2, 3, 5, 9, 2000, 4000]),
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
pub struct Spec {
    pub condition: Value,
    /// Tag given or taken, of those that this rule may not ask for.
    pub tag: usize,
    pub effect: u8,
    pub segment: bool,
}

pub fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let one = |level: usize| {
        (condition(level), level..TAGS, 0..5_u8, prop::bool::weighted(0.25))
            .prop_map(|(condition, tag, effect, segment)| Spec { condition, tag, effect, segment })
    };
    (0..3_usize, 0..3_usize, 0..3_usize, 0..3_usize).prop_flat_map(move |levels| {
        let [a, b, c, d] = [levels.0, levels.1, levels.2, levels.3].map(one);
        (a, b, c, d).prop_map(|(a, b, c, d)| vec![a, b, c, d])
    })
}

pub fn momentary(condition: &Value) -> bool {
    condition.to_string().contains("changed")
}

pub fn effects(spec: &Spec, tags: &[String]) -> Value {
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
