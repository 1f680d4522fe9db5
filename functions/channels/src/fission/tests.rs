use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn at(text: &str) -> UnixMs {
    text.parse().unwrap()
}

fn levels(helps: &[u32]) -> Vec<Level> {
    helps.iter().map(|helps| Level { helps: *helps, reward: format!("for {helps}") }).collect()
}

fn rules() -> FissionRules {
    FissionRules {
        levels: levels(&[3, 10]),
        new_customers_only: true,
        starts: at("2026-02-01T00:00:00+08:00"),
        ends: at("2026-03-01T00:00:00+08:00"),
        void_on_leaving: true,
        max_depth: Some(3),
        device_limit: Some(2),
        burst: Some(Burst { helps: 5, minutes: 10 }),
    }
}

fn help() -> Help {
    Help {
        at: at("2026-02-14T09:30:00+08:00"),
        is_inviter: false,
        is_ancestor: false,
        has_helped: false,
        is_new: true,
        depth: 1,
        is_inviters_device: false,
        others_of_device: 0,
        recent: 0,
    }
}

#[test]
fn a_help_counts_unless_something_speaks_against_it() {
    let (rules, help) = (rules(), help());
    assert_eq!(judge(&rules, help), Judgement::Counted);
    let edge = Help { at: rules.starts, depth: 3, others_of_device: 1, recent: 4, ..help };
    assert_eq!(judge(&rules, edge), Judgement::Counted);
    let before = |instant: UnixMs| instant.try_add_millis(-1).unwrap();
    assert_eq!(judge(&rules, Help { at: before(rules.ends), ..help }), Judgement::Counted);
    for (help, reason) in [
        (Help { is_inviter: true, has_helped: true, ..help }, Reason::Oneself),
        (Help { is_ancestor: true, is_new: false, ..help }, Reason::Loop),
        (Help { has_helped: true, at: rules.ends, ..help }, Reason::Again),
        (Help { at: before(rules.starts), ..help }, Reason::NotStarted),
        (Help { at: rules.ends, is_new: false, ..help }, Reason::Ended),
        (Help { depth: 4, ..help }, Reason::Depth),
        (Help { is_new: false, recent: 5, ..help }, Reason::NotNew),
        (Help { is_inviters_device: true, ..help }, Reason::Device),
        (Help { others_of_device: 2, recent: 9, ..help }, Reason::Device),
        (Help { recent: 5, ..help }, Reason::Burst),
    ] {
        assert_eq!(judge(&rules, help), Judgement::Refused(reason));
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
    let open = FissionRules { new_customers_only: false, max_depth: None, device_limit: None, burst: None, ..rules };
    let known = Help { is_new: false, depth: 99, others_of_device: 99, recent: 99, ..help };
    assert_eq!(judge(&open, known), Judgement::Counted);
    assert_eq!(judge(&open, Help { is_inviters_device: true, ..known }), Judgement::Refused(Reason::Device));
}

#[test]
fn a_level_is_crossed_also_by_helps_that_overshoot_it() {
    let levels = levels(&[3, 10, 11]);
    for (before, after, up, down) in [
        (2, 3, vec![1], vec![]),
        (3, 4, vec![], vec![]),
        (2, 5, vec![1], vec![]),
        (0, 10, vec![1, 2], vec![]),
        (2, 500, vec![1, 2, 3], vec![]),
        (11, 10, vec![], vec![3]),
        (10, 2, vec![], vec![1, 2]),
        (3, 3, vec![], vec![]),
    ] {
        assert_eq!((crossed(&levels, before, after), fallen(&levels, before, after)), (up, down), "{before} {after}");
    }
}

#[test]
fn rules_that_cannot_be_followed_are_refused() {
    assert_eq!(rules().check(), Ok(()));
    let change = |change: fn(&mut FissionRules)| {
        let mut rules = rules();
        change(&mut rules);
        rules.check().map_err(|mistake| mistake.path)
    };
    for (fault, path) in [
        (change(|rules| rules.levels.clear()), "levels"),
        (change(|rules| rules.levels = levels(&[0])), "levels[0].helps"),
        (change(|rules| rules.levels = levels(&[3, 3])), "levels[1].helps"),
        (change(|rules| rules.levels[1].reward = " ".to_owned()), "levels[1].reward"),
        (change(|rules| rules.ends = rules.starts), "ends"),
        (change(|rules| rules.max_depth = Some(0)), "max_depth"),
        (change(|rules| rules.device_limit = Some(0)), "device_limit"),
        (change(|rules| rules.burst = Some(Burst { helps: 0, minutes: 1 })), "burst"),
    ] {
        assert_eq!(fault, Err(path.to_owned()));
    }
    let json = r#"{"levels": [{"helps": 3, "reward": "tea"}], "starts": "2026-02-01T00:00:00+08:00", "ends": "2026-03-01T00:00:00+08:00"}"#;
    let rules: FissionRules = serde_json::from_str(json).unwrap();
    assert!(rules.new_customers_only && rules.void_on_leaving && rules.check().is_ok());
    assert!(serde_json::from_str::<FissionRules>(&json.replace("levels", "steps")).is_err());
}

#[test]
fn a_tree_tells_who_came_by_whom_and_who_brings_others() {
    let mut tree = Tree::new([("a", "b"), ("a", "c"), ("b", "d"), ("d", "e"), ("e", "b"), ("c", "d")]);
    tree.begin("z");
    assert_eq!(tree.path("e"), ["a", "b", "d", "e"]);
    assert_eq!((tree.depth("e"), tree.depth("a"), tree.depth("z")), (3, 0, 0));
    assert!(
        tree.is_ancestor("a", "e")
            && !tree.is_ancestor("e", "a")
            && !tree.is_ancestor("c", "e")
            && !tree.is_ancestor("a", "a")
    );
    assert_eq!(tree.place("e", "a"), Err(NotPlaced::Loop));
    assert_eq!(tree.place("a", "a"), Err(NotPlaced::Oneself));
    assert_eq!(tree.place("z", "e"), Err(NotPlaced::Again));
    assert_eq!(tree.place("e", "z"), Ok(()));
    let nodes: Vec<_> = tree.nodes().into_iter().map(|node| (node.who, node.depth, node.friends, node.below)).collect();
    let expected = [("a", 0, 2, 5), ("b", 1, 1, 3), ("c", 1, 0, 0), ("d", 2, 1, 2), ("e", 3, 1, 1), ("z", 4, 0, 0)];
    assert_eq!(nodes, expected.map(|(who, depth, friends, below)| (who.to_owned(), depth, friends, below)));
    let depths: Vec<_> = tree.depths().iter().map(|one| (one.depth, one.people, one.inviters, one.friends)).collect();
    assert_eq!(depths, [(0, 1, 1, 2), (1, 2, 1, 1), (2, 1, 1, 1), (3, 1, 1, 1), (4, 1, 0, 0)]);
    assert_eq!(tree.depths()[1].conversion(), "0.5000");
}

proptest! {
    /// Whatever pairs come, in whatever order, no loop is let in and everybody is reached from the top once.
    #[test]
    fn no_loop_is_ever_accepted(pairs in prop::collection::vec((0..15_u8, 0..15_u8), 0..80)) {
        let mut tree = Tree::default();
        for (inviter, friend) in pairs {
            let (inviter, friend) = (inviter.to_string(), friend.to_string());
            let facts = Help {
                is_inviter: inviter == friend,
                is_ancestor: tree.is_ancestor(&friend, &inviter),
                has_helped: tree.ancestors(&friend).next().is_some(),
                ..help()
            };
            let open = FissionRules { max_depth: None, ..rules() };
            let counted = judge(&open, facts) == Judgement::Counted;
            prop_assert_eq!(tree.place(&inviter, &friend).is_ok(), counted, "the tree and the judgement agree");
        }
        let nodes = tree.nodes();
        for node in &nodes {
            prop_assert!(!tree.is_ancestor(&node.who, &node.who));
            prop_assert_eq!(tree.depth(&node.who), node.depth);
        }
        let depths = tree.depths();
        prop_assert_eq!(depths.iter().map(|depth| depth.people).sum::<u32>(), u32::try_from(nodes.len()).unwrap());
        let first = depths.first().map_or(0, |depth| depth.people);
        prop_assert_eq!(depths.iter().map(|depth| depth.friends).sum::<u32>() + first, u32::try_from(nodes.len()).unwrap());
    }

    /// However helps come and go, what an inviter holds is what the helps at the end reach, each reward once.
    #[test]
    fn rewards_are_given_once_for_each_threshold(
        thresholds in prop::collection::btree_set(1..40_u32, 1..6),
        steps in prop::collection::vec(0..60_u32, 1..30),
    ) {
        let levels = levels(&thresholds.iter().copied().collect::<Vec<_>>());
        let (mut held, mut helps) = (BTreeMap::<u32, i32>::new(), 0);
        for next in steps {
            for level in crossed(&levels, helps, next) {
                *held.entry(level).or_default() += 1;
            }
            for level in fallen(&levels, helps, next) {
                *held.entry(level).or_default() -= 1;
            }
            prop_assert!(held.values().all(|times| (0..=1).contains(times)), "never twice");
            helps = next;
        }
        for (number, threshold) in (1..).zip(&thresholds) {
            prop_assert_eq!(held.get(&number).copied().unwrap_or(0) == 1, *threshold <= helps);
        }
    }
}
