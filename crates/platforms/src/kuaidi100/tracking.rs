//! News of a parcel: all that is known of it, again with each push.

use domain::{Latest, ParcelFacts, ParcelWatch, UnixMs};
use serde::Deserialize;
use serde_json::Value;

use super::status::{State, state};
use crate::lenient;
use crate::marketplace::MapError;

/// What a push tells of a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// The carrier's number.
    pub tracking_number: String,
    /// What is known of it.
    pub facts: ParcelFacts,
}

/// Reads the `param` of a push to a subscription's address. A push speaks as of the newest entry of the parcel's record; one without
/// any entry as of the epoch, so that everything else is newer.
///
/// # Errors
/// [`MapError`] when it is no such news. Keep an authentic push that fails here, and acknowledge it.
pub fn tracking(param: &str) -> Result<Tracking, MapError> {
    let value: Value = serde_json::from_str(param)?;
    let news = News::deserialize(&value)?;
    let last = news.last_result;
    let entries = last.data.unwrap_or_default();
    let at = entries.iter().filter_map(Entry::at).max().unwrap_or(UnixMs::EPOCH);

    let mut facts = ParcelFacts::default();
    let named = entries.iter().filter_map(|entry| Some((entry.status_code.as_deref()?, entry.at()?)));
    // The state holds as of the newest entry. Without one it has no time, and a step without a time is no step: a parcel would
    // have been signed for since 1970.
    let current = last.state.as_deref().filter(|_| at > UnixMs::EPOCH);
    for (code, at) in named.chain(current.map(|code| (code, at))) {
        match state(code) {
            Some(State::Reached(status)) => facts.reach(status, at),
            Some(State::Announced) => {}
            None => {
                facts.unknown_statuses.insert(code.to_owned());
            }
        }
    }
    facts.raw_status = last.state.map(|code| Latest::new(at, code));
    // `comNew`: what the carrier really is, where another was given.
    let carrier = [news.com_new, last.com].into_iter().flatten().find(|code| !code.is_empty());
    facts.carrier = carrier.map(|code| Latest::new(at, code));
    facts.watch = match news.status.as_str() {
        "polling" | "updateall" => Some(ParcelWatch::Watched),
        "shutdown" => Some(ParcelWatch::Finished),
        // Three days without an entry, or sixty without a new one. It may be subscribed to again after half an hour.
        "abort" => Some(ParcelWatch::GivenUp),
        other => {
            facts.unknown_statuses.insert(other.to_owned());
            None
        }
    }
    .map(|watch| Latest::new(at, watch));
    Ok(Tracking { tracking_number: last.nu, facts })
}

/// `destResult`, the part of the way in another country, is not asked for.
#[derive(Deserialize)]
struct News {
    status: String,
    #[serde(rename = "comNew", default)]
    com_new: Option<String>,
    #[serde(rename = "lastResult")]
    last_result: LastResult,
}

#[derive(Deserialize)]
struct LastResult {
    nu: String,
    #[serde(default)]
    com: Option<String>,
    /// `0` is a state.
    #[serde(default, deserialize_with = "code")]
    state: Option<String>,
    #[serde(default)]
    data: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    /// The same time twice; the second is always of one form.
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    time: Option<UnixMs>,
    #[serde(default, deserialize_with = "lenient::optional_gmt8")]
    ftime: Option<UnixMs>,
    #[serde(rename = "statusCode", default, deserialize_with = "code")]
    status_code: Option<String>,
}

impl Entry {
    fn at(&self) -> Option<UnixMs> {
        self.ftime.or(self.time)
    }
}

/// A state's code: text or a number; empty is none.
fn code<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    })
}
