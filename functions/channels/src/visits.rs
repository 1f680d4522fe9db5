//! Radar at work: links are opened, read and passed on. Who is known is told to the log, and the advisor of whoever comes back again and again.

use crate::radar::{SILENCE_MS, dwell};
use crate::state::short_state;
use crate::store::radar::content::{self, Content};
use crate::store::radar::share::{self, Share};
use crate::store::radar::visit::{self, Visit};
use crate::store::{known, person, who};
use crate::{SOURCE, push};
use domain::{Activity, ActivityRecorded, ContentRevisited, Event, Identity, UnixMs, Version};
use kit::{DbError, Tx, events};
use platforms::wecom::Ask;

/// The source that these activities name.
const RADAR: &str = "radar";

/// What a link leads to.
pub enum Opened {
    /// A content, and the visit that began.
    Content(Box<Content>, String),
    /// A content that is retired.
    Retired,
    /// Nothing.
    Unknown,
}

/// A link was opened by a browser.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn opened(tx: &Tx<'_>, token: &str, visitor: &str) -> Result<Opened, DbError> {
    let Some((share, content)) = found(tx, token)? else { return Ok(Opened::Unknown) };
    if content.retired_at.is_some() {
        return Ok(Opened::Retired);
    }
    if let Some(who) = &share.who {
        visit::bind(tx, visitor, &share.token, who)?;
    }
    // A browser that is known for somebody else's came by a link that was passed on by hand.
    let who = visit::visitor(tx, visitor)?.or_else(|| share.who.clone());
    let visit = Visit {
        id: short_state(),
        share: share.token.clone(),
        visitor: visitor.to_owned(),
        who,
        opened_at: tx.cx().now,
        dwell_ms: 0,
        depth_percent: None,
        tell_at: None,
    };
    visit::add(tx, content.id, &visit)?;
    if let Some(who) = &visit.who {
        let activity = Activity::LinkOpened { link: content.id.to_string() };
        let event = did(&share, &content, who, tx.cx().now, activity);
        events::append(tx, SOURCE, &content.id.to_string(), &event)?;
        come_back(tx, &share, &content, who, &visit.id)?;
    }
    Ok(Opened::Content(Box::new(content), visit.id))
}

/// A content that a link leads to, without a visit: of a request that only asks for the answer's head.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn found(tx: &Tx<'_>, token: &str) -> Result<Option<(Share, Content)>, DbError> {
    let Some(share) = share::by_token(tx, token)? else { return Ok(None) };
    Ok(content::by_id(tx, share.content)?.map(|content| (share, content)))
}

/// The page tells how long it has been read by now, and how much of it. News of an unknown visit are nobody's.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn read(tx: &Tx<'_>, token: &str, id: &str, told_ms: u64, depth_percent: Option<u8>) -> Result<(), DbError> {
    let Some(visit) = visit::of(tx, token, id)? else { return Ok(()) };
    let now = tx.cx().now;
    let told = dwell(told_ms, now.millis().saturating_sub(visit.opened_at.millis()));
    if !visit::grow(tx, id, told, depth_percent.map(|percent| percent.min(100)))? {
        return Ok(());
    }
    // What was told to the log once stays: a visit is told when it has been silent for a while.
    let Some(who) = visit.who.as_ref().filter(|_| visit.tell_at.is_none_or(|at| at > now)) else { return Ok(()) };
    let (Some((share, content)), Some(grown)) = (found(tx, token)?, visit::of(tx, token, id)?) else { return Ok(()) };
    let activity = Activity::LinkLeft {
        link: content.id.to_string(),
        dwell_ms: u32::try_from(grown.dwell_ms).unwrap_or(u32::MAX),
        depth_percent: grown.depth_percent.and_then(|percent| u8::try_from(percent).ok()),
    };
    let due = now.try_add_millis(SILENCE_MS).unwrap_or(now);
    visit::tell_at(tx, id, due)?;
    let event = did(&share, &content, who, now, activity);
    events::schedule(tx, due, &format!("channels.visit/{id}"), SOURCE, &content.id.to_string(), &event)
}

/// Whoever reads a content passes it on: by a link of one's own, the same however often. The token; nothing where the visit is not known.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn forwarded(tx: &Tx<'_>, token: &str, id: &str) -> Result<Option<String>, DbError> {
    let Some(visit) = visit::of(tx, token, id)? else { return Ok(None) };
    let Some((share, content)) = found(tx, token)? else { return Ok(None) };
    let child = Share {
        token: short_state(),
        content: content.id,
        staff: share.staff.clone(),
        who: None,
        parent: Some(share.token.clone()),
        visitor: Some(visit.visitor),
        depth: share.depth.saturating_add(1),
        created_at: tx.cx().now,
    };
    let (token, is_new) = share::add(tx, &child)?;
    if let Some(who) = visit.who.filter(|_| is_new) {
        let activity = Activity::ContentShared { content: content.id.to_string() };
        let event = did(&share, &content, &who, tx.cx().now, activity);
        events::append(tx, SOURCE, &content.id.to_string(), &event)?;
    }
    Ok(Some(token))
}

/// Tells, once for a content and a person, that the person has come back again.
fn come_back(tx: &Tx<'_>, share: &Share, content: &Content, who: &Identity, visit: &str) -> Result<(), DbError> {
    let Some(times) = visit::revisited(tx, content.id, &who::person(tx, who)?)? else { return Ok(()) };
    let staff = match &share.staff {
        Some(staff) => Some(staff.clone()),
        None => known::advisor(tx, who)?,
    };
    let event = ContentRevisited {
        v: Version,
        content_id: content.id,
        identities: vec![who.clone()],
        staff: staff.clone(),
        times,
        at: tx.cx().now,
    };
    events::append(tx, SOURCE, &content.id.to_string(), &Event::ContentRevisited(event))?;
    let Some(staff) = staff else { return Ok(()) };
    let customer = person::customer_of(tx, who)?.map_or_else(|| "尚未识别".to_owned(), |id| id.to_string());
    let text = format!("客户（{customer}）已第 {times} 次打开《{}》，可以及时跟进。", content.title);
    push::ask_wecom(tx, &Ask::MessageStaff { staff: vec![staff], text, link: None }, visit).map(drop)
}

fn did(share: &Share, content: &Content, who: &Identity, at: UnixMs, activity: Activity) -> Event {
    Event::ActivityRecorded(ActivityRecorded {
        v: Version,
        source: RADAR.to_owned(),
        identities: vec![who.clone()],
        hints: Vec::new(),
        channel: None,
        store: Some(content.store.clone()),
        staff: share.staff.clone(),
        at,
        activity,
    })
}
