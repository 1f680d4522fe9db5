//! Sales over the stores' counters. The model is the tills' own cash reports, and what is left on the shelves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Result;
use serde_json::json;

use super::Options;
use super::people::Known;
use super::stage::{Moment, Stage, share};
use crate::database;
use crate::merchant::tills::{Message, Sale};
use crate::merchant::{Books, MENU};

/// Sales to a thousand people in a day, on the average.
const PER_DAY: u32 = 150;
/// Pieces of each SKU at the beginning.
const ON_HAND: i64 = 1_000_000;

/// All tills of the chain.
pub struct Tills {
    stores: u32,
    books: Books,
    /// Pieces that were handed over, by SKU.
    gone: BTreeMap<String, i64>,
    /// Ordered ahead, to be fetched in a later step.
    ahead: Vec<Ordered>,
    /// What is not taken yet: a till tries until it is.
    unsent: VecDeque<Message>,
    /// Who has shown a card.
    members: BTreeSet<u32>,
    earned: Vec<Earned>,
    sales: u64,
}

/// What a member has bought.
#[derive(Clone, Copy, Debug)]
pub struct Earned {
    /// Who.
    pub person: u32,
    /// On which day they had it.
    pub day: i64,
    /// What they paid.
    pub fen: i64,
}

/// An order, and whose it is, if they have shown a card.
struct Ordered {
    sale: Sale,
    member: Option<u32>,
}

/// A person's phone. 000 0000 is no subscriber of anyone's.
pub fn phone(person: u32) -> String {
    format!("1390000{:04}", person % 10_000)
}

/// A person's card.
pub fn card(person: u32) -> String {
    format!("测试会员-{person:05}")
}

impl Tills {
    /// Counts what is on the shelves.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn prepare(stage: &Stage, options: &Options) -> Result<Self> {
        for (sku, _, _) in MENU {
            stage.done("PUT", &format!("/v1/stock/{sku}"), &json!({ "on_hand": ON_HAND })).await?;
        }
        Ok(Self {
            stores: options.stores,
            books: Books::default(),
            gone: BTreeMap::new(),
            ahead: Vec::new(),
            unsent: VecDeque::new(),
            members: BTreeSet::new(),
            earned: Vec::new(),
            sales: 0,
        })
    }

    /// People buy: most take it with them, some have ordered ahead, few of whom change their mind.
    ///
    /// # Errors
    /// When time has run beyond all calendars.
    pub fn act(&mut self, moment: &Moment, crowd: u32) -> Result<()> {
        let mut dice = moment.dice("tills");
        for ahead in std::mem::take(&mut self.ahead) {
            match dice.u8(..10) {
                0..=5 => self.ahead.push(ahead),
                6 => self.ends(&ahead, "closed", moment)?,
                _ => self.ends(&ahead, "completed", moment)?,
            }
        }
        for number in 0..share(&mut dice, crowd, PER_DAY) {
            let person = dice.u32(..crowd);
            let (sku, title, price) = MENU[dice.usize(..MENU.len())];
            let is_member = dice.bool();
            let sale = Sale {
                shop_id: format!("S-{:03}", dice.u32(1..=self.stores)),
                order_id: format!("POS-{}-{number}", moment.step),
                at: moment.now,
                lines: vec![(sku.to_owned(), title.to_owned(), dice.u32(1..=2), price)],
                member_card: is_member.then(|| card(person)),
                phone: is_member.then(|| phone(person)),
            };
            if is_member {
                self.members.insert(person);
            }
            self.sales += 1;
            let ordered = Ordered { sale, member: is_member.then_some(person) };
            if dice.u8(..10) < 3 {
                // Nothing is paid yet.
                self.unsent.push_back(ordered.sale.message("created", moment.now)?);
                self.ahead.push(ordered);
            } else {
                self.unsent.push_back(ordered.sale.message("paid", moment.now)?);
                self.ends(&ordered, "completed", moment)?;
            }
        }
        Ok(())
    }

    fn ends(&mut self, Ordered { sale, member }: &Ordered, status: &str, moment: &Moment) -> Result<()> {
        self.unsent.push_back(sale.message(status, moment.now)?);
        let is_sold = status == "completed";
        if let Some(person) = member.filter(|_| is_sold) {
            self.earned.push(Earned { person, day: moment.day, fen: sale.total() });
        }
        self.books.order(status, if is_sold { sale.total() } else { 0 });
        for (sku, _, quantity, _) in sale.lines.iter().filter(|_| is_sold) {
            *self.gone.entry(sku.clone()).or_default() += i64::from(*quantity);
        }
        Ok(())
    }

    /// Tills tell, one after the other; what is not taken is told again.
    ///
    /// # Errors
    /// When something is not taken.
    pub async fn send(&mut self, stage: &Stage) -> Result<()> {
        while let Some(message) = self.unsent.front() {
            stage.tell("/hooks/orders", &message.id, &message.body).await?;
            self.unsent.pop_front();
        }
        Ok(())
    }

    /// The application's books are the tills', and its shelves hold what is left.
    ///
    /// # Errors
    /// When the application cannot be asked.
    pub async fn check(&self, stage: &Stage) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        let mut found = Books::default();
        let database = database::open(stage.system().state())?;
        let sql =
            "select status, count(*), coalesce(sum(paid), 0) from \"order\" where platform = 'own' group by status";
        let mut statement = database.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))?;
        for row in rows {
            let (status, count, paid): (String, _, _) = row?;
            found.orders.insert(status, u64::try_from(count)?);
            found.paid += paid;
        }
        let mut books = self.books.clone();
        if !self.ahead.is_empty() {
            books.orders.insert("created".to_owned(), u64::try_from(self.ahead.len())?);
        }
        if found != books {
            wrong.push(format!("the tills' books: {books:?}; the application's: {found:?}"));
        }
        for (sku, _, _) in MENU {
            let shown = stage.get(&format!("/v1/stock/{sku}")).await?;
            let gone = self.gone.get(sku).copied().unwrap_or(0);
            let promised = self.promised(sku);
            if shown["on_hand"] != ON_HAND - gone || shown["reserved"] != promised {
                wrong.push(format!("{sku}: {gone} pieces are gone and {promised} promised of {ON_HAND}, not {shown}"));
            }
        }
        Ok(wrong)
    }

    /// Pieces that wait for those who have ordered ahead.
    fn promised(&self, sku: &str) -> i64 {
        let lines = self.ahead.iter().flat_map(|ahead| &ahead.sale.lines);
        lines.filter(|(of, ..)| of == sku).map(|(_, _, quantity, _)| i64::from(*quantity)).sum()
    }

    /// What members have bought, in its order.
    pub fn earned(&self) -> &[Earned] {
        &self.earned
    }

    /// Who has shown a card and told a phone.
    pub fn links(&self) -> impl Iterator<Item = (u32, Vec<Known>)> {
        self.members.iter().map(|person| (*person, vec![Known::card(*person), Known::phone(*person)]))
    }

    /// How much was played.
    pub fn played(&self) -> Vec<(&'static str, u64)> {
        vec![("sales at tills", self.sales)]
    }
}
