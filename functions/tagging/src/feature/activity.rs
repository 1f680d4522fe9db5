//! What an activity adds to the figures.

use super::measure::key;
use super::name::BIRTHDAY;
use super::state::Booking;
use domain::{Activity, ActivityRecorded, UnixMs};

/// From how many milliseconds on a stay on a menu is a long one.
const LONG_STAY_MS: u32 = 30_000;

/// What it adds. Nothing happens later than it was told: a clock that is ahead counts as now.
pub fn booking(recorded: &ActivityRecorded, told: UnixMs) -> Booking {
    let mut book = Lines(Booking {
        at: recorded.at.min(told).millis(),
        in_histograms: true,
        in_session: true,
        ..Booking::default()
    });
    let kind = [("kind", Some(recorded.activity.kind())), ("source", Some(recorded.source.as_str()))];
    let place = [("channel", recorded.channel.as_deref()), ("store", recorded.store.as_deref())];
    book.add("activity", 0, &[kind, place].concat());
    book.add("active", 0, &[]);
    for (name, text) in [("channel", recorded.channel.as_deref()), ("source", Some(recorded.source.as_str()))] {
        if let Some(text) = text {
            book.0.newest.push((name.to_owned(), text.to_owned()));
            book.0.earliest.push((name.to_owned(), text.to_owned()));
        }
    }
    of_kind(&mut book, &recorded.activity);
    book.0
}

fn of_kind(book: &mut Lines, activity: &Activity) {
    match activity {
        Activity::PageViewed { page, product, category, dwell_ms } => {
            let by = [("page", page.as_deref()), ("product", product.as_deref()), ("category", category.as_deref())];
            book.add("views", dwell_ms.unwrap_or(0).into(), &by);
        }
        Activity::MenuDwelled { menu, dwell_ms } => {
            book.add("menus", (*dwell_ms).into(), &[("menu", menu.as_deref())]);
            if *dwell_ms >= LONG_STAY_MS {
                book.add("menu_stays", (*dwell_ms).into(), &[("menu", menu.as_deref())]);
            }
        }
        Activity::CodeScanned { code } => book.add("scans", 0, &[("code", Some(code))]),
        Activity::AccountFollowed { account } => book.add("follows", 0, &[("account", Some(account))]),
        Activity::AccountUnfollowed { account } => book.add("unfollows", 0, &[("account", Some(account))]),
        Activity::LinkOpened { link } => book.add("links", 0, &[("link", Some(link))]),
        Activity::LinkLeft { link, dwell_ms, .. } => book.add("reads", (*dwell_ms).into(), &[("link", Some(link))]),
        Activity::ContentShared { content } => book.add("shares", 0, &[("content", Some(content))]),
        Activity::FormSubmitted { form, .. } => book.add("forms", 0, &[("form", Some(form))]),
        Activity::LiveCommented { room, keywords } => {
            book.add("comments", 0, &[("room", Some(room))]);
            book.keywords(keywords);
        }
        Activity::MessageSent { account, keywords, .. } => {
            book.add("messages", 0, &[("account", Some(account))]);
            book.keywords(keywords);
        }
        Activity::MenuUsed { menu, .. } => book.add("menu_uses", 0, &[("menu", Some(menu))]),
        Activity::ContactAdded { code, .. } => book.add("adds", 0, &[("code", code.as_deref())]),
        Activity::ContactRemoved { .. } => book.add("removals", 0, &[]),
        Activity::GroupJoined { group, .. } => book.add("joins", 0, &[("group", Some(group))]),
        Activity::GroupLeft { group, .. } => book.add("leaves", 0, &[("group", Some(group))]),
        Activity::LessonAttended { course, minutes, .. } => {
            book.add("lessons", minutes.unwrap_or(0).into(), &[("course", Some(course))]);
        }
        Activity::CourseProgressed { course, percent } => {
            book.0.highest.push((format!("progress|course={course}"), i64::from(*percent)));
        }
        Activity::VehicleTestDriven { model } => book.add("drives", 0, &[("model", Some(model))]),
        Activity::ConsultationHeld { topic, minutes } => {
            book.add("consultations", minutes.unwrap_or(0).into(), &[("topic", Some(topic))]);
        }
        Activity::DeviceSold { model } => book.add("devices", 0, &[("model", Some(model))]),
        Activity::CallHeld { seconds } => book.add("calls", (*seconds).into(), &[]),
        Activity::BirthdayTold { month, day } => book.0.newest.push((BIRTHDAY.to_owned(), format!("{month}\t{day}"))),
        Activity::MemberLevelTold { program, level } => {
            book.0.newest.push((format!("level|program={program}"), level.clone()));
        }
    }
}

struct Lines(Booking);

impl Lines {
    /// Counts the merchant's keywords in what somebody said.
    fn keywords(&mut self, words: &[String]) {
        let by: Vec<_> = words.iter().map(|word| ("word", Some(word.as_str()))).collect();
        if !by.is_empty() {
            self.add("keyword", 0, &by);
        }
    }

    /// Counts one of a measure, as a whole and by each dimension that is told.
    fn add(&mut self, measure: &str, amount: i64, by: &[(&str, Option<&str>)]) {
        self.0.deltas.push((measure.to_owned(), 1, amount));
        for (name, value) in by {
            if let Some(value) = value {
                self.0.deltas.push((key(measure, Some((name, value))), 1, amount));
            }
        }
    }
}
