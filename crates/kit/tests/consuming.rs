//! Consumers: once, in order, whatever fails; dead letters; timers; following.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use domain::{ClockMoved, DeadLetterId, Event, UnixMs, Version};
use kit::consume::{ConsumeError, Consumed, Consumer, Request, TRIES, consume};
use kit::events::{self, Logged};
use kit::{App, Cx, DbError, Native, Trace, Tx, params};
use proptest::prelude::*;

/// Notes each event that it sees in the table `lease`; refuses the subject `poison` until the lease `cured` exists.
const CONSUMER: Consumer = Consumer { name: "orders", types: &["clock.moved"], apply };

fn apply(_: &App, tx: &Tx<'_>, event: &Logged) -> Result<(), ConsumeError> {
    tx.execute(
        "insert into lease (name, holder, until) values (?1, 'seen', ?2)",
        &params![event.id.to_string(), event.seq],
    )?;
    let cured = tx.query_one("select 1 as found from lease where name = 'cured'", &[])?.is_some();
    if event.subject == "poison" && !cured {
        return Err(ConsumeError::Refused("poison".to_owned()));
    }
    Ok(())
}

fn app() -> App {
    App::native(&Native::in_memory([])).unwrap()
}

fn cx() -> Cx {
    Cx::at(UnixMs::from_seconds(1_790_000_000).unwrap())
}

fn event() -> Event {
    Event::ClockMoved(ClockMoved { v: Version, from: UnixMs::EPOCH, to: cx().now })
}

async fn append(app: &App, subjects: Vec<&'static str>) {
    app.db()
        .write(&cx(), move |tx| {
            for subject in subjects {
                events::append(tx, "/test", subject, &event())?;
            }
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
}

/// Calls until there is no more to do, as the pump does.
async fn drive(app: &App, careful: bool) -> Consumed {
    loop {
        let consumed = consume(app, &cx(), CONSUMER, Request { careful, replay: None }).await.unwrap();
        if !consumed.more {
            return consumed;
        }
    }
}

async fn rows(app: &App, sql: &'static str) -> Vec<i64> {
    app.db()
        .read(&cx(), |tx| tx.query(sql, &[])?.iter().map(|row| row.get("n")).collect::<Result<_, DbError>>())
        .await
        .unwrap()
}

async fn seen(app: &App) -> Vec<i64> {
    rows(app, "select until as n from lease where holder = 'seen' order by until").await
}

#[tokio::test]
async fn every_event_is_applied_once_and_in_order() {
    let app = app();
    append(&app, vec!["a"; 450]).await;
    assert_eq!(drive(&app, false).await.seq, 450);
    assert_eq!(seen(&app).await, (1..=450).collect::<Vec<_>>());
    assert_eq!(drive(&app, false).await, Consumed { seq: 450, applied: 0, more: false });
}

#[tokio::test]
async fn a_batch_of_events_that_take_long_ends_early_and_loses_none() {
    const SLOW: Consumer = Consumer {
        name: "orders",
        types: &["clock.moved"],
        apply: |app, tx, logged| {
            std::thread::sleep(std::time::Duration::from_millis(60));
            apply(app, tx, logged)
        },
    };
    let app = app();
    append(&app, vec!["a"; 3]).await;
    for seq in 1..=3 {
        let consumed = consume(&app, &cx(), SLOW, Request::default()).await.unwrap();
        assert_eq!(consumed, Consumed { seq, applied: 1, more: true }, "others get at the database in between");
    }
    assert_eq!(seen(&app).await, [1, 2, 3]);
}

#[tokio::test]
async fn what_is_not_its_own_is_passed_by_in_stretches() {
    const OTHER: Consumer = Consumer { name: "orders", types: &["tagging.day"], apply };
    let app = app();
    append(&app, vec!["a"; 12_000]).await;
    let mut calls = Vec::new();
    loop {
        let consumed = consume(&app, &cx(), OTHER, Request::default()).await.unwrap();
        calls.push((consumed.seq, consumed.applied));
        if !consumed.more {
            break;
        }
    }
    assert_eq!(calls, [(5_000, 0), (10_000, 0), (12_000, 0)]);
}

#[tokio::test]
async fn what_follows_from_an_event_carries_its_trace() {
    const ECHO: Consumer = Consumer {
        name: "orders",
        types: &["clock.moved"],
        apply: |_, tx, logged| {
            if logged.subject == "cause" {
                events::append(tx, "/test", "effect", &event())?;
            }
            Ok(())
        },
    };
    let app = app();
    let trace = Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let cx = Cx { trace: trace.clone(), ..cx() };
    app.db().write(&cx, |tx| events::append(tx, "/test", "cause", &event())).await.unwrap();
    consume(&app, &Cx::at(cx.now), ECHO, Request::default()).await.unwrap();
    let found: Vec<String> = app
        .db()
        .read(&cx, |tx| tx.query("select trace from event", &[])?.iter().map(|row| row.get("trace")).collect())
        .await
        .map_err(|error: DbError| error)
        .unwrap();
    assert_eq!(found, [trace.as_ref().unwrap().to_string(), trace.unwrap().to_string()]);
}

#[tokio::test]
async fn an_event_that_fails_becomes_a_dead_letter_and_the_log_moves_on() {
    for careful in [false, true] {
        let app = app();
        append(&app, vec!["a", "poison", "b"]).await;
        assert_eq!(drive(&app, careful).await.seq, 3);
        assert_eq!(seen(&app).await, [1, 3], "what the failed tries wrote is gone");
        assert_eq!(rows(&app, "select seq as n from dead_letter").await, [2]);
        assert_eq!(rows(&app, "select attempts as n from dead_letter").await, [TRIES]);
    }
}

#[tokio::test]
async fn a_dead_letter_is_replayed_once_when_its_cause_is_mended() {
    let app = app();
    append(&app, vec!["poison"]).await;
    drive(&app, false).await;
    let id: DeadLetterId = app
        .db()
        .read(&cx(), |tx| tx.query_one("select id from dead_letter", &[])?.unwrap().parse("id"))
        .await
        .map_err(|error: DbError| error)
        .unwrap();
    let replay = Request { careful: false, replay: Some(id) };
    let refused = consume(&app, &cx(), CONSUMER, replay.clone()).await.unwrap_err();
    assert_eq!(refused.status(), 422);
    assert!(seen(&app).await.is_empty());

    app.db()
        .write(&cx(), |tx| tx.execute("insert into lease (name, holder, until) values ('cured', '', 0)", &[]))
        .await
        .map_err(|error: DbError| error)
        .unwrap();
    consume(&app, &cx(), CONSUMER, replay.clone()).await.unwrap();
    assert_eq!(seen(&app).await, [1]);
    assert_eq!(consume(&app, &cx(), CONSUMER, replay).await.unwrap_err().status(), 404);
}

#[tokio::test]
async fn an_event_that_crashes_the_instance_is_given_up_after_its_tries() {
    let app = app();
    append(&app, vec!["a", "b"]).await;
    // Each crash leaves a counted try behind and nothing else.
    app.db()
        .write(&cx(), |tx| tx.execute("update consumer set attempts = ?1", &params![TRIES]))
        .await
        .map_err(|error: DbError| error)
        .unwrap();
    assert_eq!(drive(&app, true).await.seq, 2);
    assert_eq!(seen(&app).await, [2]);
    assert_eq!(rows(&app, "select seq as n from dead_letter").await, [1]);
}

#[tokio::test]
async fn a_consumer_never_passes_the_one_that_it_follows() {
    let app = app();
    append(&app, vec!["a", "b", "c"]).await;
    app.db()
        .write(&cx(), |tx| {
            tx.execute("insert into consumer (name, seq) values ('first', 2)", &[])?;
            tx.execute("update consumer set follows = 'first' where name = 'orders'", &[])
        })
        .await
        .map_err(|error: DbError| error)
        .unwrap();
    assert_eq!(drive(&app, false).await.seq, 2);
    assert_eq!(seen(&app).await, [1, 2]);
}

#[tokio::test]
async fn a_timer_fires_once_when_due_unless_it_was_cancelled_or_moved() {
    let app = app();
    let at = |seconds: i64| UnixMs::from_seconds(1_790_000_000 + seconds).unwrap();
    app.db()
        .write(&cx(), move |tx| {
            events::schedule(tx, at(10), "kept", "/test", "kept", &event())?;
            events::schedule(tx, at(10), "moved", "/test", "early", &event())?;
            events::schedule(tx, at(20), "moved", "/test", "late", &event())?;
            events::schedule(tx, at(5), "cancelled", "/test", "never", &event())?;
            assert!(events::cancel(tx, "cancelled")?);
            assert!(!events::cancel(tx, "cancelled")?);
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    let mut fired = Vec::new();
    for seconds in [9, 10, 15, 20, 30] {
        let count = app.db().write(&Cx::at(at(seconds)), |tx| events::fire_due(tx, 100)).await.unwrap();
        fired.push(count);
    }
    assert_eq!(fired, [0, 1, 0, 1, 0]);
    let times = rows(&app, "select time as n from event order by seq").await;
    assert_eq!(times, [at(10).millis(), at(20).millis()], "an event carries the time when it was due");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the log is cut into batches, and whatever fails on the way, what is left behind is the same.
    #[test]
    fn what_a_consumer_leaves_does_not_depend_on_the_cuts(
        poisoned in proptest::collection::vec(any::<bool>(), 1..30),
        cuts in proptest::collection::vec(1_usize..6, 1..12),
        careful in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = app();
            let mut rest: Vec<_> = poisoned.iter().map(|bad| if *bad { "poison" } else { "fine" }).collect();
            for cut in cuts {
                let head: Vec<_> = rest.drain(..cut.min(rest.len())).collect();
                append(&app, head).await;
                drive(&app, careful).await;
            }
            append(&app, rest).await;
            drive(&app, careful).await;
            let fine: Vec<_> = (1..).zip(&poisoned).filter(|(_, bad)| !**bad).map(|(seq, _)| seq).collect();
            let dead: Vec<_> = (1..).zip(&poisoned).filter(|(_, bad)| **bad).map(|(seq, _)| seq).collect();
            assert_eq!(seen(&app).await, fine);
            assert_eq!(rows(&app, "select seq as n from dead_letter order by seq").await, dead);
        });
    }
}
