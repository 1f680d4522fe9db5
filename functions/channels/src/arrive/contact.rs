//! Contacts come and go.

use super::{Did, TOLERANCE_MS, WECOM, external_user, greet, tell};
use crate::code::CodeKind;
use crate::store::{code, contact, turn, welcome};
use crate::{pull, push};
use domain::{Activity, RelationSide, UnixMs, day};
use kit::{DbError, Tx};
use platforms::wecom;

/// Somebody added a member of staff.
pub struct Added<'a> {
    /// The member of staff.
    pub staff: String,
    /// The contact.
    pub contact: String,
    /// Whether the member of staff has yet to confirm.
    pub half: bool,
    /// What came back from the code.
    pub state: Option<String>,
    /// Good for one welcome.
    pub welcome_code: Option<&'a str>,
    /// When.
    pub at: UnixMs,
}

/// Somebody added a member of staff: the code is credited, a welcome goes out, WeCom is asked who it is.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn added(tx: &Tx<'_>, text: &str, added: Added<'_>) -> Result<(), DbError> {
    let Added { staff, contact, half, at, .. } = &added;
    let found = added.state.as_deref().map_or(Ok(None), |state| code::by_state(tx, state))?;
    let returning = contact::is_known(tx, staff, contact)?;
    // A callback that comes late may tell what a pull has brought already; the whole of a half is news, and so is another code.
    let is_known = contact::knows(tx, staff, contact, *at, TOLERANCE_MS)?;
    let half_since = contact::half_since(tx, staff, contact)?.filter(|_| !*half);
    contact::added(tx, staff, contact, *at, *half, found.as_ref().map(|code| code.id))?;
    let first = match &found {
        Some(code) => contact::count(tx, code, staff, contact, day::of(*at), *at)?,
        None => false,
    };
    let is_news = !is_known || half_since.is_some() || first;
    if is_news {
        let activity = Activity::ContactAdded { code: found.as_ref().map(|code| code.id.to_string()), half: *half };
        let did = Did {
            who: external_user(contact),
            code: found.as_ref(),
            staff: Some(staff),
            source: WECOM,
            at: *at,
            activity,
        };
        tell(tx, did)?;
    }
    // A welcome code that still lives is news by itself; the whole of a half that was greeted brings none, and no second greeting.
    let is_greeted = match half_since.filter(|_| added.welcome_code.is_none()) {
        Some(since) => {
            // The platform's clock may be ahead.
            let since = since.try_add_millis(-TOLERANCE_MS).unwrap_or(since);
            welcome::is_begun(tx, found.as_ref().map(|code| code.id), staff, contact, since)?
        }
        None => false,
    };
    if (is_news && !is_greeted) || greet::is_alive(&added, tx.cx().now) {
        greet::contact(tx, text, &added, found.as_ref(), returning)?;
    }
    pull::remind(tx, staff, tx.cx().now)?;
    ask_about(tx, contact)?;
    let Some(code) = found else { return Ok(()) };
    if code.plan.remark.is_some() || code.plan.description.is_some() {
        let (remark, description) = (code.plan.remark.clone(), code.plan.description.clone());
        let ask = wecom::Ask::SetRemark { staff: staff.clone(), contact: contact.clone(), remark, description };
        push::ask_wecom(tx, &ask, &format!("{staff}/{contact}"))?;
    }
    if first && code.kind == CodeKind::Assigned {
        turn::fulfil(tx, code.id, staff)?;
    }
    // One more under the daily cap: who has reached it receives nobody more today.
    if first { push::refresh_all(tx, &code) } else { Ok(()) }
}

/// The relation ended.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn removed(tx: &Tx<'_>, staff: &str, contact: &str, by: RelationSide, at: UnixMs) -> Result<(), DbError> {
    if !contact::removed(tx, staff, contact, at, by)? {
        return Ok(());
    }
    let activity = Activity::ContactRemoved { by };
    let did = Did { who: external_user(contact), code: None, staff: Some(staff), source: WECOM, at, activity };
    tell(tx, did).map(drop)
}

/// Asks WeCom for all that it knows of a contact.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn ask_about(tx: &Tx<'_>, contact: &str) -> Result<(), DbError> {
    push::ask_wecom(tx, &wecom::Ask::GetContact { contact: contact.to_owned() }, contact).map(drop)
}
