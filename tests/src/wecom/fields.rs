//! How fields of a call are read: what is too long, too many, or of the wrong type is refused.

use serde_json::Value;

use crate::wechat::{Refused, text};

pub(super) const BAD: Refused = Refused(40058, "invalid request parameter");
pub(super) const NO_MEMBER: Refused = Refused(40003, "invalid userid");
pub(super) const NO_CONTACT: Refused = Refused(84061, "not external contact");
pub(super) const NO_TAG: Refused = Refused(40068, "invalid tagid");

/// A text of at most so many characters; empty when it is absent.
pub(super) fn short(value: &Value, characters: usize) -> Result<String, Refused> {
    let is_text = value.is_null() || value.is_string();
    if !is_text || text(value).chars().count() > characters {
        return Err(BAD);
    }
    Ok(text(value).to_owned())
}

/// The `limit` of a page: `most` unless a smaller one is asked for.
pub(super) fn limit(value: &Value, most: usize) -> Result<usize, Refused> {
    match value {
        Value::Null => Ok(most),
        given => {
            let given = given.as_u64().and_then(|given| usize::try_from(given).ok());
            given.filter(|given| (1..=most).contains(given)).ok_or(BAD)
        }
    }
}

/// Text and attachments of a message to a customer: not both empty, text of at most 4000 bytes, at most nine attachments.
pub(super) fn message(body: &Value) -> Result<(), Refused> {
    let content = text(&body["text"]["content"]);
    let attachments = body["attachments"].as_array().map_or(&[][..], Vec::as_slice);
    if content.len() > 4000 || (content.is_empty() && attachments.is_empty()) {
        return Err(BAD);
    }
    if attachments.len() > 9 {
        return Err(Refused(41064, "attachments size exceed limit"));
    }
    let known = ["image", "link", "miniprogram", "video", "file"];
    let fits = |attachment: &Value| {
        let kind = text(&attachment["msgtype"]);
        known.contains(&kind) && attachment[kind].is_object()
    };
    if attachments.iter().all(fits) { Ok(()) } else { Err(Refused(41065, "invalid attachments msgtype")) }
}
