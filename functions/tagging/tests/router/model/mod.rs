//! The heart: for random rules and random events, what the function keeps equals what a naive model makes of the raw history, and does
//! not depend on how the log is cut into batches.

mod naive;
mod past;
mod random;

use crate::support::*;
use domain::{
    AttributeValue, CustomerAttributeChanged, CustomerStageChanged, Event, Platform, Stage, TagEvent, TagId, Version,
};
use naive::{DAY_OF_MONDAY, Figures, Model, Rule};
use proptest::prelude::*;
use random::{Action, Spec, TAGS, actions, effects, momentary, specs};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

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
            match present {
                Some(true) => Event::TagAdded(word),
                Some(false) => Event::TagRemoved(word),
                None => Event::TagReleased(word),
            }
        }
        Action::Days(_) | Action::Activate | Action::Rfm(..) => return None,
    })
}

const TABLES: [&str; 10] = [
    "select seq || ' ' || version || limits || coalesce(buyers, '') || ' ' || since as v from rfm_limits order by seq",
    "select version || ' ' || round || phase || day || span || cursor || done || total || coalesce(finished_at, '') as v from tagging_rfm",
    "select customer || round as v from rfm_figure order by customer, round",
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
                    let date = domain::day::date_of(i32::try_from(model.today).unwrap()).unwrap();
                    if date.day() == 1 && model.rfm.quantiles {
                        model.fifths();
                        model.settle(&rules, &now, true);
                    }
                }
            }
            Action::Activate => {
                let Some(rule) = rules.iter_mut().find(|rule| !rule.at_work) else { continue };
                rule.at_work = true;
                desk.activate(millis, &rule.id.clone()).await;
                model.settle(&rules, &before, true);
            }
            Action::Rfm(window, limits) => {
                model.apply(action);
                desk.rfm(millis, window, *limits).await;
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
            ("rfm_version", "version, document, by, created_at"),
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
