//! Who brought whom.

use crate::ratio;
use std::collections::{BTreeMap, BTreeSet};

/// Who brought whom: everybody was brought by one at most, and nobody by those whom they brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    inviter: BTreeMap<String, String>,
    friends: BTreeMap<String, BTreeSet<String>>,
    all: BTreeSet<String>,
}

/// Why somebody cannot be placed in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPlaced {
    /// The two are one.
    Oneself,
    /// The friend has brought the inviter, or one of those before.
    Loop,
    /// Somebody has brought the friend already.
    Again,
}

/// One person of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReport {
    /// Who.
    pub who: String,
    /// How far below the first inviter: 0 for that one.
    pub depth: u32,
    /// How many this one has brought.
    pub friends: u32,
    /// How many this one, those brought, and those whom they brought, have brought together.
    pub below: u32,
}

/// Everybody at one depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DepthReport {
    /// How far below the first inviters: 0 for those.
    pub depth: u32,
    /// How many there are.
    pub people: u32,
    /// How many of them have brought at least one.
    pub inviters: u32,
    /// How many they have brought together.
    pub friends: u32,
}

impl DepthReport {
    /// The share of those who have brought at least one, 0 to 1 with four decimals.
    pub fn conversion(&self) -> String {
        ratio::share(self.inviters, self.people)
    }
}

impl Tree {
    /// The tree of pairs (inviter, friend), taken in their order. Pairs that cannot be placed are left out.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tree = Self::default();
        for (inviter, friend) in pairs {
            // Whoever wrote them down has refused such a pair: to leave it out keeps the walks finite.
            let _ = tree.place(inviter, friend);
        }
        tree
    }

    /// Notes somebody who was brought by nobody.
    pub fn begin(&mut self, who: &str) {
        self.all.insert(who.to_owned());
    }

    /// Notes that the inviter has brought the friend.
    ///
    /// # Errors
    /// [`NotPlaced`] where they cannot have; then nothing is noted.
    pub fn place(&mut self, inviter: &str, friend: &str) -> Result<(), NotPlaced> {
        if inviter == friend {
            return Err(NotPlaced::Oneself);
        }
        if self.is_ancestor(friend, inviter) {
            return Err(NotPlaced::Loop);
        }
        if self.inviter.contains_key(friend) {
            return Err(NotPlaced::Again);
        }
        self.inviter.insert(friend.to_owned(), inviter.to_owned());
        self.friends.entry(inviter.to_owned()).or_default().insert(friend.to_owned());
        self.all.extend([inviter.to_owned(), friend.to_owned()]);
        Ok(())
    }

    /// Those by whom somebody came, the nearest first.
    pub fn ancestors<'a>(&'a self, who: &str) -> impl Iterator<Item = &'a str> {
        std::iter::successors(self.inviter.get(who), |who| self.inviter.get(*who)).map(String::as_str)
    }

    /// Whether `ancestor` has brought `who`, or one of those by whom `who` came.
    pub fn is_ancestor(&self, ancestor: &str, who: &str) -> bool {
        self.ancestors(who).any(|one| one == ancestor)
    }

    /// How the campaign came to somebody: from the first inviter to this one.
    pub fn path<'a>(&'a self, who: &'a str) -> Vec<&'a str> {
        let mut path: Vec<&str> = std::iter::once(who).chain(self.ancestors(who)).collect();
        path.reverse();
        path
    }

    /// How far below the first inviter somebody stands: 0 for that one.
    #[cfg(test)]
    pub fn depth(&self, who: &str) -> u32 {
        u32::try_from(self.ancestors(who).count()).unwrap_or(u32::MAX)
    }

    /// Everybody, sorted by depth, then name.
    pub fn nodes(&self) -> Vec<NodeReport> {
        let mut nodes: Vec<_> = self
            .levels()
            .into_iter()
            .flat_map(|(depth, level)| level.into_iter().map(move |who| (depth, who)))
            .map(|(depth, who)| NodeReport { who: who.to_owned(), depth, friends: self.count(who), below: 0 })
            .collect();
        let mut below = BTreeMap::<&str, u32>::new();
        // The deepest first, so that everybody's friends are counted before.
        for node in nodes.iter_mut().rev() {
            let friends = self.friends.get(&node.who).into_iter().flatten();
            node.below = friends.map(|friend| below.get(friend.as_str()).copied().unwrap_or(0).saturating_add(1)).sum();
            if let Some(who) = self.all.get(&node.who) {
                below.insert(who, node.below);
            }
        }
        nodes
    }

    /// How many there are at each depth, and how many of them bring others.
    pub fn depths(&self) -> Vec<DepthReport> {
        let report = |(depth, level): (u32, BTreeSet<&str>)| {
            let start = DepthReport { depth, ..DepthReport::default() };
            level.into_iter().map(|who| self.count(who)).fold(start, |sum, friends| DepthReport {
                people: sum.people + 1,
                inviters: sum.inviters + u32::from(friends > 0),
                friends: sum.friends.saturating_add(friends),
                ..sum
            })
        };
        self.levels().into_iter().map(report).collect()
    }

    fn count(&self, who: &str) -> u32 {
        self.friends.get(who).map_or(0, |friends| u32::try_from(friends.len()).unwrap_or(u32::MAX))
    }

    /// Everybody by depth, walked from the top: each person is visited once.
    fn levels(&self) -> Vec<(u32, BTreeSet<&str>)> {
        let mut levels = Vec::new();
        let first = self.all.iter().map(String::as_str).filter(|who| !self.inviter.contains_key(*who));
        let mut level: BTreeSet<&str> = first.collect();
        for depth in 0.. {
            if level.is_empty() {
                break;
            }
            let next = level.iter().filter_map(|who| self.friends.get(*who)).flatten().map(String::as_str).collect();
            levels.push((depth, std::mem::replace(&mut level, next)));
        }
        levels
    }
}
