//! Conditions from JSON. What is wrong is told with its place: `condition.all[1].op`.

use super::condition::{Condition, Days, Leaf, Op};
use crate::feature::name::{Dimension, Scalar, Stat, Window};
use crate::feature::{Feature, Value, measure};
use domain::Stage;
use serde_json::{Map, Value as Json};

/// How deep conditions may stand in each other.
const DEEPEST: usize = 12;
/// How many questions a condition may have.
const MOST_LEAVES: usize = 100;
/// How many values `in` may list.
const MOST_VALUES: usize = 1000;

/// What is wrong with a condition, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub struct Mistake {
    /// The place, such as `condition.all[1].op`.
    pub path: String,
    /// What to change.
    pub what: String,
}

fn mistake<T>(path: &str, what: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake { path: path.to_owned(), what: what.into() })
}

/// Reads a condition.
///
/// # Errors
/// [`Mistake`] with the place and what to change.
pub fn condition(json: &Json) -> Result<Condition, Mistake> {
    let condition = read(json, "condition", 0)?;
    if condition.leaves().len() > MOST_LEAVES {
        return mistake("condition", format!("it has more than {MOST_LEAVES} questions: split the rule"));
    }
    if condition.is_momentary() && condition.features().is_empty() {
        return mistake("condition", "`hours` speaks of an event: add a feature that the event changes");
    }
    Ok(condition)
}

const KINDS: &str = "all, any, not, feature, tag, stage, attribute, region, keyword, calendar, changed";

fn read(json: &Json, path: &str, depth: usize) -> Result<Condition, Mistake> {
    if depth > DEEPEST {
        return mistake(path, format!("conditions stand more than {DEEPEST} deep in each other"));
    }
    let Some(fields) = json.as_object() else {
        return mistake(path, "write an object with one of: ".to_owned() + KINDS);
    };
    let kinds: Vec<&str> = KINDS.split(", ").filter(|kind| fields.contains_key(*kind)).collect();
    let [kind] = kinds.as_slice() else {
        return mistake(path, format!("write exactly one of: {KINDS}"));
    };
    let inner = fields.get(*kind).unwrap_or(&Json::Null);
    let at = format!("{path}.{kind}");
    match *kind {
        "all" | "any" => {
            only(fields, path, &[kind])?;
            let Some(parts) = inner.as_array().filter(|parts| !parts.is_empty()) else {
                return mistake(&at, "write a list of at least one condition");
            };
            let parts =
                parts.iter().enumerate().map(|(number, part)| read(part, &format!("{at}[{number}]"), depth + 1));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            Ok(if *kind == "all" { Condition::All(parts) } else { Condition::Any(parts) })
        }
        "not" => {
            only(fields, path, &["not"])?;
            Ok(Condition::Not(Box::new(read(inner, &at, depth + 1)?)))
        }
        "feature" => {
            only(fields, path, &["feature", "op", "value"])?;
            let feature = feature(inner, &at)?;
            let (op, values) = comparison(fields, path)?;
            Ok(Condition::Leaf(Leaf::Feature(feature, op, values)))
        }
        "attribute" => {
            only(fields, path, &["attribute", "op", "value"])?;
            let (op, values) = comparison(fields, path)?;
            Ok(Condition::Leaf(Leaf::Attribute(text(inner, &at)?, op, values)))
        }
        "tag" => {
            only(fields, path, &["tag"])?;
            match text(inner, &at)?.parse() {
                Ok(tag) => Ok(Condition::Leaf(Leaf::Tag(tag))),
                Err(_) => mistake(&at, "write a tag's id, a UUID"),
            }
        }
        "stage" => {
            only(fields, path, &["stage"])?;
            stages(inner, &at).map(|stages| Condition::Leaf(Leaf::Stage(stages)))
        }
        "region" => {
            only(fields, path, &["region"])?;
            region(inner, &at)
        }
        "keyword" => {
            only(fields, path, &["keyword", "window", "op", "value"])?;
            keyword(fields, inner, path, &at)
        }
        "calendar" => {
            only(fields, path, &["calendar"])?;
            calendar(inner, &at)
        }
        _ => {
            only(fields, path, &["changed"])?;
            feature(inner, &at).map(|feature| Condition::Leaf(Leaf::Changed(feature)))
        }
    }
}

fn only(fields: &Map<String, Json>, path: &str, known: &[&str]) -> Result<(), Mistake> {
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => {
            mistake(&format!("{path}.{key}"), format!("is not known here: the fields are {}", known.join(", ")))
        }
        None => Ok(()),
    }
}

fn text(json: &Json, path: &str) -> Result<String, Mistake> {
    match json.as_str().filter(|text| !text.is_empty() && text.chars().count() <= 100) {
        Some(text) => Ok(text.to_owned()),
        None => mistake(path, "write a text of 1 to 100 characters"),
    }
}

fn feature(json: &Json, path: &str) -> Result<Feature, Mistake> {
    text(json, path)?.parse().or_else(|error: crate::feature::name::NameError| mistake(path, error.to_string()))
}

fn value(json: &Json, path: &str) -> Result<Value, Mistake> {
    match json {
        Json::Bool(flag) => Ok(Value::Flag(*flag)),
        Json::String(text) => Ok(Value::Text(text.clone())),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Ok(Value::Number(number)),
            None => mistake(path, "write a whole number (money in fen)"),
        },
        _ => mistake(path, "write a number, a text, true or false"),
    }
}

fn comparison(fields: &Map<String, Json>, path: &str) -> Result<(Op, Vec<Value>), Mistake> {
    let ops = "=, !=, <, <=, >, >=, in";
    let op = fields.get("op").and_then(Json::as_str);
    let Some((_, op)) = Op::ALL.into_iter().find(|(text, _)| Some(*text) == op) else {
        return mistake(&format!("{path}.op"), format!("write one of {ops}"));
    };
    let at = format!("{path}.value");
    let Some(wanted) = fields.get("value") else { return mistake(&at, "is missing") };
    if op != Op::In {
        return Ok((op, vec![value(wanted, &at)?]));
    }
    match wanted.as_array().filter(|list| (1..=MOST_VALUES).contains(&list.len())) {
        Some(list) => Ok((op, list.iter().map(|one| value(one, &at)).collect::<Result<_, _>>()?)),
        None => mistake(&at, format!("write a list of 1 to {MOST_VALUES} values for `in`")),
    }
}

fn stages(json: &Json, path: &str) -> Result<Vec<Stage>, Mistake> {
    let one = |json: &Json| match text(json, path)?.parse() {
        Ok(stage) => Ok(stage),
        Err(error) => mistake(path, domain::UnknownStage::to_string(&error)),
    };
    match json {
        Json::Array(list) if !list.is_empty() => list.iter().map(one).collect(),
        json => Ok(vec![one(json)?]),
    }
}

fn region(json: &Json, path: &str) -> Result<Condition, Mistake> {
    let Some(fields) = json.as_object().filter(|fields| !fields.is_empty()) else {
        return mistake(path, "write an object with province, city or both");
    };
    only(fields, path, &["province", "city"])?;
    let places = [("province", Scalar::Province), ("city", Scalar::City)];
    let parts = places.into_iter().filter_map(|(name, scalar)| fields.get(name).map(|place| (name, scalar, place)));
    let parts = parts.map(|(name, scalar, place)| {
        let place = text(place, &format!("{path}.{name}"))?;
        Ok(Condition::Leaf(Leaf::Feature(Feature::Scalar(scalar), Op::Equal, vec![Value::Text(place)])))
    });
    parts.collect::<Result<_, _>>().map(Condition::All)
}

fn keyword(fields: &Map<String, Json>, word: &Json, path: &str, at: &str) -> Result<Condition, Mistake> {
    let window = match fields.get("window") {
        None => Window::Ever,
        Some(window) => match window.as_str().and_then(Window::parse) {
            Some(window) => window,
            None => return mistake(&format!("{path}.window"), "write one of 1d, 7d, 30d, 90d, 365d, ever"),
        },
    };
    let word = text(word, at)?;
    let (op, values) =
        if fields.contains_key("op") { comparison(fields, path)? } else { (Op::AtLeast, vec![Value::Number(1)]) };
    let Some(measure) = measure::find("keyword") else { return mistake(at, "keywords are not counted") };
    let dimension = Some(Dimension { name: "word", value: word });
    let feature = Feature::Window(measure, Stat::Count, window, dimension);
    Ok(Condition::Leaf(Leaf::Feature(feature, op, values)))
}

fn calendar(json: &Json, path: &str) -> Result<Condition, Mistake> {
    let Some(fields) = json.as_object().filter(|fields| !fields.is_empty()) else {
        return mistake(path, "write an object with days, months or hours");
    };
    only(fields, path, &["days", "months", "hours"])?;
    let mut parts = Vec::new();
    if let Some(days) = fields.get("days") {
        parts.push(Leaf::Days(match days.as_str() {
            Some("workday") => Days::Workday,
            Some("holiday") => Days::Holiday,
            Some("weekend") => Days::Weekend,
            _ => return mistake(&format!("{path}.days"), "write workday, holiday or weekend"),
        }));
    }
    let small = |json: &Json| json.as_u64().and_then(|number| u8::try_from(number).ok());
    if let Some(months) = fields.get("months") {
        let list = months.as_array().map(|list| list.iter().map(small).collect::<Option<Vec<u8>>>());
        match list.flatten().filter(|list| !list.is_empty() && list.iter().all(|month| (1..=12).contains(month))) {
            Some(months) => parts.push(Leaf::Months(months)),
            None => return mistake(&format!("{path}.months"), "write a list of months, 1 to 12"),
        }
    }
    if let Some(hours) = fields.get("hours") {
        match hours.as_array().map(|list| list.iter().map(small).collect::<Vec<_>>()).as_deref() {
            Some([Some(from), Some(to)]) if *from < 24 && *to <= 24 && from != to => {
                parts.push(Leaf::Hours(*from, *to))
            }
            _ => return mistake(&format!("{path}.hours"), "write two hours, from 0 to 23 and to 1 to 24: [20, 24]"),
        }
    }
    Ok(Condition::All(parts.into_iter().map(Condition::Leaf).collect()))
}
