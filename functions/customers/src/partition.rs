//! Who is who: a pure function of what was seen together and of what people have decided.
//!
//! Facts are taken in the order of their time, so that the outcome does not depend on the order in which they arrived. A fact joins
//! those whom it shows together, unless that would give one person two values of a kind of which everybody has one (two unionids), or join
//! what a person has said are two people. What a fact could not join is a conflict for a person to settle.

use domain::Identity;
use std::collections::{BTreeMap, BTreeSet};

/// Identities that were seen together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// The earliest time, Unix milliseconds.
    pub at: i64,
    /// Who was seen.
    pub members: BTreeSet<Identity>,
}

/// What a person has decided of two identities.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// When, Unix milliseconds.
    pub at: i64,
    /// The two, the smaller first.
    pub pair: Pair,
    /// Whether they are one person's.
    pub same: bool,
}

/// Two identities, the smaller first.
pub type Pair = (Identity, Identity);

/// Everybody to be placed, and what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Each identity.
    pub nodes: BTreeSet<Identity>,
    /// What was seen together.
    pub facts: Vec<Fact>,
    /// What people have decided.
    pub decisions: Vec<Decision>,
}

/// Who is who.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    /// The identities of each person.
    pub groups: BTreeSet<BTreeSet<Identity>>,
    /// Pairs of identities that a fact shows together and that are two people's all the same, without a person having said so.
    pub conflicts: BTreeSet<Pair>,
}

/// Who is who.
pub fn partition(known: &Known) -> Partition {
    let mut groups = Groups::new(known);
    let mut decided: Vec<_> = known.decisions.iter().filter(|decision| decision.same).collect();
    decided.sort();
    for Decision { pair: (one, other), .. } in decided {
        groups.join(one, other, Strength::Decided);
    }
    let mut facts: Vec<_> = known.facts.iter().collect();
    facts.sort();
    let mut refused = BTreeSet::new();
    for fact in facts {
        for (place, first) in fact.members.iter().enumerate() {
            for second in fact.members.iter().skip(place + 1) {
                if groups.join(first, second, Strength::Seen) == Joined::Impossible {
                    refused.insert((first, second));
                }
            }
        }
    }
    let conflicts = refused.into_iter().filter(|(one, other)| groups.name.get(one) != groups.name.get(other));
    let conflicts = conflicts.map(|(one, other)| (one.clone(), other.clone())).collect();
    let owned = |members: BTreeSet<&Identity>| members.into_iter().cloned().collect();
    Partition { groups: groups.members.into_values().map(owned).collect(), conflicts }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// A person has said so: two unionids are no hindrance.
    Decided,
    /// They were seen together.
    Seen,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    /// They are together now.
    Together,
    /// A person has said that they are two.
    Forbidden,
    /// They have two values of what a person has one of.
    Impossible,
}

struct Groups<'a> {
    /// The group of each, named by one of its members.
    name: BTreeMap<&'a Identity, &'a Identity>,
    members: BTreeMap<&'a Identity, BTreeSet<&'a Identity>>,
    apart: BTreeSet<(&'a Identity, &'a Identity)>,
}

impl<'a> Groups<'a> {
    fn new(known: &'a Known) -> Self {
        let apart = known.decisions.iter().filter(|decision| !decision.same);
        Self {
            name: known.nodes.iter().map(|who| (who, who)).collect(),
            members: known.nodes.iter().map(|who| (who, BTreeSet::from([who]))).collect(),
            apart: apart.map(|decision| (&decision.pair.0, &decision.pair.1)).collect(),
        }
    }

    fn join(&mut self, one: &Identity, other: &Identity, strength: Strength) -> Joined {
        let (Some(into), Some(from)) = (self.name.get(one).copied(), self.name.get(other).copied()) else {
            return Joined::Together;
        };
        if into == from {
            return Joined::Together;
        }
        if self.are_kept_apart(into, from) {
            return Joined::Forbidden;
        }
        if strength == Strength::Seen && self.have_two(into, from) {
            return Joined::Impossible;
        }
        let moved = self.members.remove(from).unwrap_or_default();
        for who in &moved {
            self.name.insert(who, into);
        }
        self.members.entry(into).or_default().extend(moved);
        Joined::Together
    }

    fn of(&self, name: &Identity) -> impl Iterator<Item = &'a Identity> {
        self.members.get(name).into_iter().flatten().copied()
    }

    fn are_kept_apart(&self, one: &Identity, other: &Identity) -> bool {
        self.of(one).any(|left| self.of(other).any(|right| self.apart.contains(&ordered(left, right))))
    }

    /// Whether the two groups together would have two values of what a person has one of.
    fn have_two(&self, one: &Identity, other: &Identity) -> bool {
        let single = |who: &'a Identity| who.kind.is_single_valued().then_some((who.kind, &who.scope));
        let own: BTreeSet<_> = self.of(one).filter_map(single).collect();
        self.of(other).filter_map(single).any(|value| own.contains(&value))
    }
}

/// The smaller first.
pub fn ordered<T: Ord>(one: T, other: T) -> (T, T) {
    if one <= other { (one, other) } else { (other, one) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::IdentityKind::{self, MemberCard, PhoneHash, TaobaoOpenUid, WechatUnionId};
    use proptest::prelude::*;

    fn who(kind: IdentityKind, value: &str) -> Identity {
        Identity { kind, scope: None, value: value.to_owned() }
    }

    fn fact<const N: usize>(at: i64, members: [&Identity; N]) -> Fact {
        Fact { at, members: members.into_iter().cloned().collect() }
    }

    fn decision(at: i64, one: &Identity, other: &Identity, same: bool) -> Decision {
        Decision { at, pair: ordered(one.clone(), other.clone()), same }
    }

    fn known<const N: usize>(nodes: [&Identity; N], facts: Vec<Fact>, decisions: Vec<Decision>) -> Known {
        Known { nodes: nodes.into_iter().cloned().collect(), facts, decisions }
    }

    fn groups<const N: usize>(groups: [&[&Identity]; N]) -> BTreeSet<BTreeSet<Identity>> {
        groups.into_iter().map(|group| group.iter().copied().cloned().collect()).collect()
    }

    #[test]
    fn what_is_seen_together_is_one_person() {
        let (ouid, phone, unionid, card) =
            (who(TaobaoOpenUid, "o"), who(PhoneHash, "p"), who(WechatUnionId, "u"), who(MemberCard, "c"));
        let facts = vec![fact(1, [&ouid, &phone]), fact(2, [&phone, &unionid])];
        let found = partition(&known([&ouid, &phone, &unionid, &card], facts, Vec::new()));
        assert_eq!(found.groups, groups([&[&ouid, &phone, &unionid], &[&card]]));
        assert!(found.conflicts.is_empty());
    }

    #[test]
    fn two_unionids_are_never_one_person_and_the_phone_stays_with_the_first() {
        let (first, second, phone) = (who(WechatUnionId, "z"), who(WechatUnionId, "a"), who(PhoneHash, "p"));
        let facts = vec![fact(5, [&second, &phone]), fact(4, [&first, &phone])];
        let found = partition(&known([&first, &second, &phone], facts, Vec::new()));
        assert_eq!(found.groups, groups([&[&first, &phone], &[&second]]));
        assert_eq!(found.conflicts, BTreeSet::from([(second, phone)]));
    }

    #[test]
    fn unionids_of_two_scopes_may_be_one_person() {
        let (one, mut other) = (who(WechatUnionId, "u"), who(WechatUnionId, "v"));
        other.scope = Some("another open platform".to_owned());
        let found = partition(&known([&one, &other], vec![fact(1, [&one, &other])], Vec::new()));
        assert_eq!(found.groups, groups([&[&one, &other]]));
    }

    #[test]
    fn a_person_may_join_two_unionids_and_part_what_was_seen_together() {
        let (first, second, phone) = (who(WechatUnionId, "a"), who(WechatUnionId, "b"), who(PhoneHash, "p"));
        let seen = vec![fact(4, [&first, &phone]), fact(5, [&second, &phone])];
        let all = [&first, &second, &phone];
        let found = partition(&known(all, seen.clone(), vec![decision(9, &first, &second, true)]));
        assert_eq!(found.groups, groups([&[&first, &second, &phone]]));
        assert!(found.conflicts.is_empty());
        let found = partition(&known(all, seen, vec![decision(9, &first, &phone, false)]));
        assert_eq!(found.groups, groups([&[&first], &[&second, &phone]]));
        assert!(found.conflicts.is_empty(), "a person has settled it");
    }

    fn somebody() -> impl Strategy<Value = Identity> {
        let kinds = vec![WechatUnionId, WechatUnionId, PhoneHash, TaobaoOpenUid, MemberCard];
        (prop::sample::select(kinds), 0..3_u8).prop_map(|(kind, number)| who(kind, &number.to_string()))
    }

    proptest! {
        /// The order and the repetition of facts and decisions change nothing; everybody is in one group; no group has what a
        /// person cannot have unless people said so, and none has what people have parted.
        #[test]
        fn the_partition_depends_on_the_set_of_facts(
            facts in prop::collection::vec((0..4_i64, prop::collection::btree_set(somebody(), 1..4)), 0..14),
            said in prop::collection::btree_map((somebody(), somebody()), (0..9_i64, any::<bool>()), 0..4),
            order in any::<prop::sample::Index>(),
        ) {
            let facts: Vec<_> = facts.into_iter().map(|(at, members)| Fact { at, members }).collect();
            let decisions: Vec<_> = said
                .into_iter()
                .filter(|((one, other), _)| one < other)
                .map(|(pair, (at, same))| Decision { at, pair, same })
                .collect();
            let of_facts = facts.iter().flat_map(|fact| fact.members.clone());
            let of_decisions = decisions.iter().flat_map(|decision| [decision.pair.0.clone(), decision.pair.1.clone()]);
            let nodes = of_facts.chain(of_decisions).collect();
            let mut known = Known { nodes, facts, decisions };
            let found = partition(&known);

            prop_assert_eq!(found.groups.iter().flatten().count(), known.nodes.len());
            for group in &found.groups {
                let unionids = group.iter().filter(|who| who.kind == WechatUnionId).count();
                prop_assert!(unionids < 2 || known.decisions.iter().any(|decision| decision.same));
                for apart in known.decisions.iter().filter(|decision| !decision.same) {
                    prop_assert!(!(group.contains(&apart.pair.0) && group.contains(&apart.pair.1)));
                }
            }

            known.facts.extend(known.facts.clone());
            if !known.facts.is_empty() {
                let middle = order.index(known.facts.len());
                known.facts.rotate_left(middle);
                known.facts.reverse();
            }
            known.decisions.reverse();
            prop_assert_eq!(partition(&known), found);
        }
    }
}
