//! What is said to contacts: a text, and up to nine things attached to it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Stands in texts for the contact's name, which is fetched when the call goes out.
pub const CUSTOMER: &str = "{customer}";

/// The longest text, in bytes.
pub(super) const TEXT_BYTES: usize = 4000;

/// A message to contacts. Text and attachments must not both be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The text: at most 4000 bytes. `{customer}` stands for the contact's name.
    #[serde(default)]
    pub text: Option<String>,
    /// At most nine.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
}

/// What is attached to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Attachment {
    /// A picture: one of the two.
    Image {
        /// The platform's id of an uploaded picture; good for three days.
        #[serde(default)]
        media_id: Option<String>,
        /// The address of a picture that was uploaded to the platform.
        #[serde(default)]
        pic_url: Option<String>,
    },
    /// A card that leads to a page.
    Link {
        /// At most 128 bytes.
        title: String,
        /// Where it leads: at most 2048 bytes.
        url: String,
        /// The picture on it.
        #[serde(default)]
        picture_url: Option<String>,
        /// At most 512 bytes.
        #[serde(default)]
        description: Option<String>,
    },
    /// A card that leads into a mini-program.
    MiniProgram {
        /// At most 64 bytes.
        title: String,
        /// The mini-program, which must be linked to the company.
        app_id: String,
        /// The page, with its query.
        page: String,
        /// The platform's id of the uploaded picture on it.
        picture_media_id: String,
    },
}

impl Message {
    /// Whether the name of the contact is said.
    pub fn names_customer(&self) -> bool {
        self.text.as_ref().is_some_and(|text| text.contains(CUSTOMER))
    }

    /// Text and attachments as the platform's bodies have them, with the contact's name where it belongs.
    pub(super) fn body(&self, name: &str) -> Value {
        let mut body = json!({});
        if let Some(text) = self.text.as_ref().filter(|text| !text.is_empty()) {
            body["text"] = json!({ "content": cut(&text.replace(CUSTOMER, name), TEXT_BYTES) });
        }
        if !self.attachments.is_empty() {
            body["attachments"] = self.attachments.iter().map(Attachment::body).collect();
        }
        body
    }
}

impl Attachment {
    fn body(&self) -> Value {
        match self {
            Self::Image { media_id, pic_url } => {
                json!({ "msgtype": "image", "image": given([("media_id", media_id), ("pic_url", pic_url)]) })
            }
            Self::Link { title, url, picture_url, description } => {
                let mut link = given([("picurl", picture_url), ("desc", description)]);
                link["title"] = json!(title);
                link["url"] = json!(url);
                json!({ "msgtype": "link", "link": link })
            }
            Self::MiniProgram { title, app_id, page, picture_media_id } => json!({
                "msgtype": "miniprogram",
                "miniprogram": { "title": title, "appid": app_id, "page": page, "pic_media_id": picture_media_id },
            }),
        }
    }
}

/// An object of those fields that have a text.
pub(super) fn given<const N: usize>(fields: [(&str, &Option<String>); N]) -> Value {
    let fields = fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?))));
    Value::Object(fields.collect())
}

/// A text of at most so many bytes, cut between characters: a name may have made it longer than what was checked.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    let end =
        text.char_indices().map(|(start, character)| start + character.len_utf8()).take_while(|end| *end <= bytes);
    text.get(..end.last().unwrap_or(0)).unwrap_or_default()
}

/// The same by characters.
pub(super) fn cut_characters(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{cut, cut_characters};

    #[test]
    fn remarks_are_cut_by_characters() {
        for (text, most, left) in [("测试顾客甲", 2, "测试"), ("测试", 2, "测试"), ("ab", 5, "ab"), ("a", 0, "")]
        {
            assert_eq!(cut_characters(text, most), left, "{text} {most}");
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        for (text, bytes, left) in
            [("欢迎", 6, "欢迎"), ("欢迎", 5, "欢"), ("欢迎", 2, ""), ("ab", 9, "ab"), ("", 0, "")]
        {
            assert_eq!(cut(text, bytes), left, "{text} {bytes}");
        }
    }
}
