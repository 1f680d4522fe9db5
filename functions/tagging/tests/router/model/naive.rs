//! The naive model: the raw history, and what follows from it by the definitions, with no index and no memory of figures.

use super::random::{Action, TAGS, momentary};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A rule of the model.
pub struct Rule {
    pub id: String,
    pub condition: Value,
    pub effects: Value,
    pub segment: bool,
    pub at_work: bool,
}

pub struct Bought {
    pub card: u8,
    pub day: i64,
    pub amount: i64,
    pub douyin: bool,
}

/// The limits between RFM scores: of recency, frequency, money.
pub struct Rfm {
    pub window: &'static str,
    pub quantiles: bool,
    pub limits: [[i64; 4]; 3],
}

impl Default for Rfm {
    fn default() -> Self {
        let limits = [[30, 60, 90, 180], [2, 4, 6, 10], [30_000, 100_000, 200_000, 500_000]];
        Self { window: "365d", quantiles: false, limits }
    }
}

/// By customer, tag and rule (or "" for a person).
pub type Reasons = BTreeMap<(u8, usize, String), (bool, Option<i64>, bool, usize)>;

/// The raw history, and what follows from it by the definitions, without any index.
#[derive(Default)]
pub struct Model {
    pub today: i64,
    // The history.
    pub orders: BTreeMap<u8, Bought>,
    pub refunds: BTreeMap<u8, (u8, i64, i64)>,
    pub views: Vec<(u8, i64, u8)>,
    pub owner: BTreeMap<u8, u8>,
    pub part_of: BTreeMap<u8, u8>,
    pub known: BTreeSet<u8>,
    pub stages: BTreeMap<u8, bool>,
    pub attributes: BTreeMap<u8, (usize, Option<i64>)>,
    pub told: usize,
    pub rfm: Rfm,
    // What is kept.
    pub matched: BTreeSet<(u8, String)>,
    /// (customer, tag, rule or "") → (present, the day on which it is gone, goes with the rule, order of words).
    pub reasons: Reasons,
    pub members: BTreeSet<(String, u8)>,
    pub raised: Vec<(u8, String)>,
    pub announced: Vec<(u8, usize, bool)>,
}

/// Figures by name, for one customer.
pub type Figures = BTreeMap<String, Option<i64>>;

impl Model {
    fn survivor(&self, customer: u8) -> u8 {
        self.part_of.get(&customer).map_or(customer, |into| self.survivor(*into))
    }

    pub fn survivors(&self) -> Vec<u8> {
        self.known.iter().copied().filter(|customer| !self.part_of.contains_key(customer)).collect()
    }

    fn group(&self, survivor: u8) -> Vec<u8> {
        self.known.iter().copied().filter(|customer| self.survivor(*customer) == survivor).collect()
    }

    fn is_of(&self, card: u8, survivor: u8) -> bool {
        self.owner.get(&card).is_some_and(|owner| self.survivor(*owner) == survivor)
    }

    /// Days since the last order, orders and net money in the window; each only where there are some.
    fn bought(&self, who: u8) -> [Option<i64>; 3] {
        let window = self.rfm.window.trim_end_matches('d').parse::<i64>().ok();
        let within = |day: i64| window.is_none_or(|days| day > self.today - days);
        let mine: Vec<_> = self.orders.iter().filter(|(_, order)| self.is_of(order.card, who)).collect();
        let count = i64::try_from(mine.iter().filter(|(_, order)| within(order.day)).count()).unwrap();
        let paid: i64 = mine.iter().filter(|(_, order)| within(order.day)).map(|(_, order)| order.amount).sum();
        let back = self.refunds.values().filter(|refund| mine.iter().any(|(number, _)| **number == refund.0));
        let back: i64 = back.filter(|refund| within(refund.1)).map(|refund| refund.2).sum();
        let last = mine.iter().map(|(_, order)| self.today - order.day).min();
        [last, Some(count).filter(|count| *count > 0), Some(paid - back).filter(|money| *money > 0)]
    }

    fn scores(&self, who: u8) -> [i64; 3] {
        let figures = self.bought(who);
        [0, 1, 2].map(|which| {
            let Some(figure) = figures[which] else { return 0 };
            let reached = |limit: &i64| if which == 0 { figure <= *limit } else { figure >= *limit };
            1 + i64::try_from(self.rfm.limits[which].into_iter().filter(|limit| reached(limit)).count()).unwrap()
        })
    }

    /// The limits are those between fifths of all buyers as they are: of n in order, the k-th begins after k n / 5 of them.
    pub fn fifths(&mut self) {
        for which in 0..3 {
            let figures = self.survivors().into_iter().filter_map(|who| self.bought(who)[which]);
            let mut figures: Vec<i64> = figures.collect();
            // The best last; of days since the last order the fewest are the best.
            figures.sort_by_key(|figure| if which == 0 { -figure } else { *figure });
            let count = figures.len();
            if count > 0 {
                let mut limits = [1, 2, 3, 4].map(|fifth| figures[fifth * count / 5]);
                limits.sort_unstable();
                self.rfm.limits[which] = limits;
            }
        }
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
            "rfm.recency" => Some(self.scores(who)[0]),
            "rfm.frequency" => Some(self.scores(who)[1]),
            "rfm.monetary" => Some(self.scores(who)[2]),
            "rfm.total" => Some(self.scores(who).iter().sum()),
            other => panic!("the model does not know {other}"),
        }
    }

    pub fn figures(&self, rules: &[Rule], who: u8) -> Figures {
        let names = rules.iter().flat_map(|rule| names(&rule.condition));
        names.map(|name| (name.clone(), self.feature(&name, who))).collect()
    }

    pub fn tags(&self, who: u8) -> BTreeSet<usize> {
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
    pub fn settle(&mut self, rules: &[Rule], before: &BTreeMap<u8, Figures>, quiet: bool) {
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

    pub fn apply(&mut self, action: &Action) {
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
                    let (group, before) = (self.group(who), self.tags(who));
                    self.reasons.retain(|key, _| !(group.contains(&key.0) && key.1 == *tag && key.2.is_empty()));
                    if let Some(present) = present {
                        self.reasons.insert((who, *tag, String::new()), (*present, None, false, told));
                    }
                    let after = self.tags(who);
                    if present.is_none() {
                        // A person's own word is in the log as such; what follows from its end is told.
                        self.announced.extend(after.difference(&before).map(|tag| (who, *tag, true)));
                        self.announced.extend(before.difference(&after).map(|tag| (who, *tag, false)));
                    }
                }
            }
            Action::Rfm(window, limits) => {
                self.rfm.window = window;
                self.rfm.quantiles = limits.is_none();
                match limits {
                    Some(limits) => self.rfm.limits = *limits,
                    None => self.fifths(),
                }
            }
            Action::Days(_) | Action::Activate => {}
        }
    }
}

/// Days from 1970-01-01 to Monday, 2 March 2026.
pub const DAY_OF_MONDAY: i64 = 20_514;

pub fn absent(name: &str) -> Option<i64> {
    (!name.contains("since") && !name.contains("average")).then_some(0)
}

/// The features that a condition mentions.
pub fn names(condition: &Value) -> Vec<String> {
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
