//! Asking an account: a question or command that takes one or several requests within the same try.
//!
//! Some take several because the platform answers in pages, some because they need what only another answer tells (the name of the
//! person who is greeted). Pure: who sends (the courier) brings the access token and the transport, and repeats a talk from its beginning.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::marketplace::{ApiError, App, Request};

/// What is under way between an account and us.
pub trait Talk {
    /// What comes of it.
    type Answer: Serialize + DeserializeOwned;

    /// The next request, with the access token.
    fn request(&self, app: &App, access_token: &str) -> Request;

    /// Whether the next request may have an effect, and does not only look something up.
    fn acts(&self) -> bool {
        true
    }

    /// Takes the answer to the last [`Talk::request`]. None: ask on.
    ///
    /// # Errors
    /// [`ApiError`] says whether to try again, to pause, to fetch a new token first, or to give up.
    fn hear(&mut self, body: &[u8]) -> Result<Option<Self::Answer>, ApiError>;
}

/// Writes personal data in clear, for answers: they are kept sealed only. [`domain::Secret`] itself writes a placeholder.
pub(crate) mod clear {
    use domain::Secret;
    use serde::{Serialize, Serializer};

    pub fn optional<S: Serializer>(secret: &Option<Secret<String>>, serializer: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(serializer)
    }
}
