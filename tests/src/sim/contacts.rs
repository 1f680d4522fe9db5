//! People who scan the codes at the stores' doors, add, leave and come again. The model is WeCom's own books: who has whom, which
//! welcome went out, and how many came to each member of staff in a day.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::Options;
use super::people::Known;
use super::shops::text;
use super::stage::{Moment, Stage, share};
use crate::database;
use crate::wechat::people::Person;

/// Scans by a thousand people in a day, on the average.
const PER_DAY: u32 = 30;
/// Members of staff in a store.
const STAFF: u32 = 4;
/// How many each of them takes in a day.
const CAP: u32 = 3;
/// How long a code may take to be made, in earnest.
const PATIENCE: Duration = Duration::from_secs(60);

/// The chain's codes and who came by them.
pub struct Contacts {
    /// The state of each store's code.
    codes: Vec<String>,
    /// Who is about to do something, decided before anything is sent.
    wishes: VecDeque<Wish>,
    /// The last step whose wishes were made.
    wished: Option<u32>,
    /// The places that were given, by day and member of staff.
    given: BTreeMap<(i64, String), u32>,
    contacts: BTreeMap<u32, String>,
    followers: BTreeSet<u32>,
    scans: u64,
    turned_away: u64,
    left: u64,
}

#[derive(Clone, Copy, Debug)]
enum Wish {
    /// Scans the code of this store.
    Scan(u32, usize),
    /// Follows the Official Account.
    Follow(u32),
    /// Deletes the member of staff.
    Leave(u32),
}

/// Somebody, as WeChat knows them.
pub fn person(number: u32) -> Person {
    Person::new(&format!("sim-{number:05}"))
}

impl Contacts {
    /// Makes a code for every store, of staff with caps.
    ///
    /// # Errors
    /// When something is not taken.
    pub async fn prepare(stage: &Stage, options: &Options) -> Result<Self> {
        stage.done("PUT", "/v1/channels/doors", &json!({ "label": "门店海报" })).await?;
        let mut codes = Vec::new();
        for store in 0..options.stores {
            let members: Vec<_> = (0..STAFF)
                .map(|number| {
                    let staff = format!("s{store:02}-{number}");
                    stage.system().wecom.hire(&staff);
                    json!({ "staff": staff, "daily_cap": CAP })
                })
                .collect();
            let plan = json!({
                "reception": { "staff": [{ "from": "00:00", "until": "24:00", "members": members }] },
                "welcome": { "default": { "text": "你好{customer}" } },
            });
            let code = json!({ "channel": "doors", "kind": "assigned", "name": format!("门店{store}"),
                "store": format!("/stores/s-{store:02}"), "plan": plan });
            let made = stage.done("POST", "/v1/channel-codes", &code).await?;
            codes.push(text(&made, "id")?.to_owned());
        }
        let ready = async |system: &crate::system::System| {
            let found = system.client.pages(&system.host.at("/v1/channel-codes?channel=doors&limit=100")).await?;
            let states = codes.iter().map(|id| {
                let code = found.iter().find(|code| code["id"] == id.as_str() && code["status"] == "ready")?;
                code["state"].as_str().map(str::to_owned)
            });
            Ok(states.collect::<Option<Vec<_>>>())
        };
        let codes = stage.system().wait_for("WeCom to make the codes", PATIENCE, ready).await?;
        Ok(Self {
            codes,
            wishes: VecDeque::new(),
            wished: None,
            given: BTreeMap::new(),
            contacts: BTreeMap::new(),
            followers: BTreeSet::new(),
            scans: 0,
            turned_away: 0,
            left: 0,
        })
    }

    /// What people want to do in a step, one after the other, and what WeCom and the account tell of it.
    ///
    /// # Errors
    /// When the application does not answer.
    pub async fn play(&mut self, stage: &Stage, moment: &Moment, crowd: u32) -> Result<()> {
        if self.wished != Some(moment.step) {
            self.wished = Some(moment.step);
            self.wish(moment, crowd);
        }
        while let Some(wish) = self.wishes.pop_front() {
            match wish {
                Wish::Scan(number, store) => self.scan(stage, moment, number, store).await?,
                Wish::Follow(number) => stage.system().account.subscribe(&person(number), None)?,
                Wish::Leave(number) => {
                    if let Some(staff) = self.contacts.remove(&number) {
                        stage.system().wecom.delete_by_customer(&staff, &person(number))?;
                        self.left += 1;
                    }
                }
            }
        }
        let (wecom, account) = (&stage.system().wecom, &stage.system().account);
        // What a platform has given up is asked for in time.
        let _ = wecom.deliver_together(&stage.mishaps, 4).await;
        let _ = account.deliver(&stage.mishaps).await;
        Ok(())
    }

    fn wish(&mut self, moment: &Moment, crowd: u32) {
        let mut dice = moment.dice("contacts");
        for _ in 0..share(&mut dice, crowd, PER_DAY) {
            let number = dice.u32(..crowd);
            let wish = match dice.u8(..10) {
                0 if self.contacts.contains_key(&number) => Wish::Leave(number),
                1..=2 if self.followers.insert(number) => Wish::Follow(number),
                _ => Wish::Scan(number, dice.usize(..self.codes.len())),
            };
            self.wishes.push_back(wish);
        }
    }

    /// The page of the code shows whom to add, and the person does; or it shows nobody, and the person goes.
    async fn scan(&mut self, stage: &Stage, moment: &Moment, number: u32, store: usize) -> Result<()> {
        self.scans += 1;
        let state = self.codes.get(store).context("a store without a code")?;
        let system = stage.system();
        let answer = crate::http::Client::new().get(&system.host.at(&format!("/q/{state}"))).await?;
        ensure!(answer.status == 200, "/q/{state} was answered with {answer}");
        let page = String::from_utf8_lossy(&answer.body).replace("&amp;", "&");
        let ways = system.wecom.ways();
        let Some(way) = ways.iter().find(|way| page.contains(&way.qr_code())) else {
            self.turned_away += 1;
            return Ok(());
        };
        let who = person(number);
        let added = match system.wecom.scan(&way.state, &who) {
            Ok(added) => added,
            // They have each other already, or she is somebody else's by now.
            Err(_) => return Ok(()),
        };
        if self.contacts.insert(number, added.userid.clone()).is_none_or(|before| before != added.userid) {
            *self.given.entry((moment.day, added.userid)).or_default() += 1;
        }
        Ok(())
    }

    /// Caps were kept, and each welcome that began has ended.
    ///
    /// # Errors
    /// When the application's books cannot be read.
    pub fn check(&self, stage: &Stage) -> Result<Vec<String>> {
        let over = self.given.iter().filter(|(_, count)| **count > CAP);
        let mut wrong: Vec<_> = over
            .map(|((day, staff), count)| format!("{staff} got {count} people on day {day}, not {CAP} at most"))
            .collect();
        let open = stage.number("select count(*) from welcome where ended_at is null")?;
        if open > 0 {
            wrong.push(format!("{open} welcomes have no outcome"));
        }
        let sent = stage.system().wecom.all_welcomes();
        let late = sent.iter().filter(|welcome| welcome.after > Duration::from_secs(20)).count();
        if late > 0 {
            wrong.push(format!("{late} welcomes came after more than 20 s"));
        }
        let said = stage.number("select count(*) from welcome where outcome = 'sent'")?;
        if said > i64::try_from(sent.len())? {
            wrong.push(format!("{said} welcomes are said to be sent, WeCom knows of {}", sent.len()));
        }
        let database = database::open(stage.system().state())?;
        let mut statement = database.prepare(
            "select value from identity where kind = 'wecom_external_user_id' and lost_at is null and contact_at is not null",
        )?;
        let known: BTreeSet<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for (number, staff) in &self.contacts {
            let external = stage.system().wecom.external_userid(&person(*number));
            if !known.contains(&external) {
                wrong.push(format!("person {number} is a contact of {staff}'s at WeCom and not here"));
            }
        }
        Ok(wrong)
    }

    /// Who is known by WeCom's id, or the account's, and WeChat's common one.
    pub fn links<'a>(&'a self, stage: &'a Stage) -> impl Iterator<Item = (u32, Vec<Known>)> + 'a {
        let contacts = self.contacts.keys().map(|number| {
            let external = stage.system().wecom.external_userid(&person(*number));
            (*number, vec![Known::union(*number), Known::new("wecom_external_user_id", external)])
        });
        let followers = self.followers.iter().map(|number| {
            let openid = stage.system().account.openid(&person(*number));
            (*number, vec![Known::union(*number), Known::new("wechat_open_id", openid)])
        });
        contacts.chain(followers)
    }

    /// How much was played.
    pub fn played(&self) -> Vec<(&'static str, u64)> {
        vec![("scans", self.scans), ("scans when nobody had room", self.turned_away), ("contacts who left", self.left)]
    }
}
