//! The cookie by which a browser is recognised. It says nothing but that it is the same browser.

use http::{HeaderMap, HeaderValue, header};
use kit::{Problem, random};

/// Its name.
const COOKIE: &str = "siyu_visitor";

/// A browser.
pub struct Visitor {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Whether it has not been here before, or did not say so.
    is_new: bool,
}

impl Visitor {
    /// The browser that a request comes from.
    pub fn of(headers: &HeaderMap) -> Self {
        match known(headers) {
            Some(id) => Self { id: id.to_owned(), is_new: false },
            None => Self { id: hex::encode(random::<16>()), is_new: true },
        }
    }

    /// Hands a new browser its cookie with the answer.
    ///
    /// # Errors
    /// None in practice: the cookie is of hexadecimal digits.
    pub fn hand_out(&self, answer: &mut HeaderMap) -> Result<(), Problem> {
        if self.is_new {
            let cookie = format!("{COOKIE}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax", self.id);
            let cookie = HeaderValue::try_from(cookie).map_err(|error| Problem::internal(&error))?;
            answer.insert(header::SET_COOKIE, cookie);
        }
        Ok(())
    }
}

fn known(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?.split(';');
    let value = cookies.filter_map(|cookie| cookie.trim().split_once('=')).find(|(name, _)| *name == COOKIE)?.1;
    (value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(value)
}
