//! What is counted: the measures, their amounts and their dimensions. The catalogue is made from these tables.

/// What a feature's number is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Times.
    Count,
    /// Money, 1/100 yuan.
    Fen,
    /// Days of the merchant's calendar.
    Days,
    /// Milliseconds.
    Ms,
    /// Minutes.
    Minutes,
    /// Seconds.
    Seconds,
    /// Whole percent.
    Percent,
    /// An hour of the day, 0 to 23.
    Hour,
    /// 1 (Monday) to 7 (Sunday).
    Weekday,
    /// A score or a rank.
    Level,
    /// A text.
    Text,
}

impl Unit {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Fen => "fen",
            Self::Days => "days",
            Self::Ms => "ms",
            Self::Minutes => "minutes",
            Self::Seconds => "seconds",
            Self::Percent => "percent",
            Self::Hour => "hour",
            Self::Weekday => "weekday",
            Self::Level => "level",
            Self::Text => "text",
        }
    }
}

/// Something that is counted.
#[derive(Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name, the first part of a feature's.
    pub name: &'static str,
    /// What one of it is, in words.
    pub what: &'static str,
    /// What its amount is, if it has one.
    pub amount: Option<(Unit, &'static str)>,
    /// What it can be asked by.
    pub dimensions: &'static [&'static str],
}

const fn measure(
    name: &'static str,
    what: &'static str,
    amount: Option<(Unit, &'static str)>,
    dimensions: &'static [&'static str],
) -> Measure {
    Measure { name, what, amount, dimensions }
}

/// Everything that is counted.
pub const MEASURES: &[Measure] = &[
    measure(
        "orders",
        "paid orders",
        Some((Unit::Fen, "money paid for them; by a product's dimension, what was paid for those lines")),
        &["platform", "shop", "store", "channel", "live_room", "sku", "product", "category", "brand", "flavour"],
    ),
    measure("pieces", "pieces bought", None, &["sku", "product", "category", "brand", "flavour"]),
    measure(
        "goods",
        "paid orders whose bill is known",
        Some((Unit::Fen, "price of their goods before discounts")),
        &[],
    ),
    measure("discount", "paid orders with a discount", Some((Unit::Fen, "discounts of merchant and platform")), &[]),
    measure("refunds", "refunds paid out", Some((Unit::Fen, "money given back")), &["platform"]),
    measure("returns", "returned goods received", None, &[]),
    measure("activity", "things done, orders not among them", None, &["kind", "source", "channel", "store"]),
    measure("active", "events of any kind, orders among them", None, &[]),
    measure("sessions", "visits: a pause of more than 30 minutes begins a new one", None, &[]),
    measure("views", "page views", Some((Unit::Ms, "time on the pages")), &["product", "category", "page"]),
    measure("menus", "stays on a menu", Some((Unit::Ms, "time on the menus")), &["menu"]),
    measure("menu_stays", "stays on a menu of 30 seconds or more", Some((Unit::Ms, "time of those stays")), &["menu"]),
    measure("scans", "scans of channel codes", None, &["code"]),
    measure("follows", "accounts, live rooms or shops followed", None, &["account"]),
    measure("unfollows", "accounts, live rooms or shops left", None, &["account"]),
    measure("links", "tracked links opened", None, &["link"]),
    measure("reads", "tracked links read and left", Some((Unit::Ms, "time on them")), &["link"]),
    measure("shares", "things passed on to others", None, &["content"]),
    measure("forms", "forms submitted", None, &["form"]),
    measure("comments", "comments in live rooms", None, &["room"]),
    measure("keyword", "the merchant's keywords said", None, &["word"]),
    measure("messages", "messages written to the merchant", None, &["account"]),
    measure("menu_uses", "menus of an account used", None, &["menu"]),
    measure("adds", "members of staff added at WeCom", None, &["code"]),
    measure("removals", "members of staff removed at WeCom, or who removed", None, &[]),
    measure("joins", "group chats joined", None, &["group"]),
    measure("leaves", "group chats left", None, &["group"]),
    measure("lessons", "lessons attended", Some((Unit::Minutes, "time in them")), &["course"]),
    measure("drives", "test drives", None, &["model"]),
    measure("consultations", "consultations", Some((Unit::Minutes, "time in them")), &["topic"]),
    measure("devices", "devices bought or registered", None, &["model"]),
    measure("calls", "telephone calls", Some((Unit::Seconds, "time on the telephone")), &[]),
];

/// The measure of a name.
pub fn find(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|measure| measure.name == name)
}

/// The key of a measure's series, or of one value of a dimension of it.
pub fn key(measure: &str, dimension: Option<(&str, &str)>) -> String {
    match dimension {
        None => measure.to_owned(),
        Some((name, value)) => format!("{measure}|{name}={value}"),
    }
}

/// Two measures held against each other.
#[derive(Debug, PartialEq, Eq)]
pub struct Ratio {
    /// The feature's name, without the window.
    pub name: &'static str,
    /// What it says.
    pub what: &'static str,
    /// The upper measure, and whether its amount is meant.
    pub upper: (&'static str, bool),
    /// The lower measure, and whether its amount is meant.
    pub lower: (&'static str, bool),
    /// Whether it is in percent; otherwise in the upper one's unit.
    pub unit: Unit,
}

/// All ratios.
pub const RATIOS: &[Ratio] = &[
    ratio("basket.average", "money paid for an order on average", ("orders", true), ("orders", false), Unit::Fen),
    ratio(
        "discount.share",
        "discounts in percent of the goods' price",
        ("discount", true),
        ("goods", true),
        Unit::Percent,
    ),
    ratio(
        "promotion.share",
        "orders with a discount in percent of all",
        ("discount", false),
        ("goods", false),
        Unit::Percent,
    ),
    ratio("refund.rate", "refunds in percent of orders", ("refunds", false), ("orders", false), Unit::Percent),
    ratio(
        "refund.share",
        "money given back in percent of money paid",
        ("refunds", true),
        ("orders", true),
        Unit::Percent,
    ),
    ratio("pieces.average", "pieces in an order on average", ("pieces", false), ("orders", false), Unit::Count),
    ratio("views.dwell", "time on a page on average", ("views", true), ("views", false), Unit::Ms),
    ratio("sessions.depth", "things done in a visit on average", ("activity", false), ("sessions", false), Unit::Count),
];

const fn ratio(
    name: &'static str,
    what: &'static str,
    upper: (&'static str, bool),
    lower: (&'static str, bool),
    unit: Unit,
) -> Ratio {
    Ratio { name, what, upper, lower, unit }
}
