//! What the platforms' callbacks tell becomes rows and events, in one transaction with the memory that they came.

mod account;
pub mod contact;
mod greet;
pub mod group;

pub use account::take as account;

use crate::SOURCE;
use crate::store;
use crate::store::code::Code;
use crate::transfer;
use domain::{
    Activity, ActivityRecorded, Event, EventId, Identity, IdentityKind, RelationSide, UnixMs, Version, WecomTagsChanged,
};
use kit::{DbError, Tx, Vault, events, inbox};
use platforms::wecom::answer::Follow;
use platforms::wecom::callback::{Notice, Received};

/// Who tells what WeCom's callbacks say.
pub const WECOM: &str = "wecom";
/// Who tells what the Official Account's callbacks say.
pub const OFFICIAL_ACCOUNT: &str = "official_account";

/// Why an authentic message that nothing here goes by is kept as it came.
const NOBODY_TAKES: &str = "nobody here takes messages of this kind yet";

/// How far the time of a callback and that of WeCom's record may lie apart, in milliseconds.
const TOLERANCE_MS: i64 = 120_000;

/// How long a half contact has stood when WeCom's record of it counts as the whole one, whose callback was lost then: half an hour, in milliseconds. The
/// record of a moment after may be of the half itself.
const HALF_MS: i64 = 1_800_000;

/// Takes what WeCom tells. `text` is the callback as it was deciphered.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn wecom(tx: &Tx<'_>, vault: &Vault, text: &str, received: Received) -> Result<(), DbError> {
    let at = received.at;
    match received.notice {
        Notice::ContactAdded { half, staff, contact, state, welcome_code } => {
            let welcome_code = welcome_code.as_deref();
            contact::added(tx, text, contact::Added { staff, contact, half, state, welcome_code, at })
        }
        Notice::ContactEdited { contact, .. } => contact::ask_about(tx, &contact),
        Notice::ContactRemoved { by, staff, contact, by_transfer } => {
            contact::removed(tx, &staff, &contact, if by_transfer { RelationSide::Handover } else { by }, at)?;
            if by_transfer { transfer::done(tx, &staff, &contact, at) } else { Ok(()) }
        }
        Notice::TransferFailed { staff, contact, reason } => {
            if transfer::refused(tx, &staff, &contact, &reason, at)? {
                return Ok(());
            }
            inbox::quarantine(tx, vault, WECOM, text.as_bytes(), "a handover that was not asked for here")
        }
        Notice::GroupCreated { group } => group::ask_about(tx, &group),
        Notice::GroupChanged { group, left, quit_scene, .. } => group::changed(tx, &group, &left, quit_scene),
        Notice::GroupDismissed { group } => group::dismissed(tx, &group, at),
        Notice::TagsChanged { id, group, .. } => {
            let event = WecomTagsChanged { v: Version, id, group, at };
            events::append(tx, SOURCE, "wecom", &Event::WecomTagsChanged(event)).map(drop)
        }
        // Staff write to the app: for tickets, when they ask for it. Kept as it came.
        Notice::Message { .. } => inbox::quarantine(tx, vault, WECOM, text.as_bytes(), NOBODY_TAKES),
        Notice::Other { kind } => {
            inbox::quarantine(tx, vault, WECOM, text.as_bytes(), &format!("the kind {kind} is not known"))
        }
    }
}

/// WeCom tells that somebody is a contact of a member of staff, as it was asked at `asked_at`. Where no callback has said so, this does.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn followed(tx: &Tx<'_>, contact: &str, follow: &Follow, asked_at: UnixMs) -> Result<(), DbError> {
    let Follow { staff, since, state, .. } = follow;
    let half = store::contact::half_since(tx, staff, contact)?;
    let is_whole = |half: &UnixMs| {
        let (half, since) = (half.millis(), since.millis());
        since.saturating_add(TOLERANCE_MS) >= half && asked_at.millis().saturating_sub(half) >= HALF_MS
    };
    let whole = half.filter(is_whole);
    // The callback and the record may differ by a moment.
    if whole.is_none() && store::contact::knows(tx, staff, contact, *since, TOLERANCE_MS)? {
        return Ok(());
    }
    let text = format!("{staff} {contact} {since}");
    let (staff, contact) = (staff.clone(), contact.to_owned());
    let (state, at) = (state.clone(), whole.unwrap_or(*since).max(*since));
    contact::added(tx, &text, contact::Added { staff, contact, half: false, state, welcome_code: None, at })
}

/// WeCom's identity of a contact.
pub fn external_user(contact: &str) -> Identity {
    Identity { kind: IdentityKind::WecomExternalUserId, scope: None, value: contact.to_owned() }
}

/// What somebody did, and by which code.
struct Did<'a> {
    who: Identity,
    code: Option<&'a Code>,
    staff: Option<&'a str>,
    source: &'static str,
    at: UnixMs,
    activity: Activity,
}

/// Tells what somebody did.
fn tell(tx: &Tx<'_>, did: Did<'_>) -> Result<EventId, DbError> {
    let kind = did.activity.kind();
    let event = ActivityRecorded {
        v: Version,
        source: did.source.to_owned(),
        identities: vec![did.who],
        hints: Vec::new(),
        channel: did.code.map(|code| code.channel.clone()),
        store: did.code.map(|code| code.store.clone()),
        staff: did.staff.map(str::to_owned),
        at: did.at,
        activity: did.activity,
    };
    events::append(tx, SOURCE, kind, &Event::ActivityRecorded(event))
}
