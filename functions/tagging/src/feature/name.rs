//! Names of features: `orders.count.30d`, `orders.amount.90d{platform=douyin}`. One parser, and the way back.

use super::measure::{self, MEASURES, Measure, RATIOS, Ratio};
use super::rfm::RFM;
pub use super::scalar::Scalar;
use super::state::{HOURS, WEEKDAYS};
use domain::day::Day;
use std::fmt;
use std::str::FromStr;

/// How far back a feature looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// So many days, today among them.
    Days(Day),
    /// All time.
    Ever,
}

impl Window {
    /// Every window, in the order of the catalogue.
    pub const ALL: [Self; 6] =
        [Self::Days(1), Self::Days(7), Self::Days(30), Self::Days(90), Self::Days(365), Self::Ever];

    /// The number of days; none for all time.
    pub const fn days(self) -> Option<Day> {
        match self {
            Self::Days(days) => Some(days),
            Self::Ever => None,
        }
    }

    /// Reads `30d` or `ever`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.to_string() == text)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days}d"),
            Self::Ever => f.write_str("ever"),
        }
    }
}

/// What of a measure is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stat {
    /// How often.
    Count,
    /// The sum of amounts.
    Amount,
    /// On how many different days. Only within windows that have an end.
    Days,
}

impl Stat {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Amount => "amount",
            Self::Days => "days",
        }
    }
}

/// One value of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Which, such as `platform`.
    pub name: &'static str,
    /// Its value, such as `douyin`.
    pub value: String,
}

/// What is told of all values of a dimension together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// The highest count that one value has.
    Top,
    /// How many values have a count.
    Distinct,
}

impl Spread {
    const ALL: [Self; 2] = [Self::Top, Self::Distinct];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::Distinct => "distinct",
        }
    }
}

/// A figure about a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Count, amount or days of a measure in a window.
    Window(&'static Measure, Stat, Window, Option<Dimension>),
    /// Days since the first of a measure (`false`), or since the last.
    Since(&'static Measure, bool, Option<Dimension>),
    /// The highest count of one value of a dimension in a window, or how many values have one: `views.top.7d{product}`.
    Spread(&'static Measure, Spread, Window, &'static str),
    /// Two measures held against each other in a window.
    Ratio(&'static Ratio, Window),
    /// Money paid less money given back in a window.
    Net(Window),
    /// The rest.
    Scalar(Scalar),
    /// The newest level in a membership.
    Level(String),
    /// The furthest progress in a course, in percent.
    Progress(String),
}

/// The key of the region's text: province and city, a tab between.
pub const REGION: &str = "region";
/// The key of the birthday's text: month and day, a tab between.
pub const BIRTHDAY: &str = "birthday";

impl Feature {
    /// The keys of the figures that it is made of: when none of them is touched, it changes with the days only.
    pub fn keys(&self) -> Vec<String> {
        let one = |measure: &Measure, dimension: &Option<Dimension>| {
            vec![measure::key(measure.name, dimension.as_ref().map(|own| (own.name, own.value.as_str())))]
        };
        match self {
            Self::Window(measure, _, _, dimension) | Self::Since(measure, _, dimension) => one(measure, dimension),
            // Whatever touches a value touches the whole.
            Self::Spread(measure, ..) => vec![measure.name.to_owned()],
            Self::Ratio(ratio, _) => vec![ratio.upper.0.to_owned(), ratio.lower.0.to_owned()],
            Self::Net(_) => vec!["orders".to_owned(), "refunds".to_owned()],
            Self::Level(program) => vec![format!("level|program={program}")],
            Self::Progress(course) => vec![format!("progress|course={course}")],
            Self::Scalar(scalar) => match scalar {
                Scalar::OrderInterval => vec!["orders".to_owned()],
                Scalar::RfmRecency | Scalar::RfmFrequency => vec!["orders".to_owned(), RFM.to_owned()],
                Scalar::RfmMonetary | Scalar::RfmTotal => {
                    vec!["orders".to_owned(), "refunds".to_owned(), RFM.to_owned()]
                }
                Scalar::StreakNow | Scalar::StreakLongest => vec!["active".to_owned()],
                Scalar::BestHour => vec![HOURS.to_owned()],
                Scalar::BestWeekday => vec![WEEKDAYS.to_owned()],
                Scalar::Province | Scalar::City => vec![REGION.to_owned()],
                Scalar::FirstChannel | Scalar::LastChannel => vec!["channel".to_owned()],
                Scalar::FirstSource | Scalar::LastSource => vec!["source".to_owned()],
                Scalar::BirthdayMonth | Scalar::BirthdayDay => vec![BIRTHDAY.to_owned()],
                Scalar::FollowsNow => vec!["follows".to_owned(), "unfollows".to_owned()],
            },
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dimension = match self {
            Self::Window(measure, stat, window, dimension) => {
                write!(f, "{}.{}.{window}", measure.name, stat.as_str())?;
                dimension.as_ref().map(|own| (own.name, own.value.as_str()))
            }
            Self::Since(measure, last, dimension) => {
                write!(f, "{}.since_{}", measure.name, if *last { "last" } else { "first" })?;
                dimension.as_ref().map(|own| (own.name, own.value.as_str()))
            }
            Self::Spread(measure, spread, window, dimension) => {
                return write!(f, "{}.{}.{window}{{{dimension}}}", measure.name, spread.as_str());
            }
            Self::Ratio(ratio, window) => return write!(f, "{}.{window}", ratio.name),
            Self::Net(window) => return write!(f, "net.amount.{window}"),
            Self::Scalar(scalar) => return f.write_str(scalar.as_str()),
            Self::Level(program) => {
                f.write_str("level")?;
                Some(("program", program.as_str()))
            }
            Self::Progress(course) => {
                f.write_str("progress")?;
                Some(("course", course.as_str()))
            }
        };
        match dimension {
            Some((name, value)) => write!(f, "{{{name}={value}}}"),
            None => Ok(()),
        }
    }
}

/// A text that names no feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No such feature.
    #[error(
        "{0:?} is not a feature: GET /v1/features lists them, such as orders.count.30d or orders.amount.90d{{platform=douyin}}"
    )]
    Unknown(String),
    /// The measure is not counted by that.
    #[error("{name:?} is not counted by {dimension:?}: use one of {known}")]
    Dimension {
        /// The feature.
        name: String,
        /// What was asked for.
        dimension: String,
        /// What there is.
        known: String,
    },
}

const LONGEST_VALUE: usize = 100;

impl FromStr for Feature {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let unknown = || NameError::Unknown(text.to_owned());
        let (base, dimension) = match text.split_once('{') {
            None => (text, None),
            Some((base, rest)) => {
                let inside = rest.strip_suffix('}').ok_or_else(unknown)?;
                let Some((name, value)) = inside.split_once('=') else {
                    return spread(text, base, inside);
                };
                let valid = !value.is_empty() && value.chars().count() <= LONGEST_VALUE;
                (base, Some(if valid { (name, value) } else { return Err(unknown()) }))
            }
        };
        match (base, dimension) {
            ("level", Some(("program", program))) => return Ok(Self::Level(program.to_owned())),
            ("progress", Some(("course", course))) => return Ok(Self::Progress(course.to_owned())),
            _ => {}
        }
        if dimension.is_none()
            && let Some(feature) = alone(base)
        {
            return Ok(feature);
        }
        let mut parts = base.split('.');
        let measure = parts.next().and_then(measure::find).ok_or_else(unknown)?;
        let (second, third) = (parts.next().ok_or_else(unknown)?, parts.next());
        if parts.next().is_some() {
            return Err(unknown());
        }
        let dimension = dimension.map(|(name, value)| of_measure(text, measure, name, value)).transpose()?;
        let window = || third.and_then(Window::parse).ok_or_else(unknown);
        match second {
            "since_first" if third.is_none() => Ok(Self::Since(measure, false, dimension)),
            "since_last" if third.is_none() => Ok(Self::Since(measure, true, dimension)),
            "count" => Ok(Self::Window(measure, Stat::Count, window()?, dimension)),
            "amount" if measure.amount.is_some() => Ok(Self::Window(measure, Stat::Amount, window()?, dimension)),
            "days" if window()? != Window::Ever => Ok(Self::Window(measure, Stat::Days, window()?, dimension)),
            _ => Err(unknown()),
        }
    }
}

fn of_measure(text: &str, measure: &Measure, name: &str, value: &str) -> Result<Dimension, NameError> {
    let known = measure.dimensions.iter().find(|known| **known == name);
    known.map(|name| Dimension { name, value: value.to_owned() }).ok_or_else(|| NameError::Dimension {
        name: text.to_owned(),
        dimension: name.to_owned(),
        known: if measure.dimensions.is_empty() { "none".to_owned() } else { measure.dimensions.join(", ") },
    })
}

/// A feature over all values of a dimension.
fn spread(text: &str, base: &str, dimension: &str) -> Result<Feature, NameError> {
    let unknown = || NameError::Unknown(text.to_owned());
    let parts: Vec<&str> = base.split('.').collect();
    let [measure, spread, window] = parts.as_slice() else { return Err(unknown()) };
    let measure = measure::find(measure).ok_or_else(unknown)?;
    let spread = Spread::ALL.into_iter().find(|known| known.as_str() == *spread).ok_or_else(unknown)?;
    let window = Window::parse(window).ok_or_else(unknown)?;
    let dimension = of_measure(text, measure, dimension, "")?;
    Ok(Feature::Spread(measure, spread, window, dimension.name))
}

/// Features without dimension whose names are not made of a measure's.
fn alone(base: &str) -> Option<Feature> {
    if let Some(scalar) = Scalar::ALL.into_iter().find(|scalar| scalar.as_str() == base) {
        return Some(Feature::Scalar(scalar));
    }
    let (name, window) = base.rsplit_once('.')?;
    let window = Window::parse(window)?;
    if name == "net.amount" {
        return Some(Feature::Net(window));
    }
    RATIOS.iter().find(|ratio| ratio.name == name).map(|ratio| Feature::Ratio(ratio, window))
}

/// Every feature over all values of a dimension.
pub fn spreads() -> impl Iterator<Item = Feature> {
    MEASURES.iter().flat_map(|measure| {
        measure.dimensions.iter().flat_map(move |dimension| {
            Spread::ALL.into_iter().flat_map(move |spread| {
                Window::ALL.into_iter().map(move |window| Feature::Spread(measure, spread, window, dimension))
            })
        })
    })
}

/// Every feature without a dimension, in the order of the catalogue.
pub fn all() -> impl Iterator<Item = Feature> {
    let measures = MEASURES.iter().flat_map(|measure| {
        let stats = [Stat::Count, Stat::Amount, Stat::Days].into_iter().flat_map(move |stat| {
            Window::ALL
                .into_iter()
                .filter(move |window| match stat {
                    Stat::Count => true,
                    Stat::Amount => measure.amount.is_some(),
                    Stat::Days => *window != Window::Ever && *window != Window::Days(1),
                })
                .map(move |window| Feature::Window(measure, stat, window, None))
        });
        stats.chain([false, true].map(|last| Feature::Since(measure, last, None)))
    });
    let ratios =
        RATIOS.iter().flat_map(|ratio| Window::ALL.into_iter().map(move |window| Feature::Ratio(ratio, window)));
    measures.chain(ratios).chain(Window::ALL.map(Feature::Net)).chain(Scalar::ALL.map(Feature::Scalar))
}
