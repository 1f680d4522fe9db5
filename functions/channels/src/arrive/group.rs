//! Group chats of customers.

use crate::store::{code, group};
use crate::{chats, push};
use domain::{LeaveReason, UnixMs};
use kit::{DbError, Tx};
use platforms::wecom;

/// Asks WeCom who is in a chat. Callbacks may be lost and come in any order, so the whole list is what counts; calls about the same chat that wait
/// are one.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn ask_about(tx: &Tx<'_>, group: &str) -> Result<(), DbError> {
    push::ask_wecom(tx, &wecom::Ask::GetGroup { group: group.to_owned() }, group).map(drop)
}

/// A chat changed: why members left is said here only.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn changed(tx: &Tx<'_>, group: &str, left: &[String], quit_scene: Option<i64>) -> Result<(), DbError> {
    let reason = match quit_scene {
        Some(0) => Some(LeaveReason::Left),
        Some(1) => Some(LeaveReason::Removed),
        _ => None,
    };
    if let Some(reason) = reason {
        group::leaving(tx, group, left, reason)?;
    }
    ask_about(tx, group)
}

/// A chat was dismissed: nobody is in it any more, and ways that led into it lead into the next.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn dismissed(tx: &Tx<'_>, id: &str, at: UnixMs) -> Result<(), DbError> {
    group::dismissed(tx, id, at)?;
    chats::dismissed(tx, id, at)?;
    code::of_group(tx, id)?.iter().try_for_each(|code| push::refresh(tx, code))
}
