//! Asking shops what changed: what a push has lost, and all there is of platforms that do not push.
//!
//! Each connected shop is asked in windows of time that overlap, so that a change that became visible late is found by the next.
//! The cursor moves when a window has been asked for to its last page; a window that failed is asked for again, later
//! and later. Finding the same change twice costs a question and changes nothing.

use crate::deliver;
use crate::store::{self, PullRow};
use domain::{Event, Platform, PullDue, PullKind, UnixMs, Version};
use kit::{DbError, Tx, events};
use platforms::marketplace::{Ask, Asked, Window};

/// How far back a shop is asked when it is connected, in milliseconds.
const LOOK_BACK_MS: i64 = 24 * 3_600_000;
/// How much of the window before is asked for again, in milliseconds.
const OVERLAP_MS: i64 = 300_000;
/// How often a shop is asked, in milliseconds.
const EVERY_MS: i64 = 60_000;
/// The longest pause after failures, in milliseconds.
const PAUSE_MS: i64 = 1_800_000;

/// A shop was connected: it is asked from now on.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn begin(tx: &Tx<'_>, platform: Platform, shop_id: &str) -> Result<(), DbError> {
    let Some(source) = platforms::source(platform) else { return Ok(()) };
    for kind in source.pulls() {
        store::begin_pull(tx, platform, shop_id, *kind, later(tx.cx().now, -LOOK_BACK_MS))?;
        ask(tx, platform, shop_id, *kind)?;
    }
    Ok(())
}

/// It is time to ask. A shop that is no longer connected is not asked again.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn ask(tx: &Tx<'_>, platform: Platform, shop_id: &str, kind: PullKind) -> Result<(), DbError> {
    let (Some(source), Some(row)) = (platforms::source(platform), store::pull(tx, platform, shop_id, kind)?) else {
        return Ok(());
    };
    if !store::is_connected(tx, platform, shop_id)? {
        return Ok(());
    }
    let window = window(&row, tx.cx().now, source.longest_window_ms());
    let ask = match kind {
        PullKind::Orders => Ask::ChangedOrders(window),
        PullKind::AfterSales => Ask::ChangedAfterSales(window),
        PullKind::Messages => Ask::Messages,
    };
    deliver::ask(tx, platform, shop_id, &ask).map(drop)
}

fn window(row: &PullRow, now: UnixMs, longest_ms: i64) -> Window {
    let since = later(row.pulled_until, -OVERLAP_MS);
    Window { since, until: later(since, longest_ms).min(now), page: None }
}

/// A page of changes has come: each is asked about. After the last page the window is done.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn page(tx: &Tx<'_>, platform: Platform, asked: &Asked, asks: &[Ask], next: Option<String>) -> Result<(), DbError> {
    for ask in asks {
        deliver::ask(tx, platform, &asked.shop_id, ask)?;
    }
    let (Ask::ChangedOrders(window) | Ask::ChangedAfterSales(window)) = &asked.ask else { return Ok(()) };
    if next.is_some() {
        let window = Window { page: next, ..window.clone() };
        let ask = match &asked.ask {
            Ask::ChangedOrders(_) => Ask::ChangedOrders(window),
            _ => Ask::ChangedAfterSales(window),
        };
        return deliver::ask(tx, platform, &asked.shop_id, &ask).map(drop);
    }
    let Some(kind) = asked.ask.pull_kind() else { return Ok(()) };
    store::advance_pull(tx, platform, &asked.shop_id, kind, window.until)?;
    go_on(tx, platform, &asked.shop_id, kind, later(window.until, EVERY_MS))
}

/// Messages of a platform's queue are kept: they are confirmed. An empty queue is asked again after a while.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn messages(tx: &Tx<'_>, platform: Platform, shop_id: &str, message_ids: Vec<String>) -> Result<(), DbError> {
    let now = tx.cx().now;
    store::advance_pull(tx, platform, shop_id, PullKind::Messages, now)?;
    if message_ids.is_empty() {
        return go_on(tx, platform, shop_id, PullKind::Messages, later(now, EVERY_MS));
    }
    // Unconfirmed messages would come again, so they are confirmed before more are asked for.
    deliver::ask(tx, platform, shop_id, &Ask::ConfirmMessages { message_ids }).map(drop)
}

/// Messages are confirmed: there may be more.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn confirmed(tx: &Tx<'_>, platform: Platform, shop_id: &str) -> Result<(), DbError> {
    ask(tx, platform, shop_id, PullKind::Messages)
}

/// Asking failed for good: the same window is asked for again after a pause that doubles each time.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn put_off(tx: &Tx<'_>, platform: Platform, shop_id: &str, kind: PullKind, error: &str) -> Result<(), DbError> {
    let failures = store::pull_failed(tx, platform, shop_id, kind, error)?;
    schedule(tx, platform, shop_id, kind, later(tx.cx().now, pause_ms(failures)))
}

/// Asks again when `due` has come, at once if it has: a shop that is far behind is not asked one window a tick.
fn go_on(tx: &Tx<'_>, platform: Platform, shop_id: &str, kind: PullKind, due: UnixMs) -> Result<(), DbError> {
    if due <= tx.cx().now { ask(tx, platform, shop_id, kind) } else { schedule(tx, platform, shop_id, kind, due) }
}

fn pause_ms(failures: u32) -> i64 {
    EVERY_MS.saturating_mul(1_i64.checked_shl(failures.min(10)).unwrap_or(i64::MAX)).min(PAUSE_MS)
}

fn schedule(tx: &Tx<'_>, platform: Platform, shop_id: &str, kind: PullKind, due: UnixMs) -> Result<(), DbError> {
    let subject = format!("{platform}:{shop_id}");
    let key = format!("pull.{}:{subject}", kind.as_str());
    let event = Event::PullDue(PullDue { v: Version, platform, shop_id: shop_id.to_owned(), kind });
    events::schedule(tx, due, &key, deliver::SOURCE, &subject, &event)
}

/// An instant so many milliseconds later, or the same where time ends.
fn later(instant: UnixMs, millis: i64) -> UnixMs {
    instant.try_add_millis(millis).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::{EVERY_MS, OVERLAP_MS, PAUSE_MS, PullRow, later, pause_ms, window};
    use domain::UnixMs;

    #[test]
    fn windows_overlap_and_end_now_at_the_latest() {
        let now = UnixMs::from_seconds(1_771_032_600).unwrap();
        let longest = 1_800_000;
        let first = window(&PullRow { pulled_until: later(now, -10_000_000) }, now, longest);
        assert_eq!(first.since, later(now, -10_000_000 - OVERLAP_MS));
        assert_eq!(first.until, later(first.since, longest));
        let second = window(&PullRow { pulled_until: first.until }, now, longest);
        assert_eq!(second.since, later(first.until, -OVERLAP_MS), "what became visible late is asked for again");
        assert!(second.until > first.until, "the cursor moves although windows overlap");
        let last = window(&PullRow { pulled_until: now }, now, longest);
        assert_eq!(last.until, now);
    }

    #[test]
    fn pauses_double_up_to_half_an_hour() {
        assert_eq!(pause_ms(0), EVERY_MS);
        assert_eq!(pause_ms(1), 2 * EVERY_MS);
        assert_eq!(pause_ms(5), PAUSE_MS);
        assert_eq!(pause_ms(u32::MAX), PAUSE_MS);
    }
}
