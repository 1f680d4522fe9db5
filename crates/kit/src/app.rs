//! The application as a function sees it: its stores, its clock, its configuration, its way out.

use crate::clock::{Clock, ClockKind};
use crate::counter::Counters;
use crate::db::{Backend, Db};
use crate::nudge::Nudge;
use crate::{Client, ConfigError, Kv, Variables};
use std::sync::Arc;

/// The variables that kit itself reads; a function names only its own.
#[cfg(target_family = "wasm")]
pub(crate) const VARIABLES: [&str; 2] = [crate::auth::API_TOKEN, "clock"];

/// The application as a function sees it. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    db: Db,
    kv: Kv,
    clock: Clock,
    client: Client,
    variables: Variables,
    counters: Counters,
    nudge: Nudge,
}

/// How many writes share a commit at the most. Bounds how long the write lock is held.
const MOST_PER_COMMIT: usize = 256;

impl App {
    /// Reads the configuration and takes the host's stores.
    ///
    /// # Errors
    /// [`ConfigError`] when `clock` is neither `system` nor `virtual`.
    #[cfg(target_family = "wasm")]
    pub(crate) async fn from_host(mut names: Vec<String>) -> Result<Self, ConfigError> {
        names.extend(VARIABLES.map(str::to_owned));
        let variables = Variables::load(&names).await;
        Self::new(Backend::new(), variables, Client, MOST_PER_COMMIT)
    }

    /// An application outside Wasm, for tests and comparisons, over the same SQL.
    ///
    /// # Errors
    /// When the database cannot be opened or the variables are wrong.
    #[cfg(not(target_family = "wasm"))]
    pub fn native(options: &Native) -> Result<Self, NativeError> {
        let backend = Backend::new(&options.location)?;
        Ok(Self::new(backend, options.variables.clone(), options.client.clone(), options.most_per_commit)?)
    }

    fn new(
        backend: Backend,
        variables: Variables,
        client: Client,
        most_per_commit: usize,
    ) -> Result<Self, ConfigError> {
        let kind = match variables.optional("clock") {
            None | Some("system") => ClockKind::System,
            Some("virtual") => ClockKind::Virtual,
            Some(_) => return Err(ConfigError::wrong("clock", "system or virtual")),
        };
        let db = Db::new(backend, most_per_commit);
        let nudge = Nudge::new(client.clone());
        let told = nudge.clone();
        db.on_commit(move || told.ask());
        let kv = Kv::default();
        let clock = Clock::new(kind, kv.clone());
        Ok(Self(Arc::new(Inner { db, kv, clock, client, variables, counters: Counters::default(), nudge })))
    }

    /// Tells the pump that something is due; returns at once. For what comes due within a second: the tick does the rest.
    pub fn nudge(&self) {
        self.0.nudge.ask();
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// Key-value.
    #[must_use]
    pub fn kv(&self) -> &Kv {
        &self.0.kv
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The way out.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// The configuration.
    #[must_use]
    pub fn variables(&self) -> &Variables {
        &self.0.variables
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }
}

/// What an application outside Wasm is made of.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone)]
pub struct Native {
    /// Where the database lies.
    pub location: crate::db::Location,
    /// The configuration.
    pub variables: Variables,
    /// The way out, which several functions of one test share.
    pub client: Client,
    /// How many writes share a commit; 1 makes each commit alone.
    pub most_per_commit: usize,
}

#[cfg(not(target_family = "wasm"))]
impl Native {
    /// In memory, with these variables.
    #[must_use]
    pub fn in_memory<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self {
            location: crate::db::Location::Memory,
            variables: Variables::from_pairs(variables),
            client: Client::default(),
            most_per_commit: MOST_PER_COMMIT,
        }
    }
}

/// Why an application outside Wasm could not be made.
#[cfg(not(target_family = "wasm"))]
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// The database.
    #[error(transparent)]
    Db(#[from] crate::DbError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
