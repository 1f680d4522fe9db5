//! Touches: what of an activity says that somebody came by a channel, stayed, wrote or left.

use domain::{Activity, ActivityRecorded, Identity, UnixMs};
use serde::{Deserialize, Serialize};

/// By what somebody came. An order is shared out among these, so that it can be looked at by each of their parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Way {
    /// The channel, as the merchant names it.
    pub channel: String,
    /// The channel code.
    pub code: Option<String>,
    /// The store, as a path.
    pub store: Option<String>,
    /// The member of staff, by the merchant's number.
    pub staff: Option<String>,
}

/// What an activity says about channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The identity that it is booked on: the smallest of those that prove who it is, as customers do.
    pub who: Identity,
    /// When, UTC.
    pub at: UnixMs,
    /// The way by which somebody came, where the activity names a channel.
    pub way: Option<Way>,
    /// Whether somebody became a contact, a follower or a member of a group.
    pub joins: bool,
    /// Whether a code was scanned.
    pub scans: bool,
    /// Whether somebody wrote.
    pub writes: bool,
    /// How the bond with a member of staff (or, without one, an account) changed.
    pub bond: Option<Bond>,
}

/// How a bond changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bond {
    /// The member of staff; absent where it is an account.
    pub staff: Option<String>,
    /// Whether it began; else it ended.
    pub began: bool,
}

/// What an activity says about channels; nothing where it proves nobody.
pub fn told(event: &ActivityRecorded) -> Option<Told> {
    let who = event.identities.iter().filter(|who| who.kind.proves()).min()?.clone();
    let code = match &event.activity {
        Activity::ContactAdded { code, .. } | Activity::GroupJoined { code, .. } => code.clone(),
        Activity::CodeScanned { code } => Some(code.clone()),
        _ => None,
    };
    let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let way = named(&event.channel).map(|channel| Way {
        channel,
        code: named(&code),
        store: named(&event.store),
        staff: named(&event.staff),
    });
    let bond = |began, staff| Some(Bond { staff, began });
    let bond = match &event.activity {
        Activity::ContactAdded { .. } => bond(true, named(&event.staff)),
        Activity::ContactRemoved { .. } => bond(false, named(&event.staff)),
        Activity::AccountFollowed { .. } => bond(true, None),
        Activity::AccountUnfollowed { .. } => bond(false, None),
        _ => None,
    };
    // Who leaves does not come.
    let leaves = matches!(event.activity, Activity::GroupLeft { .. }) || bond.as_ref().is_some_and(|bond| !bond.began);
    Some(Told {
        who,
        at: event.at,
        way: way.filter(|_| !leaves),
        joins: matches!(
            event.activity,
            Activity::ContactAdded { .. } | Activity::AccountFollowed { .. } | Activity::GroupJoined { .. }
        ),
        scans: matches!(event.activity, Activity::CodeScanned { .. }),
        writes: matches!(event.activity, Activity::MessageSent { .. }),
        bond,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{IdentityKind, RelationSide, Version};

    fn event(activity: Activity) -> ActivityRecorded {
        let who = |kind, value: &str| Identity { kind, scope: None, value: value.to_owned() };
        ActivityRecorded {
            v: Version,
            source: "wecom".to_owned(),
            identities: vec![who(IdentityKind::WechatUnionId, "u"), who(IdentityKind::NameHash, "n")],
            hints: Vec::new(),
            channel: Some("metro".to_owned()),
            store: Some("/east".to_owned()),
            staff: Some(String::new()),
            at: UnixMs::from_millis(1_771_032_600_000).unwrap(),
            activity,
        }
    }

    #[test]
    fn what_names_a_channel_is_a_touch_and_leaving_is_none() {
        let added = told(&event(Activity::ContactAdded { code: Some("c".to_owned()), half: false })).unwrap();
        assert_eq!(added.who.kind, IdentityKind::WechatUnionId, "a name proves nobody");
        let way = added.way.unwrap();
        assert_eq!((way.code.as_deref(), way.staff, added.joins), (Some("c"), None, true));
        let gone = told(&event(Activity::ContactRemoved { by: RelationSide::Customer })).unwrap();
        assert_eq!((gone.way, gone.bond.map(|bond| bond.began)), (None, Some(false)));
        let seen = told(&event(Activity::LinkOpened { link: "l".to_owned() })).unwrap();
        assert!(seen.way.is_some() && !seen.joins && !seen.scans && seen.bond.is_none());
        let mut nobody = event(Activity::LinkOpened { link: "l".to_owned() });
        nobody.identities.remove(0);
        assert_eq!(told(&nobody), None);
    }
}
