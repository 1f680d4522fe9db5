//! What is wrong with a document that the merchant wrote, and where.

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub struct Mistake {
    /// The place, such as `staff[1].members[0].weight`.
    pub path: String,
    /// What to change.
    pub what: String,
}

impl Mistake {
    /// The same in a document that has this one at `path`.
    #[must_use]
    pub fn inside(self, path: &str) -> Self {
        Self { path: format!("{path}.{}", self.path), ..self }
    }
}

/// The answer of a check: what is wrong at `path`.
pub fn mistake<T>(path: impl Into<String>, what: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake { path: path.into(), what: what.into() })
}

/// Refuses what does not hold.
pub fn ensure(holds: bool, path: &str, what: &str) -> Result<(), Mistake> {
    if holds { Ok(()) } else { mistake(path, what) }
}
