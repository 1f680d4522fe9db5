//! What each way has of an order, by every model at once.

use crate::attribution::{Model, Touch, attribute};
use crate::touch::Way;
use domain::{Fen, MoneyError, UnixMs};
use serde::Deserialize;
use utoipa::ToSchema;

/// A model by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelName {
    /// All to the earliest touch.
    FirstTouch,
    /// All to the latest touch.
    #[default]
    LastTouch,
    /// To each touch alike.
    Linear,
    /// The later a touch, the more.
    TimeDecay,
}

impl ModelName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::FirstTouch, Self::LastTouch, Self::Linear, Self::TimeDecay];

    /// Its name in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstTouch => "first_touch",
            Self::LastTouch => "last_touch",
            Self::Linear => "linear",
            Self::TimeDecay => "time_decay",
        }
    }
}

/// What attribution goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// How many days of 24 hours before its payment an order is owed to touches, 0 to 365.
    pub window_days: u32,
    /// After how many days of 24 hours a touch weighs half as much, 1 to 365.
    pub half_life_days: u16,
}

impl Setting {
    fn model(self, name: ModelName) -> Model {
        match name {
            ModelName::FirstTouch => Model::FirstTouch,
            ModelName::LastTouch => Model::LastTouch,
            ModelName::Linear => Model::Linear,
            ModelName::TimeDecay => Model::TimeDecay { half_life_days: self.half_life_days },
        }
    }

    /// The window in milliseconds.
    pub fn window_ms(self) -> i64 {
        i64::from(self.window_days).saturating_mul(86_400_000)
    }
}

/// What one way has of an order by one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The model.
    pub model: ModelName,
    /// The way; absent where the order is owed to no channel.
    pub way: Option<Way>,
    /// How much.
    pub amount: Fen,
    /// Whether the order counts here: the largest share of its model, of equal ones the first by name.
    pub leads: bool,
}

/// Shares an order out by every model. The shares of each model sum to `worth` to the fen.
///
/// # Errors
/// [`MoneyError`] never happens for the worth of an order.
pub fn shares(
    setting: Setting,
    paid_at: UnixMs,
    worth: Fen,
    touches: &[(UnixMs, Way)],
) -> Result<Vec<Share>, MoneyError> {
    let keyed: Vec<Touch> = touches.iter().map(|(at, way)| Touch { at: *at, key: key(way) }).collect();
    let mut shares = Vec::new();
    for model in ModelName::ALL {
        let parts = attribute(setting.model(model), setting.window_days, paid_at, worth, &keyed)?;
        let largest = parts.iter().map(|(_, amount)| *amount).max();
        let leader = parts.iter().position(|(_, amount)| Some(*amount) == largest);
        for (place, (key, amount)) in parts.iter().enumerate() {
            let way = touches.iter().map(|(_, way)| way).find(|way| self::key(way) == *key).cloned();
            shares.push(Share { model, way, amount: *amount, leads: Some(place) == leader });
        }
        if parts.is_empty() {
            shares.push(Share { model, way: None, amount: worth, leads: true });
        }
    }
    Ok(shares)
}

/// A way as one text, by which touches of one instant are put in order too.
fn key(way: &Way) -> String {
    let Way { channel, code, store, staff } = way;
    let parts = [Some(channel), code.as_ref(), store.as_ref(), staff.as_ref()];
    parts.map(|part| part.map_or("", String::as_str)).join("\u{1f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: i64 = 1_771_032_600_000;

    fn touch(days: i64, channel: &str) -> (UnixMs, Way) {
        let way = Way { channel: channel.to_owned(), code: None, store: None, staff: None };
        (UnixMs::from_millis(PAID - days * 86_400_000).unwrap(), way)
    }

    #[test]
    fn every_model_sums_to_the_worth_and_counts_the_order_once() {
        let setting = Setting { window_days: 30, half_life_days: 7 };
        let paid = UnixMs::from_millis(PAID).unwrap();
        for path in [vec![], vec![touch(31, "a")], vec![touch(14, "a"), touch(7, "b"), touch(0, "c")]] {
            let shares = shares(setting, paid, Fen::new(101), &path).unwrap();
            for model in ModelName::ALL {
                let own = || shares.iter().filter(|share| share.model == model);
                assert_eq!(own().map(|share| share.amount.get()).sum::<i64>(), 101, "{model:?}");
                assert_eq!(own().filter(|share| share.leads).count(), 1, "{model:?}");
            }
        }
        let path = [touch(14, "a"), touch(7, "b"), touch(0, "c")];
        let shares = shares(setting, paid, Fen::new(101), &path).unwrap();
        let leader = |model| {
            let share = shares.iter().find(|share| share.model == model && share.leads).unwrap();
            share.way.as_ref().unwrap().channel.clone()
        };
        assert_eq!(ModelName::ALL.map(leader), ["a", "c", "a", "c"]);
    }
}
