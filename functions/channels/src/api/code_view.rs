//! A channel code as the API shows it.

use crate::code::{CodeKind, Plan};
use crate::store::code::Code;
use domain::{ChannelCodeId, UnixMs};
use serde::Serialize;
use utoipa::ToSchema;

/// A channel code.
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeView {
    /// Its id.
    id: ChannelCodeId,
    /// The channel that it belongs to.
    channel: String,
    /// What it is.
    kind: CodeKind,
    /// Its name.
    name: String,
    /// The store that it hangs in.
    store: String,
    /// What happens to who comes by it.
    plan: Plan,
    /// How often it was changed, from 1.
    version: i64,
    /// What comes back with who came by it.
    state: String,
    /// What its picture says (`GET …/qr.svg`): the platform's address, or that of a page here (`/q/…`); absent until the platform has made its part.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// Of WeCom's ways: the address of WeCom's own picture, which opens without a page between.
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    /// How far the platform is: `ready`, `pending`, `trouble`; `expired` where a temporary one works no longer, `retired` where it was taken back.
    status: &'static str,
    /// Why the platform does not have it as it is wanted, and what to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// What the plan leaves open, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// Until when a temporary one works.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<UnixMs>,
    /// When it was made.
    created_at: UnixMs,
    /// When it was changed last.
    changed_at: UnixMs,
    /// When it was retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    retired_at: Option<UnixMs>,
}

impl CodeView {
    /// A code as it is shown at `now`. `public_url` is where the outside world reaches this application.
    pub fn new(code: Code, public_url: Option<&str>, now: UnixMs) -> Self {
        let target = target(&code, public_url);
        let status = match (&code.trouble, &target) {
            _ if code.retired_at.is_some() => "retired",
            _ if code.is_expired(now) => "expired",
            (Some(_), _) => "trouble",
            (None, None) => "pending",
            (None, Some(_)) => "ready",
        };
        Self {
            warnings: code.plan.check(code.kind).unwrap_or_default(),
            picture: code.url.clone().filter(|_| matches!(code.kind, CodeKind::ContactWay | CodeKind::GroupWay)),
            target,
            status,
            id: code.id,
            channel: code.channel,
            kind: code.kind,
            name: code.name,
            store: code.store,
            plan: code.plan,
            version: code.version,
            state: code.state,
            trouble: code.trouble,
            expires_at: code.expires_at,
            created_at: code.created_at,
            changed_at: code.changed_at,
            retired_at: code.retired_at,
        }
    }
}

/// What the picture of a code says. Accounts tell their address; of WeCom's ways only a picture is known, so a page shows that.
pub fn target(code: &Code, public_url: Option<&str>) -> Option<String> {
    match code.kind {
        CodeKind::Account | CodeKind::AccountTemporary => code.url.clone(),
        CodeKind::ContactWay | CodeKind::GroupWay if code.url.is_none() => None,
        CodeKind::ContactWay | CodeKind::GroupWay | CodeKind::Assigned | CodeKind::Store | CodeKind::Link => {
            public_url.map(|base| format!("{base}/q/{}", code.state))
        }
    }
}
