//! Random histories, against a model that knows no tables.

use crate::helps::runtime;
use crate::support::*;
use domain::Event;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: usize = 6;

/// What happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Somebody asks for a code.
    Join(usize),
    /// The first comes by the code of the second.
    Come(usize, usize),
    /// Somebody adds without a code.
    Walk(usize),
    /// Somebody leaves.
    Leave(usize),
    /// So many are consumed.
    Cut(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..PEOPLE).prop_map(Step::Join),
        8 => (0..PEOPLE, 0..PEOPLE).prop_map(|(friend, inviter)| Step::Come(friend, inviter)),
        1 => (0..PEOPLE).prop_map(Step::Walk),
        2 => (0..PEOPLE).prop_map(Step::Leave),
        1 => (1..30_i64).prop_map(Step::Cut),
    ]
}

/// The campaign, as its rules say it in words.
#[derive(Default)]
struct Model {
    new_only: bool,
    joined: BTreeSet<usize>,
    known: BTreeSet<usize>,
    parent: BTreeMap<usize, usize>,
    /// By friend and inviter, the state and reason; and the order.
    helps: Vec<(usize, usize, &'static str)>,
}

impl Model {
    fn brought(&self, friend: usize) -> Option<usize> {
        let brought =
            |help: &&(usize, usize, &str)| help.0 == friend && (help.2 == "counted -" || help.2 == "voided left");
        self.helps.iter().find(brought).map(|help| help.1)
    }

    fn above(&self, who: usize) -> Vec<usize> {
        std::iter::successors(self.parent.get(&who), |who| self.parent.get(who)).copied().collect()
    }

    fn join(&mut self, who: usize) {
        if self.joined.insert(who)
            && let Some(inviter) = self.brought(who)
        {
            self.parent.insert(who, inviter);
        }
    }

    fn come(&mut self, friend: usize, inviter: usize) {
        let is_new = self.known.insert(friend);
        if self.helps.iter().any(|help| (help.0, help.1) == (friend, inviter)) {
            return;
        }
        let outcome = if friend == inviter {
            "refused self"
        } else if self.above(inviter).contains(&friend) {
            "refused loop"
        } else if self.brought(friend).is_some() {
            "refused again"
        } else if self.above(inviter).len() + 1 > 3 {
            "refused depth"
        } else if self.new_only && !is_new {
            "refused not_new"
        } else {
            "counted -"
        };
        self.helps.push((friend, inviter, outcome));
        if outcome == "counted -" && self.joined.contains(&friend) {
            self.parent.entry(friend).or_insert(inviter);
        }
    }

    fn leave(&mut self, friend: usize) {
        self.known.insert(friend);
        self.helps
            .iter_mut()
            .filter(|help| help.0 == friend && help.2 == "counted -")
            .for_each(|help| help.2 = "voided left");
    }
}

fn person(number: usize) -> domain::Identity {
    contact(&format!("p{number}"))
}

async fn run(new_only: bool, steps: &[Step], cuts: bool) -> (House, Model) {
    let house = House::open(&rules(&[1, 2, 4], &json!({ "new_customers_only": new_only, "max_depth": 3 }))).await;
    let mut model = Model { new_only, ..Model::default() };
    let mut inviters = BTreeMap::new();
    for (second, step) in (1..).zip(steps) {
        let happens: Option<Event> = match *step {
            Step::Join(who) => {
                let inviter = house.join(&person(who), None).await;
                inviters.insert(who, inviter);
                model.join(who);
                None
            }
            Step::Come(friend, inviter) => inviters.get(&inviter).map(|code| {
                model.come(friend, inviter);
                added(&person(friend), Some(code), second)
            }),
            Step::Walk(who) => {
                model.known.insert(who);
                Some(added(&person(who), None, second))
            }
            Step::Leave(who) => {
                model.leave(who);
                Some(removed(&person(who), second))
            }
            Step::Cut(seq) => {
                if cuts {
                    house.consume_to(Some(seq)).await;
                }
                None
            }
        };
        house.log(happens.into_iter().collect()).await;
    }
    house.consume().await;
    (house, model)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever happens, helps, places in the tree and rewards are as the rules say it in words; and where the log is cut does not matter.
    #[test]
    fn histories_end_as_the_rules_say(new_only in any::<bool>(), steps in prop::collection::vec(step(), 1..45)) {
        runtime().block_on(async {
            let (house, model) = run(new_only, &steps, true).await;
            let expected: Vec<_> = model.helps.iter().map(|(friend, _, outcome)| format!("p{friend} {outcome}")).collect();
            assert_eq!(house.helps().await, expected);
            let placed = "select one.value || ' ' || coalesce(above.value, '-') || ' ' || one.depth || ' ' || one.helps as v
                            from fission_participant one left join fission_participant above on above.id = one.parent order by 1";
            let expected: Vec<_> = model
                .joined
                .iter()
                .map(|who| {
                    let parent = model.parent.get(who).map_or("-".to_owned(), |parent| format!("p{parent}"));
                    let helps = model.helps.iter().filter(|help| help.1 == *who && help.2 == "counted -").count();
                    format!("p{who} {parent} {} {helps}", model.above(*who).len())
                })
                .collect();
            assert_eq!(house.column(placed).await, expected);
            let owed = "select one.value || ' ' || count(reward.level) as v from fission_participant one
                          left join fission_reward reward on reward.participant = one.id and reward.state = 'owed'
                         group by one.value order by one.value";
            let expected: Vec<_> = model
                .joined
                .iter()
                .map(|who| {
                    let helps = model.helps.iter().filter(|help| help.1 == *who && help.2 == "counted -").count();
                    format!("p{who} {}", [1, 2, 4].iter().filter(|level| **level <= helps).count())
                })
                .collect();
            assert_eq!(house.column(owed).await, expected);
            // The log tells each reward as it stands: as often owed as taken back, or once more.
            let balance = "select cast(sum(iif(type = 'fission.rewarded', 1, -1)) as text) as v from event
                            where type like 'fission.reward%' group by data ->> 'participant_id', data ->> 'level'";
            assert!(house.column(balance).await.iter().all(|balance| balance == "0" || balance == "1"));
            let (uncut, _) = run(new_only, &steps, false).await;
            assert_eq!(house.helps().await, uncut.helps().await);
            assert_eq!(house.rewards().await, uncut.rewards().await);
        });
    }
}
