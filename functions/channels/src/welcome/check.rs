//! Whether a welcome can be sent as it is written: the limits of WeCom's `send_welcome_msg` (document 92137).

use super::text::{LONGEST_VALUE, Part, VARIABLES, parts};
use super::{Attachment, Message, Welcome, When};
use crate::link::check_web_address;
use crate::mistake::{Mistake, ensure, mistake};

const MOST_VARIANTS: usize = 50;
const MOST_ATTACHMENTS: usize = 9;
const LONGEST_TEXT: usize = 4000;
const LONGEST_TITLE: usize = 128;
const LONGEST_MINI_PROGRAM_TITLE: usize = 64;
const LONGEST_DESCRIPTION: usize = 512;
const LONGEST_PAGE: usize = 2048;

impl Welcome {
    /// Whether it can be sent as it is written, by an Official Account where `by_account`.
    ///
    /// # Errors
    /// [`Mistake`] with the place and what to change.
    pub fn check(&self, by_account: bool) -> Result<(), Mistake> {
        ensure(self.variants.len() <= MOST_VARIANTS, "variants", "there are more than 50: join some")?;
        for (number, variant) in self.variants.iter().enumerate() {
            let path = format!("variants[{number}]");
            check_when(&format!("{path}.when"), &variant.when)?;
            variant.message.check(&format!("{path}.message"))?;
            variant.message.check_pictures(&format!("{path}.message"), by_account)?;
            let hides = variant.when == When::default() && (number + 1 < self.variants.len() || self.default.is_some());
            ensure(
                !hides,
                &format!("{path}.when"),
                "it holds always, so nothing after it is ever said: let it be the default",
            )?;
        }
        self.default.iter().try_for_each(|message| {
            message.check("default")?;
            message.check_pictures("default", by_account)
        })
    }
}

fn check_when(path: &str, when: &When) -> Result<(), Mistake> {
    for (number, period) in when.hours.iter().enumerate() {
        if let Some(fault) = period.span().fault() {
            return mistake(format!("{path}.hours[{number}]"), fault);
        }
    }
    Ok(())
}

impl Message {
    /// An account sends no picture by its address, only by an id that the platform gave it (`message/custom/send`).
    fn check_pictures(&self, path: &str, by_account: bool) -> Result<(), Mistake> {
        let picture = self.attachments.iter().position(|one| matches!(one, Attachment::Image { .. }));
        match picture.filter(|_| by_account) {
            Some(number) => mistake(
                format!("{path}.attachments[{number}]"),
                "an Official Account sends no picture by its address: use a link with a picture",
            ),
            None => Ok(()),
        }
    }

    /// Whether it can be sent as it is written. `path` is its place.
    ///
    /// # Errors
    /// [`Mistake`] with the place and what to change.
    pub fn check(&self, path: &str) -> Result<(), Mistake> {
        let says = !self.text.trim().is_empty() || !self.attachments.is_empty();
        ensure(says, path, "it says nothing: write a text or an attachment")?;
        let attachments = format!("{path}.attachments");
        ensure(self.attachments.len() <= MOST_ATTACHMENTS, &attachments, "there are more than 9")?;
        let mut length = 0_usize;
        for part in parts(&self.text) {
            length += match part {
                Part::Text(text) => text.len(),
                Part::Variable(name) if VARIABLES.contains(&name) => LONGEST_VALUE,
                Part::Variable(name) => {
                    let what = format!("there is no variable {{{name}}}: write one of {}", VARIABLES.join(", "));
                    return mistake(format!("{path}.text"), what);
                }
            };
        }
        let fits = length <= LONGEST_TEXT;
        ensure(
            fits,
            &format!("{path}.text"),
            "it is longer than 4000 bytes, each variable counted as 100: shorten it",
        )?;
        self.attachments
            .iter()
            .enumerate()
            .try_for_each(|(number, one)| check_attachment(&format!("{attachments}[{number}]"), one))
    }
}

fn check_attachment(path: &str, attachment: &Attachment) -> Result<(), Mistake> {
    let text = |field: &str, text: &str, longest: usize| {
        let fits = !text.trim().is_empty() && text.len() <= longest;
        if fits { Ok(()) } else { mistake(format!("{path}.{field}"), format!("write 1 to {longest} bytes")) }
    };
    let url = |field: &str, url: &str| match check_web_address(url) {
        Ok(()) => Ok(()),
        Err(what) => mistake(format!("{path}.{field}"), what),
    };
    match attachment {
        Attachment::Image { url: picture } => url("url", picture),
        Attachment::Link { title, description, picture, url: leads_to } => {
            text("title", title, LONGEST_TITLE)?;
            description.iter().try_for_each(|line| text("description", line, LONGEST_DESCRIPTION))?;
            picture.iter().try_for_each(|picture| url("picture", picture))?;
            url("url", leads_to)
        }
        Attachment::MiniProgram { title, app_id, page, picture_media_id } => {
            text("title", title, LONGEST_MINI_PROGRAM_TITLE)?;
            let is_id = app_id.len() == 18
                && app_id.starts_with("wx")
                && app_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            ensure(is_id, &format!("{path}.app_id"), "write the AppID: wx and 16 letters or digits")?;
            text("page", page, LONGEST_PAGE)?;
            text("picture_media_id", picture_media_id, 256)
        }
        Attachment::CouponLink { title, url: claimed_at } => {
            text("title", title, LONGEST_TITLE)?;
            url("url", claimed_at)
        }
    }
}
