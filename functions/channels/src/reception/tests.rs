use super::assign::{By, Counts};
use super::duty::on_duty;
use super::*;
use domain::UnixMs;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn plan(json: &str) -> Reception {
    serde_json::from_str(json).unwrap()
}

fn at(text: &str) -> UnixMs {
    format!("{text}+08:00").parse().unwrap()
}

fn counts(of: &[(&str, u32)]) -> Counts {
    of.iter().map(|(staff, count)| ((*staff).to_owned(), *count)).collect()
}

fn names(members: &[Member]) -> Vec<&str> {
    members.iter().map(|member| member.staff.as_str()).collect()
}

fn staff(of: &[&str], by: By) -> Receivers {
    Receivers::Staff { staff: of.iter().map(|staff| (*staff).to_owned()).collect(), by }
}

/// Days of February 2026; the 13th is a Friday, the 16th a Monday.
const WEEK: &str = r#"{
    "staff": [
        {"days": ["monday", "tuesday", "wednesday", "thursday", "friday"], "from": "09:00", "until": "18:00",
         "members": [{"staff": "li", "daily_cap": 2}, {"staff": "wang", "weight": 2, "daily_cap": 3}]},
        {"days": ["friday"], "from": "22:00", "until": "02:00", "members": [{"staff": "night"}]},
        {"days": ["friday"], "from": "17:00", "until": "19:00", "members": [{"staff": "li", "weight": 5, "daily_cap": 4}, {"staff": "zhao"}]}
    ],
    "special": [{"from": "2026-02-17", "until": "2026-02-18", "slots": [{"from": "20:00", "until": "01:00", "members": [{"staff": "feast"}]}]}]
}"#;

#[test]
fn somebody_receives_where_everybody_is_full() {
    let week = plan(WEEK);
    let (noon, sunday) = (at("2026-02-13T12:00:00"), at("2026-02-15T12:00:00"));
    assert_eq!(above_caps(&week, noon).unwrap(), ["li", "wang"]);
    assert_eq!(above_caps(&week, sunday).unwrap(), ["li", "wang"], "nobody is on duty: those of Monday");
    let mut backed = week;
    backed.backup = vec![serde_json::from_str(r#"{"staff": "boss", "daily_cap": 1}"#).unwrap()];
    let full = counts(&[("boss", 1)]);
    assert_eq!(receivers(&backed, sunday, &full).unwrap(), Receivers::Full);
    assert_eq!(above_caps(&backed, sunday).unwrap(), ["boss"]);
}

#[test]
fn slots_may_cross_midnight() {
    for (time, who) in [
        ("2026-02-13T21:59:59", vec![]),
        ("2026-02-13T22:00:00", vec!["night"]),
        ("2026-02-13T23:59:59", vec!["night"]),
        ("2026-02-14T00:00:00", vec!["night"]),
        ("2026-02-14T01:59:59", vec!["night"]),
        ("2026-02-14T02:00:00", vec![]),
        // The slot belongs to Friday, on which it begins.
        ("2026-02-14T22:00:00", vec![]),
        ("2026-02-13T01:00:00", vec![]),
    ] {
        assert_eq!(names(&on_duty(&plan(WEEK), at(time)).unwrap()), who, "{time}");
    }
}

#[test]
fn overlapping_slots_join_their_members() {
    let duty = on_duty(&plan(WEEK), at("2026-02-13T17:30:00")).unwrap();
    assert_eq!(names(&duty), ["li", "wang", "zhao"]);
    assert_eq!((duty[0].weight, duty[0].daily_cap), (5, Some(2)), "the larger weight, the lower cap");
    assert_eq!(names(&on_duty(&plan(WEEK), at("2026-02-13T18:00:00")).unwrap()), ["li", "zhao"]);
}

#[test]
fn dated_periods_replace_the_week() {
    for (time, who) in [
        ("2026-02-16T10:00:00", vec!["li", "wang"]),
        ("2026-02-17T10:00:00", vec![]),
        ("2026-02-17T20:00:00", vec!["feast"]),
        ("2026-02-18T00:59:59", vec!["feast"]),
        ("2026-02-18T01:00:00", vec![]),
        ("2026-02-18T23:00:00", vec!["feast"]),
        ("2026-02-19T00:30:00", vec!["feast"]),
        ("2026-02-19T10:00:00", vec!["li", "wang"]),
    ] {
        assert_eq!(names(&on_duty(&plan(WEEK), at(time)).unwrap()), who, "{time}");
    }
}

#[test]
fn scheduled_staff_are_counted_too() {
    let time = at("2026-02-16T10:00:00");
    assert_eq!(receivers(&plan(WEEK), time, &counts(&[("li", 2)])), Ok(staff(&["wang"], By::Duty)));
    let dated = WEEK.replace(r#"{"staff": "feast"}"#, r#"{"staff": "feast", "daily_cap": 1}, {"staff": "other"}"#);
    let time = at("2026-02-17T21:00:00");
    assert_eq!(receivers(&plan(&dated), time, &counts(&[("feast", 1)])), Ok(staff(&["other"], By::Duty)));
}

#[test]
fn a_cap_is_exact_and_not_off_by_one() {
    let time = at("2026-02-16T10:00:00");
    for (li, who) in [(0, vec!["li", "wang"]), (1, vec!["li", "wang"]), (2, vec!["wang"]), (3, vec!["wang"])] {
        assert_eq!(receivers(&plan(WEEK), time, &counts(&[("li", li)])), Ok(staff(&who, By::Duty)), "{li}");
    }
}

#[test]
fn a_refresh_never_yields_an_empty_list() {
    let mut plan = plan(WEEK);
    let full = counts(&[("li", 2), ("wang", 3)]);
    let (open, closed) = (at("2026-02-16T10:00:00"), at("2026-02-15T10:00:00"));
    assert_eq!(receivers(&plan, open, &full), Ok(Receivers::Full));
    assert_eq!(receivers(&plan, closed, &Counts::new()), Ok(staff(&["li", "wang"], By::Next)), "Sunday: Monday's");
    assert_eq!(receivers(&plan, closed, &full), Ok(Receivers::Full));

    let backup = |staff: &str, daily_cap| Member { staff: staff.to_owned(), name: None, weight: 1, daily_cap };
    plan.backup = vec![backup("sun", None), backup("li", None), backup("chen", Some(1))];
    assert_eq!(receivers(&plan, open, &full), Ok(staff(&["chen", "sun"], By::Backup)), "li is at the cap as well");
    assert_eq!(receivers(&plan, closed, &counts(&[("chen", 1)])), Ok(staff(&["li", "sun"], By::Backup)));
    plan.backup = vec![backup("chen", Some(1))];
    assert_eq!(receivers(&plan, closed, &counts(&[("chen", 1)])), Ok(Receivers::Full));

    let over = self::plan(
        r#"{"special": [{"from": "2026-01-01", "until": "2026-01-01", "slots": [{"from": "00:00", "until": "24:00", "members": [{"staff": "li"}]}]}]}"#,
    );
    assert_eq!(receivers(&over, open, &full), Ok(staff(&["li"], By::Next)), "the plan is over");
    assert_eq!(receivers(&Reception::default(), open, &full), Ok(Receivers::Nobody));
}

#[test]
fn a_cap_ends_with_the_calendar_day_and_not_by_a_job() {
    let all_day = plan(
        r#"{"staff": [{"from": "00:00", "until": "24:00", "members": [{"staff": "li", "daily_cap": 1}, {"staff": "wang"}]}]}"#,
    );
    // The caller counts rows of the day: after midnight there are none. A change at midnight tells it to look again.
    let late = at("2026-02-14T23:59:59");
    assert_eq!(receivers(&all_day, late, &counts(&[("li", 1)])), Ok(staff(&["wang"], By::Duty)));
    let midnight = next_change(&all_day, late).unwrap().unwrap();
    assert_eq!(midnight, at("2026-02-15T00:00:00"));
    assert_eq!(receivers(&all_day, midnight, &Counts::new()), Ok(staff(&["li", "wang"], By::Duty)));
}

#[test]
fn the_next_change_is_an_edge_of_duty_or_a_midnight_for_caps() {
    let without_caps =
        WEEK.replace(r#", "daily_cap": 2"#, "").replace(r#", "daily_cap": 3"#, "").replace(r#", "daily_cap": 4"#, "");
    let without_caps = plan(&without_caps);
    let mut time = at("2026-02-13T08:00:00");
    for next in [
        "2026-02-13T09:00:00",
        "2026-02-13T17:00:00",
        "2026-02-13T18:00:00",
        "2026-02-13T19:00:00",
        "2026-02-13T22:00:00",
        "2026-02-14T02:00:00",
        "2026-02-16T09:00:00",
        "2026-02-16T18:00:00",
        "2026-02-17T20:00:00",
        "2026-02-18T01:00:00",
        "2026-02-18T20:00:00",
        "2026-02-19T01:00:00",
        "2026-02-19T09:00:00",
    ] {
        time = next_change(&without_caps, time).unwrap().unwrap();
        assert_eq!(time, at(next));
    }
    assert_eq!(next_change(&plan(WEEK), at("2026-02-14T12:00:00")), Ok(Some(at("2026-02-15T00:00:00"))), "caps");
    let always = plan(r#"{"staff": [{"from": "00:00", "until": "24:00", "members": [{"staff": "li"}]}]}"#);
    assert_eq!(next_change(&always, time), Ok(None));
}

#[test]
fn who_comes_again_reaches_the_same_member_of_staff() {
    let mut plan = plan(WEEK);
    let full = counts(&[("li", 2), ("wang", 3)]);
    let none = Counts::new();
    let asked = Asked { at: at("2026-02-16T10:00:00"), today: &full, round: &none, before: Some("li") };
    assert_eq!(choose(&plan, asked), Ok(Chosen::Full));
    plan.exclusive = true;
    assert_eq!(choose(&plan, asked), Ok(Chosen::Staff { staff: "li".to_owned(), by: By::Exclusive }));
    assert_eq!(choose(&plan, Asked { before: Some("gone"), ..asked }), Ok(Chosen::Full));
    let open = Asked { today: &none, before: None, ..asked };
    assert_eq!(choose(&plan, open), Ok(Chosen::Staff { staff: "li".to_owned(), by: By::Duty }), "the first by name");
    assert_eq!(choose(&Reception::default(), open), Ok(Chosen::Nobody));
}

#[test]
fn weights_share_out_and_round_robin_does_not_look_at_them() {
    let mut plan = plan(
        r#"{"policy": "weighted", "staff": [{"from": "00:00", "until": "24:00", "members": [{"staff": "a", "weight": 3}, {"staff": "b"}]}]}"#,
    );
    let mut take = |policy, times: usize| {
        plan.policy = policy;
        let mut have = Counts::new();
        (0..times).map(|_| add(&plan, at("2026-02-16T10:00:00"), &mut have).unwrap()).collect::<String>()
    };
    assert_eq!(take(Policy::Weighted, 8), "aaabaaab");
    assert_eq!(take(Policy::RoundRobin, 5), "ababa");
}

#[test]
fn plans_that_cannot_be_followed_are_refused_in_words() {
    let member = r#"{"staff": "li"}"#;
    let slot = |inner: &str| format!(r#"{{"staff": [{{"from": "09:00", "until": "18:00", {inner}}}]}}"#);
    let special = |from: &str, until: &str| format!(r#"{{"from": "{from}", "until": "{until}", "slots": []}}"#);
    let crowd: Vec<String> = (0..101).map(|number| format!(r#"{{"staff": "s{number}"}}"#)).collect();
    let (half, rest) = crowd.split_at(60);
    let shifts = |from: &str| {
        format!(
            r#"{{"staff": [{{"from": "09:00", "until": "18:00", "members": [{}]}}, {{"from": "{from}", "until": "20:00", "members": [{}]}}]}}"#,
            half.join(","),
            rest.join(",")
        )
    };
    for (json, path) in [
        ("{}".to_owned(), "staff"),
        (slot(r#""members": []"#), "staff"),
        (r#"{"backup": [{"staff": " "}]}"#.to_owned(), "backup[0].staff"),
        (slot(&format!(r#""members": [{member}, {member}]"#)), "staff[0].members[1].staff"),
        (slot(r#""members": [{"staff": "li", "weight": 0}]"#), "staff[0].members[0].weight"),
        (slot(r#""members": [{"staff": "li", "daily_cap": 0}]"#), "staff[0].members[0].daily_cap"),
        (slot(&format!(r#""members": [{member}], "days": ["monday", "monday"]"#)), "staff[0].days"),
        (slot(&format!(r#""members": [{member}]"#)).replace("18:00", "09:00"), "staff[0]"),
        (slot(&format!(r#""members": [{member}]"#)).replace("09:00", "24:00"), "staff[0]"),
        (slot(&format!(r#""members": [{}]"#, crowd.join(","))), "staff"),
        (shifts("17:59"), "staff"),
        (format!(r#"{{"backup": [{}]}}"#, crowd.join(",")), "backup"),
        (format!(r#"{{"backup": [{member}], "special": [{}]}}"#, special("2026-02-18", "2026-02-17")), "special[0]"),
        (format!(r#"{{"backup": [{member}], "special": [{}]}}"#, special("2026-01-01", "2027-01-02")), "special[0]"),
        (
            format!(
                r#"{{"backup": [{member}], "special": [{}, {}]}}"#,
                special("2026-02-17", "2026-02-18"),
                special("2026-02-18", "2026-02-20")
            ),
            "special[1]",
        ),
    ] {
        assert_eq!(plan(&json).check().map_err(|mistake| mistake.path), Err(path.to_owned()), "{json}");
    }
    for unreadable in [
        slot(r#""members": [], "until": "9 o'clock""#).replace(r#""until": "18:00", "#, ""),
        slot(r#""members": [], "days": ["someday"]"#),
        slot(r#""members": [], "cap": 1"#),
    ] {
        assert!(serde_json::from_str::<Reception>(&unreadable).is_err(), "{unreadable}");
    }
    assert!(plan(&shifts("18:00")).check().is_ok(), "one shift after the other");
}

#[test]
fn gaps_and_caps_without_a_backup_are_told() {
    let told = |json: &str| plan(json).check().unwrap();
    let warnings = told(WEEK);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("00:00 of Monday"), "{warnings:?}");
    assert_eq!(told(&WEEK.replacen('{', r#"{"backup": [{"staff": "sun"}],"#, 1)), [""; 0]);
    let night = r#"{"staff": [{"from": "08:00", "until": "20:00", "members": [{"staff": "a"}]}, {"from": "20:00", "until": "08:00", "members": [{"staff": "b"}]}]}"#;
    assert_eq!(told(night), [""; 0], "day and night leave no gap");
    let gap = night.replacen(r#""until": "20:00""#, r#""until": "19:59""#, 1);
    assert!(told(&gap)[0].contains("19:59 of Monday"));
}

#[test]
fn a_plan_is_written_as_it_is_read() {
    let plan = plan(WEEK);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Reception>(&json).unwrap(), plan);
}

/// Chooses and counts.
fn add(plan: &Reception, at: UnixMs, have: &mut Counts) -> Option<String> {
    let asked = Asked { at, today: have, round: have, before: None };
    let Chosen::Staff { staff, .. } = choose(plan, asked).unwrap() else { return None };
    *have.entry(staff.clone()).or_default() += 1;
    Some(staff)
}

fn all_day(members: Vec<Member>, policy: Policy) -> Reception {
    let slot = Slot { days: Vec::new(), from: "00:00".parse().unwrap(), until: "24:00".parse().unwrap(), members };
    Reception { staff: vec![slot], policy, ..Reception::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// 1,000 adds over 20 members of staff: caps exact, none lost, weights within 1 where caps do not bind.
    #[test]
    fn a_thousand_adds_over_twenty_staff(
        members in prop::collection::vec((1..=20_u32, prop::option::of(1..=90_u32)), 20),
        weighted: bool,
    ) {
        let members: Vec<Member> = members
            .into_iter()
            .enumerate()
            .map(|(number, (weight, daily_cap))| Member { staff: format!("s{number:02}"), name: None, weight, daily_cap })
            .collect();
        let policy = if weighted { Policy::Weighted } else { Policy::RoundRobin };
        let plan = all_day(members.clone(), policy);
        let time = at("2026-02-16T10:00:00");
        let mut have = Counts::new();
        let taken = (0..1000).filter_map(|_| add(&plan, time, &mut have)).count();

        let room = members.iter().try_fold(0_usize, |sum, member| Some(sum + usize::try_from(member.daily_cap?).unwrap()));
        prop_assert_eq!(taken, room.unwrap_or(1000).min(1000), "none lost, none over a cap");
        prop_assert_eq!(have.values().map(|count| usize::try_from(*count).unwrap()).sum::<usize>(), taken);
        for member in &members {
            let count = have.get(&member.staff).copied().unwrap_or(0);
            prop_assert!(member.daily_cap.is_none_or(|cap| count <= cap));
        }
        let is_full = receivers(&plan, time, &have).unwrap() == Receivers::Full;
        prop_assert_eq!(is_full, room.is_some_and(|room| room <= 1000));
    }

    /// After every single add each count is within 1 of its share.
    #[test]
    fn shares_are_within_one_at_all_times(weights in prop::collection::vec(1..=1000_u32, 1..20)) {
        let member = |(number, weight): (usize, &u32)| Member { staff: format!("s{number:02}"), name: None, weight: *weight, daily_cap: None };
        let members: Vec<Member> = weights.iter().enumerate().map(member).collect();
        let plan = all_day(members.clone(), Policy::Weighted);
        let whole: i64 = weights.iter().copied().map(i64::from).sum();
        let mut have = Counts::new();
        for total in 1..=200_i64 {
            add(&plan, at("2026-02-16T10:00:00"), &mut have);
            for member in &members {
                let count = i64::from(have.get(&member.staff).copied().unwrap_or(0));
                let off = count * whole - total * i64::from(member.weight);
                prop_assert!(off.abs() < whole, "{} of {total}: {have:?}", member.staff);
            }
        }
    }

    /// Between two changes the same people are on duty, and at a change others are.
    #[test]
    fn duty_changes_at_changes_only(
        slots in prop::collection::vec((0..7_usize, 0..48_u16, 0..48_u16, 0..4_u8), 1..8),
        start in 0..14 * 48_i64,
    ) {
        let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday, Weekday::Saturday, Weekday::Sunday];
        let clock = |half_hours: u16| format!("{:02}:{:02}", half_hours / 2, half_hours % 2 * 30).parse().unwrap();
        let slots = slots.into_iter().filter(|(_, from, until, _)| from != until).map(|(day, from, until, who)| Slot {
            days: vec![days[day]],
            from: clock(from),
            until: clock(until),
            members: vec![Member { staff: format!("s{who}"), name: None, weight: 1, daily_cap: None }],
        });
        let plan = Reception { staff: slots.collect(), ..Reception::default() };
        let half_hour = 1_800_000;
        let start = at("2026-02-16T00:00:00").try_add_millis(start * half_hour).unwrap();
        let now = on_duty(&plan, start).unwrap();
        let next = next_change(&plan, start).unwrap();
        for step in 1..=8 * 48 {
            let time = start.try_add_millis(step * half_hour).unwrap();
            if next == Some(time) {
                prop_assert_ne!(&on_duty(&plan, time).unwrap(), &now);
                break;
            }
            prop_assert_eq!(&on_duty(&plan, time).unwrap(), &now);
        }
    }

    /// Nobody gets into the list who is at the cap, and nobody is left out who is not.
    #[test]
    fn receivers_are_sorted_and_below_their_caps(
        caps in prop::collection::vec(prop::option::of(1..5_u32), 1..10),
        have in prop::collection::vec(0..6_u32, 10),
    ) {
        let member = |(number, daily_cap): (usize, &Option<u32>)| Member { staff: format!("s{number}"), name: None, weight: 1, daily_cap: *daily_cap };
        let plan = all_day(caps.iter().enumerate().map(member).collect(), Policy::RoundRobin);
        let today: BTreeMap<String, u32> = have.iter().enumerate().map(|(number, count)| (format!("s{number}"), *count)).collect();
        let open: BTreeSet<String> = caps.iter().enumerate().filter(|(number, cap)| cap.is_none_or(|cap| have[*number] < cap))
            .map(|(number, _)| format!("s{number}")).collect();
        let expected = if open.is_empty() { Receivers::Full } else {
            Receivers::Staff { staff: open.into_iter().collect(), by: By::Duty }
        };
        prop_assert_eq!(receivers(&plan, at("2026-02-16T10:00:00"), &today), Ok(expected));
    }
}
