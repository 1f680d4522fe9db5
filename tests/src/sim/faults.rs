//! What goes wrong, and when: decided by the seed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use super::stage::{Stage, dice};
use crate::marketplace::push::Mishaps;
use crate::marketplace::server::Trouble;

/// For how long there is no room, in earnest.
const FULL: Duration = Duration::from_secs(1);

/// Faults that were done, by name.
pub type Told = BTreeMap<&'static str, u64>;

/// The faults of a month.
pub struct Faults {
    seed: u64,
    are_on: bool,
    told: Told,
}

impl Faults {
    /// Those of this seed, or none at all.
    pub fn new(seed: u64, are_on: bool) -> Self {
        Self { seed, are_on, told: Told::new() }
    }

    /// What was done so far.
    pub fn told(&self) -> Told {
        self.told.clone()
    }

    fn note(&mut self, what: &'static str) {
        *self.told.entry(what).or_default() += 1;
    }

    /// A step begins: messages go astray, a platform's interface fails for some calls, a second host comes up.
    ///
    /// # Errors
    /// When that host does not start.
    pub async fn begin(&mut self, stage: &mut Stage, step: u32) -> Result<()> {
        if !self.are_on {
            return Ok(());
        }
        let mut dice = dice(self.seed, "faults", step);
        stage.mishaps =
            Mishaps { seed: dice.u64(..), duplicated: 15, disordered: 20, dropped: 5, batch: 4, delay: Duration::ZERO };
        if dice.u8(..100) < 25 {
            let mut calls = |percent: u8| if dice.u8(..100) < percent { dice.u32(1..=4) } else { 0 };
            let trouble = Trouble {
                broken_gateway: calls(30),
                server_errors: calls(30),
                rate_limited: calls(30),
                lost_answers: calls(50),
                delay: Duration::ZERO,
            };
            let places = stage.servers().count() + 2;
            match dice.usize(..places) {
                0 => stage.system().wecom.trouble(trouble),
                1 => stage.system().account.trouble(trouble),
                place => stage.servers().skip(place - 2).take(1).for_each(|server| server.trouble(trouble)),
            }
            self.note("interfaces in trouble");
        }
        if dice.u8(..100) < 6 {
            stage.set_second(true).await?;
            self.note("second hosts");
        }
        Ok(())
    }

    /// Do the work of a step; in some steps the disk is full for a while, or the power goes in the middle of it, and what is left is done afterwards.
    ///
    /// # Errors
    /// When the host does not start again, or the work fails.
    pub async fn broken_off(
        &mut self,
        stage: &mut Stage,
        step: u32,
        mut work: impl AsyncFnMut(&Stage) -> Result<()>,
    ) -> Result<()> {
        let mut dice = dice(self.seed, "power", step);
        if self.are_on && dice.u8(..100) < 5 {
            stage.disk.set_full(true)?;
            let _ = tokio::time::timeout(FULL, work(stage)).await;
            stage.disk.set_full(false)?;
            self.note("full disks");
        }
        if self.are_on && dice.u8(..100) < 10 {
            let after = Duration::from_millis(dice.u64(2..300));
            // What fails now is sent again, or asked for.
            let _ = tokio::time::timeout(after, work(stage)).await;
            stage.crash()?;
            self.note("kills");
        }
        work(stage).await
    }

    /// A step ends: the second host goes, and once in a while the clock leaps.
    ///
    /// # Errors
    /// When the host does not stop, or the application does not take the time.
    pub async fn end(&mut self, stage: &mut Stage, step: u32) -> Result<()> {
        stage.set_second(false).await?;
        let mut dice = dice(self.seed, "leaps", step);
        if self.are_on && dice.u8(..100) < 2 {
            stage.pass(dice.i64(3_600..4 * 3_600)).await?;
            self.note("leaps of the clock");
        }
        Ok(())
    }

    /// Nothing more goes wrong until the next step.
    pub fn rest(&mut self, stage: &mut Stage) {
        stage.mishaps = Mishaps::NONE;
        stage.system().wecom.trouble(Trouble::default());
        stage.system().account.trouble(Trouble::default());
        stage.servers().for_each(|server| server.trouble(Trouble::default()));
    }
}
