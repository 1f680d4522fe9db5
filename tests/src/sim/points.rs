//! Points that members earn at tills, spend and let expire. The model is a list of lots for each card.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context, Result};
use serde_json::json;

use super::shops::text;
use super::stage::{Moment, Stage};
use super::tills::{Tills, card, phone};
use crate::database;

/// One point for so many fen.
const FEN: i64 = 100;
/// Points are worth something for so many days after the one of their crediting.
const DAYS: i64 = 3;
/// How often somebody with points spends some, in percent a step.
const SPENDS: u8 = 15;

/// Points of one day.
#[derive(Clone, Copy, Debug)]
struct Lot {
    /// The last day on which they are worth something.
    until: i64,
    remains: i64,
}

/// Somebody spends points at a till.
#[derive(Clone, Debug)]
struct Spend {
    person: u32,
    points: i64,
    key: String,
}

/// All members' points.
#[derive(Default)]
pub struct Points {
    /// By person, the oldest first.
    lots: BTreeMap<u32, Vec<Lot>>,
    /// How many of the tills' sales have been looked at.
    seen: usize,
    unsent: VecDeque<Spend>,
    earned: i64,
    spent: i64,
}

impl Points {
    /// Points for what is bought at tills, and for nothing else: who buys on a marketplace is not always known to be a member.
    ///
    /// # Errors
    /// When the rules are not taken.
    pub async fn prepare(stage: &Stage) -> Result<Self> {
        let elsewhere: BTreeMap<_, _> = stage.servers().map(|server| (server.dialect().name(), 0)).collect();
        let rules = json!({ "rate": { "points": 1, "fen": FEN }, "when": "completed", "platforms": elsewhere,
            "lifetime": { "kind": "days", "days": DAYS } });
        stage.done("PUT", "/v1/point-rules", &rules).await?;
        Ok(Self::default())
    }

    /// Members spend what they have had since the step before; then the tills' sales of this one are credited.
    pub fn act(&mut self, moment: &Moment, tills: &Tills) {
        let mut dice = moment.dice("points");
        for (person, lots) in &mut self.lots {
            lots.retain(|lot| lot.until >= moment.day && lot.remains > 0);
            let balance: i64 = lots.iter().map(|lot| lot.remains).sum();
            if balance == 0 || dice.u8(..100) >= SPENDS {
                continue;
            }
            let points = dice.i64(1..=balance);
            let mut rest = points;
            for lot in lots {
                let taken = rest.min(lot.remains);
                lot.remains -= taken;
                rest -= taken;
            }
            self.spent += points;
            self.unsent.push_back(Spend { person: *person, points, key: format!("spend-{}-{person}", moment.step) });
        }
        for earned in tills.earned().iter().skip(self.seen) {
            self.seen += 1;
            let points = earned.fen / FEN;
            if points > 0 {
                self.earned += points;
                self.lots.entry(earned.person).or_default().push(Lot { until: earned.day + DAYS, remains: points });
            }
        }
    }

    /// Tills ask for what members spend, until they are answered.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn send(&mut self, stage: &Stage) -> Result<()> {
        while let Some(spend) = self.unsent.front() {
            let found = stage.get(&format!("/v1/customers?phone={}", phone(spend.person))).await?;
            let id = text(found["items"].get(0).context("a member who is nobody")?, "id")?;
            let wanted = json!({ "points": spend.points, "reason": "simulated" });
            stage.once(&format!("/v1/customers/{id}/points/redeem"), &spend.key, &wanted).await?;
            self.unsent.pop_front();
        }
        Ok(())
    }

    /// Every member has the points that are left of what they earned.
    ///
    /// # Errors
    /// When the application's books cannot be read.
    pub fn check(&self, stage: &Stage) -> Result<Vec<String>> {
        let database = database::open(stage.system().state())?;
        let mut statement = database.prepare(
            "select identity.value, sum(point_lot.remains) from point_lot join customer on customer.id = point_lot.customer
             join identity on identity.customer = customer.survivor and identity.kind = 'member_card'
             where point_lot.expires_at > ?1 group by identity.value",
        )?;
        let rows = statement.query_map([stage.now() * 1000], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut found: BTreeMap<String, i64> = rows.collect::<Result<_, _>>()?;
        found.retain(|_, points| *points != 0);
        let worth = |lots: &[Lot]| lots.iter().filter(|lot| lot.until >= stage.day()).map(|lot| lot.remains).sum();
        let mut model: BTreeMap<String, i64> =
            self.lots.iter().map(|(person, lots)| (card(*person), worth(lots))).collect();
        model.retain(|_, points| *points != 0);
        let differs = |card: &&String| found.get(*card) != model.get(*card);
        let cards = model.keys().chain(found.keys().filter(|card| !model.contains_key(*card))).filter(differs);
        Ok(cards.map(|card| format!("{card} has {:?} points, not {:?}", found.get(card), model.get(card))).collect())
    }

    /// How much was played.
    pub fn played(&self) -> Vec<(&'static str, u64)> {
        let count = |points: i64| u64::try_from(points).unwrap_or(0);
        vec![("points earned", count(self.earned)), ("points spent", count(self.spent))]
    }
}
