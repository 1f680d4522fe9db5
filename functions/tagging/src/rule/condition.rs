//! Conditions: what they are. [`super::parse`] reads them, [`super::eval`] asks them.

use crate::feature::measure::key;
use crate::feature::{Feature, Value};
use domain::{Stage, TagId};

/// How a value is held against another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `in`
    In,
}

impl Op {
    /// Every one with its text.
    pub const ALL: [(&'static str, Self); 7] = [
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::AtMost),
        (">", Self::More),
        (">=", Self::AtLeast),
        ("in", Self::In),
    ];

    /// Its text.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, op)| *op == self).map_or("", |(text, _)| text)
    }

    /// Whether `seen` stands in this relation to what is wanted. What is not known stands in none, not even in `!=`.
    pub fn holds(self, seen: Option<&Value>, wanted: &[Value]) -> bool {
        let (Some(seen), Some(first)) = (seen, wanted.first()) else { return false };
        let alike = std::mem::discriminant(seen) == std::mem::discriminant(first);
        match self {
            Self::In => wanted.contains(seen),
            Self::Equal => seen == first,
            Self::NotEqual => seen != first,
            Self::Less => alike && seen < first,
            Self::AtMost => alike && seen <= first,
            Self::More => alike && seen > first,
            Self::AtLeast => alike && seen >= first,
        }
    }
}

/// Which days a calendar condition means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    /// Days that are worked, make-up days (调休) among them.
    Workday,
    /// Days that are not worked.
    Holiday,
    /// Saturdays and Sundays that are not worked.
    Weekend,
}

/// A condition that has no conditions inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// A feature against a value.
    Feature(Feature, Op, Vec<Value>),
    /// A field of the profile against a value.
    Attribute(String, Op, Vec<Value>),
    /// The customer carries a tag.
    Tag(TagId),
    /// The customer is in one of these stages.
    Stage(Vec<Stage>),
    /// The day is of such days.
    Days(Days),
    /// The day is in one of these months.
    Months(Vec<u8>),
    /// The event at hand is between these hours: from the first, before the second; over midnight where the second is less.
    Hours(u8, u8),
    /// The event at hand has changed a feature.
    Changed(Feature),
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// All of them hold.
    All(Vec<Condition>),
    /// At least one of them holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// One question.
    Leaf(Leaf),
}

/// The key of a customer's stage, among the keys of figures.
pub const STAGE: &str = "@stage";

/// The key of a field of the profile.
pub fn attribute_key(field: &str) -> String {
    key("@attribute", Some(("field", field)))
}

/// The key of a tag.
pub fn tag_key(tag: TagId) -> String {
    format!("@tag|{tag}")
}

impl Condition {
    /// All questions in it, in the order in which they are written.
    pub fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Self::Not(part) => part.leaves(),
            Self::Leaf(leaf) => vec![leaf],
        }
    }

    /// The keys of what it mentions: while none of them is touched, it changes with the days only.
    pub fn keys(&self) -> Vec<String> {
        let of_leaf = |leaf: &Leaf| match leaf {
            Leaf::Feature(feature, ..) | Leaf::Changed(feature) => feature.keys(),
            Leaf::Attribute(field, ..) => vec![attribute_key(field)],
            Leaf::Tag(tag) => vec![tag_key(*tag)],
            Leaf::Stage(_) => vec![STAGE.to_owned()],
            Leaf::Days(_) | Leaf::Months(_) | Leaf::Hours(..) => Vec::new(),
        };
        let mut keys: Vec<String> = self.leaves().into_iter().flat_map(of_leaf).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The features that it mentions.
    pub fn features(&self) -> Vec<&Feature> {
        self.leaves()
            .into_iter()
            .filter_map(|leaf| match leaf {
                Leaf::Feature(feature, ..) | Leaf::Changed(feature) => Some(feature),
                _ => None,
            })
            .collect()
    }

    /// The tags that it mentions.
    pub fn tags(&self) -> Vec<TagId> {
        self.leaves().into_iter().filter_map(|leaf| if let Leaf::Tag(tag) = leaf { Some(*tag) } else { None }).collect()
    }

    /// Whether it speaks of the event at hand, and so holds for that moment only.
    pub fn is_momentary(&self) -> bool {
        self.leaves().into_iter().any(|leaf| matches!(leaf, Leaf::Changed(_) | Leaf::Hours(..)))
    }
}
