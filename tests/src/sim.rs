//! A merchant's month in virtual time, with faults: people scan, add, leave, look, buy at tills and on every platform and send back, while
//! messages are lost, repeated and disordered, calls fail or time out after success, the host is killed, a second one serves beside it, the disk
//! is full, and the clock leaps.
//!
//! - [`stage`] is the built application on the host, the simulated platforms, and their common virtual time.
//! - [`faults`] decides what goes wrong, and when.
//! - Each part plays and models one capability, and says what is not as it must be: [`shops`] and [`tills`] the orders, [`contacts`] the
//!   people who scan, [`people`] who is who, [`points`] what members have. The models are written apart from the functions and share nothing with them.
//! - What [`tags`] and the others have made of the log is made of it once more from empty tables when all is over.
//!
//! The same seed gives the same month: what people and platforms do is decided before anything is sent, one dice a part and a step. What
//! the machine does meanwhile is its own affair; no order of events may make a difference.

pub mod contacts;
pub mod faults;
pub mod people;
pub mod points;
pub mod shops;
pub mod stage;
pub mod tags;
pub mod tills;

use std::time::Instant;

use anyhow::{Result, ensure};

use crate::check::complaint;
use crate::rebuild::{self, Difference};
use crate::system::DATABASE;
use faults::{Faults, Told};
use stage::{Moment, Stage};

/// Steps of a day: every 20 minutes from nine to nine.
pub const STEPS: u32 = 36;
/// For how long lost news may be asked for at a day's end, in five minutes.
const PATIENCE: u32 = 48;

/// Which month.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decides all that is left to chance.
    pub seed: u64,
    /// How many days.
    pub days: u32,
    /// How many stores.
    pub stores: u32,
    /// How many people there are.
    pub customers: u32,
    /// Whether things go wrong.
    pub faults: bool,
    /// End after so many steps.
    pub until: Option<u32>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Steps that were played.
    pub steps: u32,
    /// Events in the log at the end.
    pub events: i64,
    /// Faults that were done, by name.
    pub faults: Told,
    /// Rows that the log has made anew from empty tables.
    pub rebuilt: usize,
    /// What each part has played, and how often.
    pub played: Vec<(&'static str, u64)>,
    /// What was not as it must be, by the step after which it was seen: the first such step only.
    pub violations: Vec<String>,
}

/// The merchant's capabilities, each with its model.
struct Parts {
    shops: shops::Shops,
    tills: tills::Tills,
    contacts: contacts::Contacts,
    people: people::People,
    points: points::Points,
}

impl Parts {
    async fn prepare(stage: &Stage, options: &Options) -> Result<Self> {
        tags::prepare(stage).await?;
        Ok(Self {
            shops: shops::Shops::prepare(stage).await?,
            tills: tills::Tills::prepare(stage, options).await?,
            contacts: contacts::Contacts::prepare(stage, options).await?,
            people: people::People::prepare(stage).await?,
            points: points::Points::prepare(stage).await?,
        })
    }

    /// What happens in the world in a step. Nothing is sent yet.
    fn act(&mut self, stage: &Stage, moment: &Moment, crowd: u32) -> Result<()> {
        self.shops.act(stage, moment, crowd)?;
        self.tills.act(moment, crowd)?;
        self.people.act(stage, moment, crowd);
        self.points.act(moment, &self.tills);
        Ok(())
    }

    /// All that waits is sent, and may be broken off at any point.
    async fn send(&mut self, stage: &Stage, moment: &Moment, crowd: u32) -> Result<()> {
        self.points.send(stage).await?;
        self.tills.send(stage).await?;
        self.people.send(stage).await?;
        self.contacts.play(stage, moment, crowd).await?;
        self.shops.send(stage, moment).await
    }

    /// What is not as it must be, and stays so though time passes: what was lost on its way is asked for within hours.
    async fn check(&self, stage: &mut Stage) -> Result<Vec<String>> {
        let mut wrong = self.seen(stage).await?;
        for _ in 0..PATIENCE {
            if wrong.is_empty() {
                break;
            }
            stage.pass(300).await?;
            stage.settle().await?;
            wrong = self.seen(stage).await?;
        }
        Ok(wrong)
    }

    async fn seen(&self, stage: &Stage) -> Result<Vec<String>> {
        let mut wrong = self.shops.check(stage).await?;
        wrong.extend(self.tills.check(stage).await?);
        wrong.extend(self.contacts.check(stage)?);
        let links = self.contacts.links(stage).chain(self.tills.links()).collect();
        wrong.extend(self.people.check(stage, links).await?);
        wrong.extend(self.points.check(stage)?);
        wrong.extend(stage.forgotten()?);
        wrong.extend(complaint(&stage.system().state().join(DATABASE))?);
        Ok(wrong)
    }

    fn played(&self) -> Vec<(&'static str, u64)> {
        [self.shops.played(), self.tills.played(), self.contacts.played(), self.people.played(), self.points.played()]
            .concat()
    }
}

/// Play the month, telling `progress` of each day.
///
/// # Errors
/// When the application cannot be started or asked: not for what is not as it must be, which [`Outcome::violations`] tells.
pub async fn run(options: &Options, mut progress: impl FnMut(&str)) -> Result<Outcome> {
    ensure!(options.stores > 0 && options.customers > 0, "a merchant has a store and customers");
    let begin = Instant::now();
    let mut stage = Stage::open().await?;
    let mut parts = Parts::prepare(&stage, options).await?;
    stage.settle().await?;
    let mut faults = Faults::new(options.seed, options.faults);
    let mut outcome = Outcome::default();
    let last = options.until.unwrap_or(u32::MAX).min(options.days * STEPS);
    for step in 0..last {
        let (day, slot) = (step / STEPS, step % STEPS);
        stage.begin(day, slot).await?;
        let moment = stage.moment(options.seed, step);
        faults.begin(&mut stage, step).await?;
        parts.act(&stage, &moment, options.customers)?;
        faults
            .broken_off(&mut stage, step, async |stage: &Stage| parts.send(stage, &moment, options.customers).await)
            .await?;
        faults.end(&mut stage, step).await?;
        stage.settle().await?;
        outcome.steps = step + 1;
        if slot + 1 == STEPS || step + 1 == last {
            faults.rest(&mut stage);
            outcome.violations = parts.check(&mut stage).await?;
            progress(&format!("day {} of {}: {:?}", day + 1, options.days, begin.elapsed()));
            if !outcome.violations.is_empty() {
                break;
            }
        }
    }
    if outcome.violations.is_empty() {
        let rebuilt = rebuild::run(&stage.system().state().join(DATABASE), None).await?;
        outcome.violations = rebuilt.differences.iter().map(Difference::to_string).collect();
        outcome.rebuilt = rebuilt.compared.iter().map(|(_, rows)| rows).sum();
    }
    outcome.events = stage.number("select count(*) from event")?;
    outcome.faults = faults.told();
    outcome.played = parts.played();
    Ok(outcome)
}
