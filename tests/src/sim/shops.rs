//! Orders on the marketplaces. The model is the platforms' own books.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::stage::{Moment, Stage, share};
use crate::database;
use crate::http::Client;
use crate::marketplace::dialect::Delivery;
use crate::marketplace::shop::{CaseStatus, Impossible, Shop, Status};
use crate::merchant::baskets::{plain, tea};
use crate::merchant::{Books, MENU, Ways};

/// Orders that a thousand people place on one platform in a day, on the average.
const PER_DAY: u32 = 20;
/// How often an open order gets on, in percent a step.
const GETS_ON: u8 = 12;

/// All marketplaces.
pub struct Shops {
    /// Orders that can still change, by platform.
    open: BTreeMap<&'static str, Vec<String>>,
    placed: u64,
    changed: u64,
}

/// A buyer's id, on every platform.
pub fn buyer(person: u32) -> String {
    format!("测试买家-{person:05}")
}

impl Shops {
    /// Connects Doudian's shop; the others are.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn prepare(stage: &Stage) -> Result<Self> {
        stage.system().connect(&stage.system().platform).await?;
        Ok(Self { open: BTreeMap::new(), placed: 0, changed: 0 })
    }

    /// Buyers order, pay, cancel and want money back; goods are sent and arrive.
    ///
    /// # Errors
    /// When a story does not hold together: a mistake in here.
    pub fn act(&mut self, stage: &Stage, moment: &Moment, crowd: u32) -> Result<()> {
        for server in stage.servers() {
            let (name, ways) = (server.dialect().name(), Ways::of(server.dialect()));
            let mut dice = moment.dice(name);
            let open = self.open.entry(name).or_default();
            let (placed, changed) = server
                .shop(|shop| -> Result<_, Impossible> {
                    let mut changed = 0;
                    for order in std::mem::take(open) {
                        if dice.u8(..100) < GETS_ON {
                            get_on(shop, &order, ways, &mut dice, moment.now)?;
                            changed += 1;
                        }
                        let is_over = |status| matches!(status, Status::Completed | Status::Closed);
                        if !shop.order(&order).is_some_and(|order| is_over(order.status)) {
                            open.push(order);
                        }
                    }
                    let count = share(&mut dice, crowd, PER_DAY);
                    for _ in 0..count {
                        let id = place(shop, ways, &mut dice, crowd, moment.now)?;
                        open.push(id);
                    }
                    Ok((count, changed))
                })
                .map_err(|error| anyhow!("{name}: {error}"))?;
            self.placed += u64::from(placed);
            self.changed += changed;
        }
        Ok(())
    }

    /// Platforms push what changed, once: what does not arrive has to be asked for.
    ///
    /// # Errors
    /// When a push that arrives is not taken.
    pub async fn send(&self, stage: &Stage, _moment: &Moment) -> Result<()> {
        let client = Client::new();
        for server in stage.servers() {
            if !matches!(server.dialect().delivery(), Delivery::Push(_)) {
                continue;
            }
            let url = stage.system().hook(server);
            for messages in server.deliveries(&stage.mishaps) {
                let answer = server.push(&messages)?.send(&client, &url).await?;
                anyhow::ensure!(server.dialect().accepted(&answer), "{url} was answered with {answer}");
            }
        }
        Ok(())
    }

    /// The application's books are the platforms'.
    ///
    /// # Errors
    /// When the application cannot be asked.
    pub async fn check(&self, stage: &Stage) -> Result<Vec<String>> {
        differences(stage).await
    }

    /// How much was played.
    pub fn played(&self) -> Vec<(&'static str, u64)> {
        vec![("orders on marketplaces", self.placed), ("changes of them", self.changed)]
    }
}

fn place(shop: &mut Shop, ways: Ways, dice: &mut fastrand::Rng, crowd: u32, now: i64) -> Result<String, Impossible> {
    let lines = dice.usize(1..=ways.lines.min(3));
    let goods: Vec<_> = (0..lines)
        .map(|_| {
            let (code, _, price) = MENU[dice.usize(..MENU.len())];
            // Platforms and tills sell from different shelves: the tills' stock has a model of its own.
            tea(&format!("NET-{code}"), dice.u32(1..=3), price)
        })
        .collect();
    let mut basket = plain(goods);
    basket.buyer = buyer(dice.u32(..crowd));
    basket.discount_merchant = if dice.bool() { 101 } else { 0 };
    basket.discount_platform = if dice.bool() { 333 } else { 0 };
    let id = shop.place(basket, now);
    if !ways.unpaid || dice.u8(..100) < 70 {
        shop.pay(&id, now)?;
    }
    Ok(id)
}

/// What can come next to an order, comes.
fn get_on(shop: &mut Shop, id: &str, ways: Ways, dice: &mut fastrand::Rng, now: i64) -> Result<(), Impossible> {
    let open =
        shop.cases_of(id).items.iter().find(|case| case.status == CaseStatus::Applied).map(|case| case.id.clone());
    if let Some(case) = open {
        return if dice.u8(..100) < 70 { shop.refund(&case, now) } else { shop.close_case(&case, now) };
    }
    let status = shop.order(id).map(|order| order.status);
    let wants_money = dice.u8(..100) < 12 && shop.cases_of(id).items.is_empty();
    match status {
        Some(Status::Created) if dice.u8(..100) < 60 => shop.pay(id, now),
        Some(Status::Created) => shop.cancel(id, now),
        Some(Status::Paid) if wants_money && ways.refunds_before_shipping => shop.ask_refund(id, 1_000, now).map(drop),
        Some(Status::Paid) => shop.ship(id, now),
        Some(Status::Shipped) if wants_money => shop.ask_refund(id, 1_000, now).map(drop),
        Some(Status::Shipped) => shop.finish(id, now),
        _ => Ok(()),
    }
}

async fn differences(stage: &Stage) -> Result<Vec<String>> {
    let mut found: BTreeMap<String, (Books, u64)> = BTreeMap::new();
    for order in stage.system().orders().await? {
        let text = |field: &str| order[field].as_str().map(str::to_owned).with_context(|| format!("no {field}"));
        let (books, incomplete) = found.entry(text("platform")?).or_default();
        *incomplete += u64::from(order["complete"] != true);
        books.order(&text("status")?, order["paid"].as_i64().unwrap_or(0));
    }
    let database = database::open(stage.system().state())?;
    let sql = "select o.platform, sum(r.amount) from refund r join \"order\" o on o.id = r.order_id
                where r.status = 'refunded' group by o.platform";
    let mut statement = database.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    for row in rows {
        let (platform, refunded) = row?;
        found.entry(platform).or_default().0.refunded = refunded;
    }
    let mut wrong = Vec::new();
    for server in stage.servers() {
        let name = server.dialect().name();
        let (books, incomplete) = found.remove(name).unwrap_or_default();
        if books != server.books() || incomplete > 0 {
            wrong.push(format!(
                "{name}'s books: {:?}; the application's: {books:?}, {incomplete} orders without their record",
                server.books()
            ));
        }
    }
    Ok(wrong)
}

/// What a JSON answer says under a name, as text.
pub fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field].as_str().with_context(|| format!("{value} has no {field}"))
}
