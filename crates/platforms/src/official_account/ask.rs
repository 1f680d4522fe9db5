//! What an Official Account is asked, as it lies in the outbox.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::DESTINATION;

/// A question or command. Persons are named by their openid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// A QR code that tells what was scanned.
    CreateCode {
        /// What comes back with each scan: 1 to 64 characters.
        scene: String,
        /// Whether it lasts for ever. An account has 100,000 of those.
        permanent: bool,
        /// How long a code that does not last is good: 60 to 2,592,000 seconds (30 days), which is what absent means.
        #[serde(default)]
        seconds: Option<u32>,
    },
    /// What is known of a person.
    GetPerson {
        /// Who.
        open_id: String,
    },
    /// A message by one of the account's templates.
    TemplateMessage {
        /// To whom.
        open_id: String,
        /// The template.
        template_id: String,
        /// Where it leads.
        #[serde(default)]
        url: Option<String>,
        /// The mini-program that it leads to, before `url`.
        #[serde(default)]
        mini_program: Option<MiniProgram>,
        /// The template's words, by their keys.
        data: BTreeMap<String, String>,
        /// An id of ours: for some minutes the same is not sent again.
        #[serde(default)]
        client_message_id: Option<String>,
    },
    /// A message of the customer service: only within 48 hours of what the person did last.
    ServiceMessage {
        /// To whom.
        open_id: String,
        /// What is said.
        message: Content,
    },
}

/// Where in a mini-program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MiniProgram {
    /// The mini-program, which must be linked to the account.
    pub app_id: String,
    /// The page, with its query.
    pub page: String,
}

/// A message of the customer service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Content {
    /// Words.
    Text {
        /// At most 2048 bytes.
        text: String,
    },
    /// A picture.
    Image {
        /// The platform's id of an uploaded picture.
        media_id: String,
    },
    /// A card that leads to a page.
    Link {
        /// Its title.
        title: String,
        /// A line below the title.
        #[serde(default)]
        description: Option<String>,
        /// Where it leads.
        url: String,
        /// The picture on it.
        #[serde(default)]
        picture_url: Option<String>,
    },
    /// A card that leads into a mini-program.
    MiniProgram {
        /// Its title.
        title: String,
        /// The mini-program, which must be linked to the account.
        app_id: String,
        /// The page, with its query.
        page: String,
        /// The platform's id of the uploaded picture on it.
        picture_media_id: String,
    },
}

/// The longest that a code lives that does not last, in seconds.
pub(super) const LONGEST: u32 = 2_592_000;

impl Ask {
    /// Its name: the outbox's `operation`. The platform limits each by itself.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::CreateCode { .. } => "create_code",
            Self::GetPerson { .. } => "get_person",
            Self::TemplateMessage { .. } => "template_message",
            Self::ServiceMessage { .. } => "service_message",
        }
    }

    /// The outbox's `destination`.
    pub const fn destination(&self) -> &'static str {
        DESTINATION
    }

    /// Whether the platform would take it, by the limits that it documents.
    ///
    /// # Errors
    /// What to change, in words.
    pub fn check(&self) -> Result<(), String> {
        let filled = |name: &str, text: &str| {
            if text.trim().is_empty() { Err(format!("{name} is empty: fill it")) } else { Ok(()) }
        };
        match self {
            Self::CreateCode { scene, permanent, seconds } => {
                if !(1..=64).contains(&scene.chars().count()) {
                    return Err("scene has 1 to 64 characters".to_owned());
                }
                match seconds {
                    Some(_) if *permanent => Err("a code that lasts has no seconds: leave them out".to_owned()),
                    Some(seconds) if !(60..=LONGEST).contains(seconds) => {
                        Err(format!("seconds are 60 to {LONGEST} (30 days)"))
                    }
                    _ => Ok(()),
                }
            }
            Self::GetPerson { open_id } => filled("open_id", open_id),
            Self::TemplateMessage { open_id, template_id, data, client_message_id, .. } => {
                filled("open_id", open_id)?;
                filled("template_id", template_id)?;
                if data.is_empty() {
                    return Err("data is empty: give the template its words".to_owned());
                }
                if client_message_id.as_ref().is_some_and(|id| id.chars().count() > 32) {
                    return Err("client_message_id has at most 32 characters".to_owned());
                }
                Ok(())
            }
            Self::ServiceMessage { open_id, message } => {
                filled("open_id", open_id)?;
                match message {
                    Content::Text { text } if text.len() > 2048 => Err("text has at most 2048 bytes".to_owned()),
                    Content::Text { text } => filled("text", text),
                    Content::Image { media_id } => filled("media_id", media_id),
                    Content::Link { title, url, .. } => filled("title", title).and_then(|()| filled("url", url)),
                    Content::MiniProgram { title, app_id, page, picture_media_id } => {
                        let fields = [
                            ("title", title),
                            ("app_id", app_id),
                            ("page", page),
                            ("picture_media_id", picture_media_id),
                        ];
                        fields.into_iter().try_for_each(|(name, text)| filled(name, text))
                    }
                }
            }
        }
    }
}
