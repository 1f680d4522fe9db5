//! The catalogue of features, and one customer's.

use super::{TagsRead, seen};
use crate::feature::measure::Unit;
use crate::feature::name::{self, Feature, Scalar, Spread, Stat, Window};
use crate::feature::rfm::Limits;
use crate::feature::{State, Value};
use crate::store::{rfm, subject};
use axum::Json;
use axum::extract::State as Shared;
use domain::CustomerId;
use domain::day;
use kit::auth::Caller;
use kit::extract::{Path, Query};
use kit::{App, Cx, Problem};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// One feature of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeatureView {
    /// Its name: `orders.count.30d`. With a dimension: `orders.count.30d{platform=douyin}`; over all values of one: `views.top.7d{product}`.
    name: String,
    /// What its value is in: count, fen, days, ms, minutes, seconds, percent, hour, weekday, level or text.
    unit: &'static str,
    /// What it says.
    definition: String,
    /// How far back it looks: 1d, 7d, 30d, 90d, 365d or ever; absent where that has no meaning. 1d is today, in the merchant's calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<String>,
    /// The dimensions that it can be asked by, one at a time.
    dimensions: Vec<&'static str>,
}

fn within(window: Window) -> String {
    match window {
        Window::Days(1) => "today".to_owned(),
        Window::Days(days) => format!("in the last {days} days"),
        Window::Ever => "ever".to_owned(),
    }
}

impl FeatureView {
    fn new(feature: &Feature) -> Self {
        let (unit, definition, window, dimensions): (_, _, _, &'static [&'static str]) = match feature {
            Feature::Window(measure, stat, window, _) => {
                let (unit, what) = match (stat, measure.amount) {
                    (Stat::Amount, Some((unit, amount))) => (unit, format!("{amount} ({})", measure.what)),
                    (Stat::Days, _) => (Unit::Days, format!("days with {}", measure.what)),
                    _ => (Unit::Count, measure.what.to_owned()),
                };
                (unit, format!("{what}, {}", within(*window)), Some(*window), measure.dimensions)
            }
            Feature::Since(measure, last, _) => {
                let which = if *last { "last" } else { "first" };
                (Unit::Days, format!("days since the {which} of: {}", measure.what), None, measure.dimensions)
            }
            Feature::Spread(measure, spread, window, _) => {
                let what = match spread {
                    Spread::Top => format!("the most {} of one value of the dimension", measure.what),
                    Spread::Distinct => format!("values of the dimension that have {}", measure.what),
                };
                (Unit::Count, format!("{what}, {}", within(*window)), Some(*window), &[])
            }
            Feature::Ratio(ratio, window) => {
                (ratio.unit, format!("{}, {}", ratio.what, within(*window)), Some(*window), &[])
            }
            Feature::Net(window) => {
                (Unit::Fen, format!("money paid less money given back, {}", within(*window)), Some(*window), &[])
            }
            Feature::Scalar(scalar) => {
                let (unit, what) = scalar_view(*scalar);
                (unit, what.to_owned(), None, &[])
            }
            Feature::Level(_) => (Unit::Text, "the newest level in a membership".to_owned(), None, &["program"]),
            Feature::Progress(_) => (Unit::Percent, "the furthest progress in a course".to_owned(), None, &["course"]),
        };
        let name = feature.to_string();
        let keyed = matches!(feature, Feature::Level(_) | Feature::Progress(_));
        let name = if keyed { name.split('{').next().unwrap_or_default().to_owned() } else { name };
        let window = window.map(|window| window.to_string());
        Self { name, unit: unit.as_str(), definition, window, dimensions: dimensions.to_vec() }
    }
}

const fn scalar_view(scalar: Scalar) -> (Unit, &'static str) {
    match scalar {
        Scalar::OrderInterval => (Unit::Days, "days between two orders on average"),
        Scalar::StreakNow => (Unit::Days, "days in a row with any event, up to today or yesterday"),
        Scalar::StreakLongest => (Unit::Days, "the most days in a row with any event, within a year"),
        Scalar::BestHour => {
            (Unit::Hour, "the hour with the most events, the earliest of several: the best hour to send")
        }
        Scalar::BestWeekday => (Unit::Weekday, "the weekday with the most events, 1 Monday to 7 Sunday"),
        Scalar::RfmRecency => (
            Unit::Level,
            "score of the days since the last order, 1 to 5 by the limits that the merchant has set or that are its own buyers' fifths (GET /v1/rfm; 5 within 30 days, 4 within 60, 3 within 90, 2 within 180 unless set); 0 without an order",
        ),
        Scalar::RfmFrequency => (
            Unit::Level,
            "score of the orders in the window of the limits, 1 to 5 by the limits that the merchant has set or that are its own buyers' fifths (GET /v1/rfm; 5 for 10 in 365 days, 4 for 6, 3 for 4, 2 for 2 unless set); 0 without one",
        ),
        Scalar::RfmMonetary => (
            Unit::Level,
            "score of the net money in the window of the limits, 1 to 5 by the limits that the merchant has set or that are its own buyers' fifths (GET /v1/rfm; 5 for 5000 yuan in 365 days, 4 for 2000, 3 for 1000, 2 for 300 unless set); 0 without money",
        ),
        Scalar::RfmTotal => (Unit::Level, "the three scores together, 0 to 15"),
        Scalar::Province => (Unit::Text, "province of the newest order"),
        Scalar::City => (Unit::Text, "city of the newest order"),
        Scalar::FirstChannel => (Unit::Text, "channel of the first touch"),
        Scalar::LastChannel => (Unit::Text, "channel of the last touch"),
        Scalar::FirstSource => (Unit::Text, "source of the first touch"),
        Scalar::LastSource => (Unit::Text, "source of the last touch"),
        Scalar::BirthdayMonth => (Unit::Level, "month of the birthday, 1 to 12"),
        Scalar::BirthdayDay => (Unit::Level, "day of the birthday, 1 to 31"),
        Scalar::FollowsNow => (Unit::Count, "accounts, live rooms and shops followed and not left"),
    }
}

/// Every feature, with its unit and what it says.
#[utoipa::path(get, path = "/v1/features", security(("token" = ["tags:read"])), responses(
    (status = 200, description = "The catalogue", body = Vec<FeatureView>),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn catalogue(_caller: Caller<TagsRead>) -> Json<Vec<FeatureView>> {
    let keyed = [Feature::Level("x".to_owned()), Feature::Progress("x".to_owned())];
    Json(name::all().chain(keyed).chain(name::spreads()).map(|feature| FeatureView::new(&feature)).collect())
}

/// Which features of a customer.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FeaturesQuery {
    /// Names with commas between, such as `orders.count.30d,orders.amount.90d{platform=douyin}`; all without a dimension unless given.
    names: Option<String>,
}

/// Features of a customer by name, on the merchant's day of the call. What is not known is left out.
pub fn values(state: &State, today: day::Day, limits: &Limits) -> BTreeMap<String, Value> {
    name::all().filter_map(|feature| Some((feature.to_string(), feature.value(state, today, limits)?))).collect()
}

/// The limits between RFM scores that are in force.
pub fn limits(tx: &kit::Tx<'_>) -> Result<Limits, kit::DbError> {
    Ok(rfm::in_force(tx)?.map_or(Limits::DEFAULT, |own| own.limits))
}

const MOST_NAMES: usize = 100;

/// A customer's features: of all its identities together.
#[utoipa::path(get, path = "/v1/customers/{id}/features", params(("id" = CustomerId, Path, description = "The customer"), FeaturesQuery),
    security(("token" = ["tags:read"])), responses(
    (status = 200, description = "Values by name; what is not known is left out", body = BTreeMap<String, Value>),
    (status = 400, description = "A name is not of the catalogue", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
))]
pub async fn of_customer(
    Shared(app): Shared<App>,
    cx: Cx,
    caller: Caller<TagsRead>,
    Path(id): Path<CustomerId>,
    Query(query): Query<FeaturesQuery>,
) -> Result<Json<BTreeMap<String, Value>>, Problem> {
    let asked = query.names.as_deref().map(|names| names.split(',').take(MOST_NAMES).map(str::trim));
    let asked = asked.map(|names| names.map(str::parse::<Feature>).collect::<Result<Vec<_>, _>>()).transpose();
    let asked = asked.map_err(|error| Problem::bad_request(error.to_string()))?;
    let read = |tx: &kit::Tx<'_>| -> Result<(State, Limits), Problem> {
        let group = seen::customer(tx, &caller, id)?;
        let survivor = group.first().map_or("", |person| person.id.as_str());
        Ok((subject::of_customer(tx, survivor)?, limits(tx)?))
    };
    let ((state, limits), today) = (app.db().read(&cx, read).await?, day::of(cx.now));
    Ok(Json(match asked {
        None => values(&state, today, &limits),
        Some(asked) => {
            let value = |feature: Feature| Some((feature.to_string(), feature.value(&state, today, &limits)?));
            asked.into_iter().filter_map(value).collect()
        }
    }))
}
