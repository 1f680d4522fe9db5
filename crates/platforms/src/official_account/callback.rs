//! What an Official Account tells: followers who come, scan, write and go.

use domain::{Secret, UnixMs};
use serde_json::{Map, Value};

use crate::wechat::envelope;
use crate::wechat::fields::Fields;

/// A message of an Official Account's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// When it happened.
    pub at: UnixMs,
    /// The account, by its original id (`gh_…`).
    pub account: String,
    /// What it tells.
    pub notice: Notice,
}

/// What a message tells. Persons are named by their openid, which is another for each account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Somebody follows the account.
    Subscribed {
        /// Who.
        open_id: String,
        /// The scene of the code that was scanned; absent where it was no code of ours.
        scene: Option<String>,
    },
    /// A follower scanned a code.
    Scanned {
        /// Who.
        open_id: String,
        /// The scene of the code.
        scene: String,
    },
    /// Somebody follows no longer.
    Unsubscribed {
        /// Who.
        open_id: String,
    },
    /// A follower touched a button of the menu.
    MenuClicked {
        /// Who.
        open_id: String,
        /// The button's key.
        key: String,
    },
    /// A follower opened a page by the menu.
    MenuViewed {
        /// Who.
        open_id: String,
        /// The page.
        url: String,
    },
    /// A follower wrote.
    Message {
        /// Who.
        open_id: String,
        /// The kind of message: `text`, `image`, `voice`, `video`, `location`, `link`.
        form: String,
        /// What it says, where it says something in words. Personal data.
        text: Option<Secret<String>>,
        /// What another kind than `text` holds, as JSON under the platform's names: where the picture is, which place it shows. Personal data.
        content: Option<Secret<String>>,
        /// WeChat's id of the message.
        id: Option<String>,
    },
    /// A follower told where it is. Personal data.
    Located {
        /// Who.
        open_id: String,
        /// Degrees north, as the platform writes them.
        latitude: Secret<String>,
        /// Degrees east.
        longitude: Secret<String>,
    },
    /// A template message reached its follower, or did not.
    TemplateSent {
        /// Who.
        open_id: String,
        /// The id that the send was answered with.
        message_id: String,
        /// `success`, or `failed` and why.
        status: String,
    },
    /// Something else, or something that lacks what its kind must have.
    Other {
        /// The platform's word for it.
        kind: String,
    },
}

/// What messages other than `text` hold.
const HELD: [&str; 13] = [
    "Content",
    "Recognition",
    "MediaId",
    "PicUrl",
    "ThumbMediaId",
    "Format",
    "Title",
    "Description",
    "Url",
    "Location_X",
    "Location_Y",
    "Scale",
    "Label",
];

/// Before the scene, where the scanner followed by scanning.
const SCENE: &str = "qrscene_";

/// Reads a message that was opened ([`crate::wechat::Call::Message`]). None: it is not of the platform's form.
pub fn read(text: &str) -> Option<Received> {
    let message = envelope::read(text)?;
    let fields = Fields(&message);
    let (at, account) = (fields.time("CreateTime")?, fields.word("ToUserName")?);
    let form = fields.word("MsgType")?;
    let event = fields.word("Event").filter(|_| form == "event");
    let notice = match &event {
        Some(event) => notice(event, fields),
        None => written(&form, fields),
    };
    let notice = notice.unwrap_or_else(|| Notice::Other { kind: event.unwrap_or(form) });
    Some(Received { at, account, notice })
}

fn notice(event: &str, fields: Fields<'_>) -> Option<Notice> {
    let open_id = fields.word("FromUserName")?;
    let key = fields.word("EventKey");
    Some(match event {
        "subscribe" => {
            Notice::Subscribed { open_id, scene: key.and_then(|key| Some(key.strip_prefix(SCENE)?.to_owned())) }
        }
        "SCAN" => Notice::Scanned { open_id, scene: key? },
        "unsubscribe" => Notice::Unsubscribed { open_id },
        "CLICK" => Notice::MenuClicked { open_id, key: key? },
        "VIEW" => Notice::MenuViewed { open_id, url: key? },
        "LOCATION" => {
            let [latitude, longitude] = ["Latitude", "Longitude"].map(|name| fields.word(name).map(Secret::new));
            Notice::Located { open_id, latitude: latitude?, longitude: longitude? }
        }
        "TEMPLATESENDJOBFINISH" => Notice::TemplateSent {
            open_id,
            message_id: fields.first(&["MsgID", "MsgId"])?,
            status: fields.word("Status").unwrap_or_default(),
        },
        _ => return None,
    })
}

fn written(form: &str, fields: Fields<'_>) -> Option<Notice> {
    let open_id = fields.word("FromUserName").filter(|_| form != "event")?;
    let text = fields.first(&["Content", "Recognition"]).map(Secret::new);
    let held = HELD.iter().filter_map(|name| Some(((*name).to_owned(), fields.word(name)?.into())));
    let held: Map<String, Value> = held.collect();
    let content = (form != "text" && !held.is_empty()).then(|| Secret::new(Value::Object(held).to_string()));
    Some(Notice::Message { open_id, form: form.to_owned(), text, content, id: fields.word("MsgId") })
}
