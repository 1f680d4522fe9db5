//! What is known of one identity, as figures: a document that adds up.
//!
//! A customer's figures are the sum over its identities, so a merge moves them by re-pointing identities, and a split undoes
//! exactly.

use super::series::Series;
use domain::UnixMs;
use domain::day::{self, Day};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A pause of more than 30 minutes begins a new session.
const SESSION_GAP_MS: i64 = 30 * 60_000;

/// What each event of a kind adds, and takes back when the event turns out to be another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// When it happened, Unix ms.
    pub at: i64,
    /// Series, the count and the amount.
    #[serde(rename = "d", default)]
    pub deltas: Vec<(String, i64, i64)>,
    /// Whether it counts in the histograms of hours and weekdays.
    #[serde(rename = "h", default)]
    pub in_histograms: bool,
    /// Texts of which the newest counts.
    #[serde(rename = "t", default)]
    pub newest: Vec<(String, String)>,
    /// Texts of which the earliest counts.
    #[serde(rename = "e", default)]
    pub earliest: Vec<(String, String)>,
    /// Numbers of which the highest counts.
    #[serde(rename = "m", default)]
    pub highest: Vec<(String, i64)>,
    /// Whether it is part of a session.
    #[serde(rename = "s", default)]
    pub in_session: bool,
}

impl Booking {
    /// The keys of the figures that it touches.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let texts = self.newest.iter().chain(&self.earliest).map(|(key, _)| key.as_str());
        let histograms = self.in_histograms.then_some([HOURS, WEEKDAYS]).into_iter().flatten();
        let sessions = self.in_session.then_some(SESSIONS);
        self.deltas
            .iter()
            .map(|(key, ..)| key.as_str())
            .chain(texts)
            .chain(self.highest.iter().map(|(key, _)| key.as_str()))
            .chain(histograms)
            .chain(sessions)
    }
}

/// The key of the histogram of hours.
pub const HOURS: &str = "#hours";
/// The key of the histogram of weekdays.
pub const WEEKDAYS: &str = "#weekdays";
/// The series of sessions.
pub const SESSIONS: &str = "sessions";

/// The figures of one identity, or of several together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    #[serde(rename = "s", default, skip_serializing_if = "BTreeMap::is_empty")]
    series: BTreeMap<String, Series>,
    #[serde(rename = "h", default, skip_serializing_if = "BTreeMap::is_empty")]
    hours: BTreeMap<u8, i64>,
    #[serde(rename = "w", default, skip_serializing_if = "BTreeMap::is_empty")]
    weekdays: BTreeMap<u8, i64>,
    #[serde(rename = "t", default, skip_serializing_if = "BTreeMap::is_empty")]
    newest: BTreeMap<String, (i64, String)>,
    #[serde(rename = "e", default, skip_serializing_if = "BTreeMap::is_empty")]
    earliest: BTreeMap<String, (i64, String)>,
    #[serde(rename = "m", default, skip_serializing_if = "BTreeMap::is_empty")]
    highest: BTreeMap<String, i64>,
    /// The last instant of a session, Unix ms.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    seen: Option<i64>,
}

impl State {
    /// Adds what a booking says.
    pub fn book(&mut self, booking: &Booking, today: Day) {
        self.count(booking, 1, today);
        for (key, text) in &booking.newest {
            newer(&mut self.newest, key, (booking.at, text.clone()));
        }
        for (key, text) in &booking.earliest {
            older(&mut self.earliest, key, (booking.at, text.clone()));
        }
        for (key, number) in &booking.highest {
            higher(&mut self.highest, key, *number);
        }
        if booking.in_session {
            let new = self.seen.is_none_or(|seen| booking.at.saturating_sub(seen) > SESSION_GAP_MS);
            if new {
                self.add(SESSIONS, day_of(booking.at), 1, 0, today);
            }
            self.seen = Some(self.seen.map_or(booking.at, |seen| seen.max(booking.at)));
        }
        self.fold(today);
    }

    /// Takes the counts of a booking back. Newest, earliest and highest values stay: they were told.
    pub fn take_back(&mut self, booking: &Booking, today: Day) {
        self.count(booking, -1, today);
    }

    fn count(&mut self, booking: &Booking, sign: i64, today: Day) {
        let day = day_of(booking.at);
        for (key, count, amount) in &booking.deltas {
            self.add(key, day, count.saturating_mul(sign), amount.saturating_mul(sign), today);
        }
        if booking.in_histograms {
            tally(&mut self.hours, day::hour(instant(booking.at)), sign);
            tally(&mut self.weekdays, day::weekday(day), sign);
        }
    }

    fn add(&mut self, key: &str, day: Day, count: i64, amount: i64, today: Day) {
        let series = self.series.entry(key.to_owned()).or_default();
        series.add(day, count, amount, today);
        if series.is_empty() {
            self.series.remove(key);
        }
    }

    fn fold(&mut self, today: Day) {
        for series in self.series.values_mut() {
            series.fold(today);
        }
    }

    /// Adds all that `other` has. Commutative and associative.
    pub fn merge(&mut self, other: &Self) {
        for (key, series) in &other.series {
            self.series.entry(key.clone()).or_default().merge(series);
        }
        for (key, count) in &other.hours {
            tally(&mut self.hours, *key, *count);
        }
        for (key, count) in &other.weekdays {
            tally(&mut self.weekdays, *key, *count);
        }
        for (key, told) in &other.newest {
            newer(&mut self.newest, key, told.clone());
        }
        for (key, told) in &other.earliest {
            older(&mut self.earliest, key, told.clone());
        }
        for (key, number) in &other.highest {
            higher(&mut self.highest, key, *number);
        }
        self.seen = self.seen.max(other.seen);
    }

    /// A series, if anything was counted in it.
    pub fn series(&self, key: &str) -> Option<&Series> {
        self.series.get(key)
    }

    /// The series whose keys begin so.
    pub fn beginning<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Series> {
        let from = self.series.range(prefix.to_owned()..);
        from.take_while(move |(key, _)| key.starts_with(prefix)).map(|(_, series)| series)
    }

    /// The newest text under a key.
    pub fn newest(&self, key: &str) -> Option<&str> {
        self.newest.get(key).map(|(_, text)| text.as_str())
    }

    /// The earliest text under a key.
    pub fn earliest(&self, key: &str) -> Option<&str> {
        self.earliest.get(key).map(|(_, text)| text.as_str())
    }

    /// The highest number under a key.
    pub fn highest(&self, key: &str) -> Option<i64> {
        self.highest.get(key).copied()
    }

    /// The hour (0 to 23) with the most events, the earliest of several.
    pub fn best_hour(&self) -> Option<u8> {
        mode(&self.hours)
    }

    /// The weekday (1 Monday to 7 Sunday) with the most events, the first of several.
    pub fn best_weekday(&self) -> Option<u8> {
        mode(&self.weekdays)
    }
}

fn instant(millis: i64) -> UnixMs {
    UnixMs::from_millis(millis).unwrap_or(UnixMs::EPOCH)
}

fn day_of(millis: i64) -> Day {
    day::of(instant(millis))
}

fn tally(histogram: &mut BTreeMap<u8, i64>, key: u8, by: i64) {
    let count = histogram.entry(key).or_default();
    *count = count.saturating_add(by);
    if *count == 0 {
        histogram.remove(&key);
    }
}

fn mode(histogram: &BTreeMap<u8, i64>) -> Option<u8> {
    let most = histogram.values().copied().max()?;
    histogram.iter().find(|(_, count)| **count == most).map(|(key, _)| *key)
}

fn newer(texts: &mut BTreeMap<String, (i64, String)>, key: &str, told: (i64, String)) {
    if texts.get(key).is_none_or(|known| *known < told) {
        texts.insert(key.to_owned(), told);
    }
}

fn older(texts: &mut BTreeMap<String, (i64, String)>, key: &str, told: (i64, String)) {
    if texts.get(key).is_none_or(|known| *known > told) {
        texts.insert(key.to_owned(), told);
    }
}

fn higher(numbers: &mut BTreeMap<String, i64>, key: &str, number: i64) {
    let known = numbers.entry(key.to_owned()).or_insert(number);
    *known = (*known).max(number);
}
