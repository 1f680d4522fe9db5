//! Kuaidi100's numbers for states, and what they mean here. What is not in a table is unknown: kept and flagged, not guessed.

use domain::ParcelStatus;

/// What a state says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A step was reached.
    Reached(ParcelStatus),
    /// The carrier knows of the parcel and has not seen it.
    Announced,
}

/// `state` and `statusCode`: the main states and the finer ones below them (guide to the query and push interfaces).
pub(super) fn state(code: &str) -> Option<State> {
    Some(State::Reached(match code {
        "101" | "102" => return Some(State::Announced),
        "1" | "103" => ParcelStatus::PickedUp,
        // On its way, at the receiver's city, on a trunk line, sent on to a new address; 7: handed to another carrier.
        "0" | "1001" | "1002" | "1003" | "7" => ParcelStatus::InTransit,
        // Customs: under way, waiting, under way, done.
        "8" | "10" | "11" | "12" => ParcelStatus::InTransit,
        // 13: held at customs. 14: the receiver does not take it. 401: withdrawn.
        "2" | "13" | "14" | "401" => ParcelStatus::Problem,
        // Not signed for or not changed in time, refused, failed, left in the locker, nobody there, out of range, held,
        // damaged, cancelled. Only that all of them are problems matters here.
        "201" | "202" | "203" | "204" | "205" | "206" | "207" | "208" | "209" | "210" => ParcelStatus::Problem,
        // 501: in a locker or at a collection point, not fetched yet.
        "5" | "501" => ParcelStatus::Delivering,
        // By the receiver, after a failed attempt, by somebody else, from the locker.
        "3" | "301" | "302" | "303" | "304" => ParcelStatus::Signed,
        "6" => ParcelStatus::Returning,
        "4" => ParcelStatus::Returned,
        _ => return None,
    }))
}
