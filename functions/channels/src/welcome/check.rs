//! Whether a welcome can be sent as it is written: the limits of WeCom's `send_welcome_msg` (document 92137), and of an Official Account's messages of the
//! customer service (`message/custom/send`).

use super::text::{LONGEST_VALUE, Part, VARIABLES, parts};
use super::{Attachment, Message, Welcome, When};
use crate::link::check_web_address;
use crate::mistake::{Mistake, ensure, mistake};

const MOST_VARIANTS: usize = 50;
const MOST_ATTACHMENTS: usize = 9;
const LONGEST_TEXT: usize = 4000;
/// Of accounts: whoever has just followed or scanned is sent three messages at the most, one of them the text.
const MOST_ATTACHMENTS_BY_ACCOUNT: usize = 2;
const LONGEST_TEXT_BY_ACCOUNT: usize = 2048;
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
            variant.message.check(&format!("{path}.message"), by_account)?;
            let hides = variant.when == When::default() && (number + 1 < self.variants.len() || self.default.is_some());
            ensure(
                !hides,
                &format!("{path}.when"),
                "it holds always, so nothing after it is ever said: let it be the default",
            )?;
        }
        self.default.iter().try_for_each(|message| message.check("default", by_account))
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
    /// What an Official Account cannot send. Nobody at WeCom sends its messages, and it does not know its followers' names; a picture it sends only by an id
    /// that the platform gave it.
    fn check_for_account(&self, path: &str) -> Result<(), Mistake> {
        let text = format!("{path}.text");
        let parts = parts(&self.text);
        let is_nobody = parts.contains(&Part::Variable("staff"));
        ensure(!is_nobody, &text, "an Official Account's message is of no member of staff: leave {staff} out")?;
        let says = |part: &Part<'_>| match part {
            Part::Text(text) => !text.trim().is_empty(),
            Part::Variable(name) => *name != "customer",
        };
        let says = parts.iter().any(says);
        ensure(says, &text, "an Official Account needs a text besides {customer}, which is empty there: write one")?;
        let attachments = format!("{path}.attachments");
        let is_sent = self.attachments.len() <= MOST_ATTACHMENTS_BY_ACCOUNT;
        ensure(is_sent, &attachments, "an Official Account sends at most 2 beside the text")?;
        match self.attachments.iter().position(|one| matches!(one, Attachment::Image { .. })) {
            Some(number) => mistake(
                format!("{attachments}[{number}]"),
                "an Official Account sends no picture by its address: use a link with a picture",
            ),
            None => Ok(()),
        }
    }

    /// Whether it can be sent as it is written, by an Official Account where `by_account`. `path` is its place.
    ///
    /// # Errors
    /// [`Mistake`] with the place and what to change.
    pub fn check(&self, path: &str, by_account: bool) -> Result<(), Mistake> {
        let says = !self.text.trim().is_empty() || !self.attachments.is_empty();
        ensure(says, path, "it says nothing: write a text or an attachment")?;
        if by_account {
            self.check_for_account(path)?;
        }
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
        let (longest, by) =
            if by_account { (LONGEST_TEXT_BY_ACCOUNT, "an Official Account's") } else { (LONGEST_TEXT, "WeCom's") };
        if length > longest {
            let what = format!("it is longer than {by} {longest} bytes, each variable counted as 100: shorten it");
            return mistake(format!("{path}.text"), what);
        }
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
