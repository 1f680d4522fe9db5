//! How far marks are, and what WeCom is to be asked so that they become what they should be.

use domain::TagId;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// How far a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// WeCom was asked to put it on, and has not answered.
    Asked,
    /// WeCom has it.
    Marked,
    /// WeCom was asked to take it away, and has not answered.
    Leaving,
    /// WeCom has it no longer.
    Gone,
    /// The member of staff has taken it away, while the customer has the tag still.
    Declined,
    /// WeCom has it, and nobody knew yet whose contact it is.
    Untold,
}

impl State {
    const ALL: [Self; 6] = [Self::Asked, Self::Marked, Self::Leaving, Self::Gone, Self::Declined, Self::Untold];

    /// Its name in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Marked => "marked",
            Self::Leaving => "leaving",
            Self::Gone => "gone",
            Self::Declined => "declined",
            Self::Untold => "untold",
        }
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|state| state.as_str() == name).ok_or(())
    }
}

/// What WeCom is to be asked of a pair. A call that waits is replaced by a newer one, so this is the whole: also what was asked and not answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Tags to put on.
    pub add: BTreeSet<TagId>,
    /// Tags to take away.
    pub remove: BTreeSet<TagId>,
    /// Whether any of it is new.
    pub new: bool,
    /// Tags that a member of staff declined and that the customer has lost since: the next time they are put on again.
    pub forgiven: BTreeSet<TagId>,
}

/// What is to be asked so that a pair is marked with the tags that are wanted, and with no others of ours.
pub fn difference(wanted: &BTreeSet<TagId>, known: &BTreeMap<TagId, State>) -> Difference {
    let mut asks = Difference::default();
    for tag in wanted {
        match known.get(tag) {
            None | Some(State::Gone | State::Leaving) => {
                asks.add.insert(*tag);
                asks.new = true;
            }
            Some(State::Asked) => {
                asks.add.insert(*tag);
            }
            Some(State::Marked | State::Declined | State::Untold) => {}
        }
    }
    for (tag, state) in known.iter().filter(|(tag, _)| !wanted.contains(tag)) {
        match state {
            State::Asked | State::Marked => {
                asks.remove.insert(*tag);
                asks.new = true;
            }
            State::Leaving => {
                asks.remove.insert(*tag);
            }
            State::Declined => {
                asks.forgiven.insert(*tag);
            }
            State::Gone | State::Untold => {}
        }
    }
    asks
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::UnixMs;
    use proptest::prelude::*;

    fn tag(number: u8) -> TagId {
        TagId::new(UnixMs::EPOCH, [number; 10])
    }

    #[test]
    fn names_are_read_back() {
        assert!(State::ALL.into_iter().all(|state| state.as_str().parse() == Ok(state)));
        assert_eq!("lost".parse::<State>(), Err(()));
    }

    #[test]
    fn a_request_holds_what_was_asked_and_not_answered() {
        let known = BTreeMap::from([
            (tag(1), State::Asked),
            (tag(2), State::Marked),
            (tag(3), State::Leaving),
            (tag(4), State::Marked),
        ]);
        let found = difference(&BTreeSet::from([tag(1), tag(2), tag(5)]), &known);
        assert_eq!(found.add, BTreeSet::from([tag(1), tag(5)]));
        assert_eq!(found.remove, BTreeSet::from([tag(3), tag(4)]));
        assert!(found.new);
    }

    #[test]
    fn nothing_new_is_not_asked_again() {
        let known = BTreeMap::from([(tag(1), State::Asked), (tag(3), State::Leaving), (tag(4), State::Declined)]);
        assert!(!difference(&BTreeSet::from([tag(1), tag(4)]), &known).new);
    }

    fn state() -> impl Strategy<Value = State> {
        proptest::sample::select(State::ALL.to_vec())
    }

    proptest! {
        /// Whatever was asked before and whether or not it was carried out: after the request WeCom has what is wanted, but for what staff declined
        /// or what nobody was told of.
        #[test]
        fn a_request_that_is_carried_out_leaves_what_is_wanted(
            wanted in proptest::collection::btree_set(0_u8..8, 0..8),
            known in proptest::collection::btree_map(0_u8..8, (state(), any::<bool>()), 0..8),
        ) {
            let wanted: BTreeSet<_> = wanted.into_iter().map(tag).collect();
            let states: BTreeMap<_, _> = known.iter().map(|(number, (state, _))| (tag(*number), *state)).collect();
            let mut there: BTreeSet<_> = known
                .iter()
                .filter(|(_, (state, carried_out))| match state {
                    State::Marked | State::Untold => true,
                    State::Asked => *carried_out,
                    State::Leaving => !*carried_out,
                    State::Gone | State::Declined => false,
                })
                .map(|(number, _)| tag(*number))
                .collect();
            let asks = difference(&wanted, &states);
            prop_assert!(asks.add.is_disjoint(&asks.remove));
            there.extend(&asks.add);
            there.retain(|tag| !asks.remove.contains(tag));
            for number in 0..8 {
                let tag = tag(number);
                match states.get(&tag) {
                    Some(State::Declined) => prop_assert!(!there.contains(&tag)),
                    Some(State::Untold) => prop_assert!(there.contains(&tag)),
                    _ => prop_assert_eq!(there.contains(&tag), wanted.contains(&tag)),
                }
            }
        }
    }
}
