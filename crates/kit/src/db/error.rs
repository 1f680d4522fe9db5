//! What can go wrong between a function and its database.

/// An error of the database. Handlers turn it into a [`crate::Problem`]: 503 for what may pass, 500 otherwise.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// Another process holds the write lock, longer than the retries last. Nothing was written.
    #[error("the database is busy")]
    Busy,
    /// The write is not done in the time that its caller has. It may be done yet.
    #[error("the write is not done in time")]
    Late,
    /// The database cannot be reached or written (missing grant, disk full, I/O). Nothing was written.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A constraint refused the change; the message names it.
    #[error("a constraint failed: {0}")]
    Constraint(String),
    /// A statement is wrong or failed.
    #[error("a statement failed: {0}")]
    Statement(String),
    /// A row does not have the shape that the code expects.
    #[error("unexpected row: {0}")]
    Shape(String),
}

impl DbError {
    /// Sorts SQLite's own message, the only thing that `spin:sqlite` hands on.
    pub(crate) fn from_message(message: String) -> Self {
        let lower = message.to_ascii_lowercase();
        if lower.contains("database is locked")
            || lower.contains("database is busy")
            || lower.contains("table is locked")
        {
            Self::Busy
        } else if lower.contains("constraint failed") {
            Self::Constraint(message)
        } else if [
            "disk",
            "i/o error",
            "full",
            "readonly",
            "read-only",
            "unable to open",
            "malformed",
            "interrupted",
            "internal runtime error",
        ]
        .iter()
        .any(|sign| lower.contains(sign))
        {
            Self::Unavailable(message)
        } else {
            Self::Statement(message)
        }
    }

    /// Whether the same call may succeed later without any change.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Late | Self::Unavailable(_))
    }
}
