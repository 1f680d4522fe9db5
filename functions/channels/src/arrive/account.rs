//! What the Official Account's callbacks tell: followers who come and go, scans, menus, messages.

use super::{Did, OFFICIAL_ACCOUNT, greet, tell};
use crate::SOURCE;
use crate::push::ask_account;
use crate::store::code::{self, Code};
use crate::store::{known, message, person};
use domain::{Activity, Event, Identity, IdentityKind, TemplateMessageEnded, Version};
use kit::{DbError, Tx, Vault, events, inbox};
use platforms::official_account::callback::{Notice, Received};
use platforms::official_account::{self, Ask};

/// Takes what the platform tells. `app_id` is the account's, `text` the callback as it was deciphered.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn take(tx: &Tx<'_>, vault: &Vault, app_id: &str, text: &str, received: Received) -> Result<(), DbError> {
    let at = received.at;
    let account = app_id.to_owned();
    let who =
        |open_id: String| Identity { kind: IdentityKind::WechatOpenId, scope: Some(app_id.to_owned()), value: open_id };
    let did = |who: Identity, activity: Activity| Did {
        who,
        code: None,
        staff: None,
        source: OFFICIAL_ACCOUNT,
        at,
        activity,
    };
    match received.notice {
        Notice::Subscribed { open_id, scene } => {
            let who = who(open_id);
            let code = by_scene(tx, scene)?;
            tell(tx, Did { code: code.as_ref(), ..did(who.clone(), Activity::AccountFollowed { account }) })?;
            if let Some(code) = &code {
                scanned(tx, &did, &who, code)?;
            }
            greet::follower(tx, text, &who, code.as_ref(), at)?;
            ask_about(tx, &who)
        }
        Notice::Scanned { open_id, scene } => {
            let who = who(open_id);
            meet(tx, &who)?;
            let Some(code) = by_scene(tx, Some(scene))? else { return Ok(()) };
            scanned(tx, &did, &who, &code)?;
            if code.plan.welcome.is_none() {
                return Ok(());
            }
            greet::follower(tx, text, &who, Some(&code), at)
        }
        Notice::Unsubscribed { open_id } => {
            tell(tx, did(who(open_id), Activity::AccountUnfollowed { account })).map(drop)
        }
        Notice::MenuClicked { open_id, key } => {
            let who = who(open_id);
            meet(tx, &who)?;
            tell(tx, did(who, Activity::MenuUsed { account, menu: key })).map(drop)
        }
        Notice::MenuViewed { open_id, url } => {
            let who = who(open_id);
            meet(tx, &who)?;
            tell(tx, did(who, Activity::MenuUsed { account, menu: url })).map(drop)
        }
        Notice::Message { open_id, form, text: said, content, .. } => {
            let who = who(open_id);
            meet(tx, &who)?;
            let said = said.as_ref().map(|text| text.expose().as_str());
            let heard = |word: &String| said.is_some_and(|text| text.contains(word.as_str()));
            let keywords: Vec<String> = known::keywords(tx)?.into_iter().filter(heard).collect();
            let activity = Activity::MessageSent { account, form: form.clone(), keywords };
            let event = tell(tx, did(who.clone(), activity))?;
            let seal = |text: &str| vault.seal(official_account::TEXT, text.as_bytes());
            // Whatever else it holds stands beside the words.
            let kept = content.as_ref().map(|content| content.expose().as_str()).or(said);
            let sealed = kept.map(seal).transpose().map_err(|error| DbError::Shape(error.to_string()))?;
            message::keep(tx, event, &who, &form, sealed, at)
        }
        // Where somebody is belongs to nobody's figures, and is not kept.
        Notice::Located { .. } => Ok(()),
        Notice::TemplateSent { open_id, message_id, status } => {
            let delivered = status == "success";
            let event = TemplateMessageEnded { v: Version, identity: who(open_id), message_id, delivered, status, at };
            let subject = event.message_id.clone();
            events::append(tx, SOURCE, &subject, &Event::TemplateMessageEnded(event)).map(drop)
        }
        Notice::Other { kind } => {
            let reason = format!("the kind {kind} is not known");
            inbox::quarantine(tx, vault, OFFICIAL_ACCOUNT, text.as_bytes(), &reason)
        }
    }
}

/// Asks who a follower is whom nobody has heard of: one who followed before this application was there, or whose subscription was lost.
fn meet(tx: &Tx<'_>, who: &Identity) -> Result<(), DbError> {
    match person::customer_of(tx, who)? {
        Some(_) => Ok(()),
        None => ask_about(tx, who),
    }
}

fn ask_about(tx: &Tx<'_>, who: &Identity) -> Result<(), DbError> {
    ask_account(tx, &Ask::GetPerson { open_id: who.value.clone() }, &who.value).map(drop)
}

fn by_scene(tx: &Tx<'_>, scene: Option<String>) -> Result<Option<Code>, DbError> {
    scene.map_or(Ok(None), |scene| code::by_state(tx, &scene))
}

fn scanned(
    tx: &Tx<'_>,
    did: &dyn Fn(Identity, Activity) -> Did<'static>,
    who: &Identity,
    code: &Code,
) -> Result<(), DbError> {
    let activity = Activity::CodeScanned { code: code.id.to_string() };
    tell(tx, Did { code: Some(code), ..did(who.clone(), activity) }).map(drop)
}
