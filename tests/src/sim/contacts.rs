//! People who scan the codes at the stores' doors, add, leave and come again; members of staff who leave, and those who take their place. The model is
//! WeCom's own books: who has whom, which welcome went out, and how many came to each member of staff in a day.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Options;
use super::people::Known;
use super::shops::text;
use super::stage::{Moment, Stage, share};
use crate::database;
use crate::wechat::people::Person;
use crate::wecom::Wecom;

/// Scans by a thousand people in a day, on the average.
const PER_DAY: u32 = 30;
/// Members of staff in a store.
const STAFF: u32 = 4;
/// How many each of them takes in a day.
const CAP: u32 = 3;
/// How often somebody leaves, in percent a step.
const LEAVES: u8 = 4;
/// How long a code may take to be made, in earnest.
const PATIENCE: Duration = Duration::from_secs(60);

/// The chain's codes and who came by them.
pub struct Contacts {
    doors: Vec<Door>,
    /// Who is about to do something, decided before anything is sent.
    wishes: VecDeque<Wish>,
    /// The last step whose wishes were made.
    wished: Option<u32>,
    /// The places that were given, by day and member of staff.
    given: BTreeMap<(i64, String), u32>,
    contacts: BTreeMap<u32, String>,
    /// Who ever was a contact.
    known: BTreeSet<u32>,
    followers: BTreeSet<u32>,
    scans: u64,
    turned_away: u64,
    left: u64,
    replaced: u64,
}

/// The code at a store's door.
struct Door {
    id: String,
    /// By which its ways are known at WeCom.
    state: String,
    /// Who receives by it.
    staff: Vec<String>,
    /// How many ever did.
    hired: u32,
}

/// How a code is kept: `staff` take turns, each with a cap.
fn code(store: usize, staff: &[String]) -> Value {
    let members: Vec<_> = staff.iter().map(|staff| json!({ "staff": staff, "daily_cap": CAP })).collect();
    json!({ "channel": "doors", "name": format!("门店{store}"), "store": format!("/stores/s-{store:02}"), "plan": {
        "reception": { "staff": [{ "from": "00:00", "until": "24:00", "members": members }] },
        "welcome": { "default": { "text": "你好{customer}" } },
    } })
}

fn member(store: usize, number: u32) -> String {
    format!("s{store:02}-{number}")
}

#[derive(Clone, Copy, Debug)]
enum Wish {
    /// Scans the code of this store.
    Scan(u32, usize),
    /// Follows the Official Account.
    Follow(u32),
    /// Deletes the member of staff.
    Leave(u32),
    /// The member of staff at this place of a store's leaves the company.
    Resign(usize, usize),
}

/// Whether a member and a person have each other at WeCom.
fn is_bond(wecom: &Wecom, staff: &str, who: &Person) -> bool {
    wecom.follow(staff, who).is_some_and(|follow| follow.is_listed && follow.is_friend)
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
        let mut made = Vec::new();
        for store in 0..usize::try_from(options.stores)? {
            let staff: Vec<_> = (0..STAFF).map(|number| member(store, number)).collect();
            staff.iter().for_each(|staff| stage.system().wecom.hire(staff));
            let mut code = code(store, &staff);
            code["kind"] = json!("assigned");
            let code = stage.done("POST", "/v1/channel-codes", &code).await?;
            made.push((text(&code, "id")?.to_owned(), staff));
        }
        let ready = async |system: &crate::system::System| {
            let found = system.client.pages(&system.host.at("/v1/channel-codes?channel=doors&limit=100")).await?;
            let doors = made.iter().map(|(id, staff)| {
                let code = found.iter().find(|code| code["id"] == id.as_str() && code["status"] == "ready")?;
                let state = code["state"].as_str()?.to_owned();
                Some(Door { id: id.clone(), state, staff: staff.clone(), hired: STAFF })
            });
            Ok(doors.collect::<Option<Vec<_>>>())
        };
        let doors = stage.system().wait_for("WeCom to make the codes", PATIENCE, ready).await?;
        Ok(Self {
            doors,
            wishes: VecDeque::new(),
            wished: None,
            given: BTreeMap::new(),
            contacts: BTreeMap::new(),
            known: BTreeSet::new(),
            followers: BTreeSet::new(),
            scans: 0,
            turned_away: 0,
            left: 0,
            replaced: 0,
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
        while let Some(wish) = self.wishes.front().copied() {
            // What a person does is done or not; the merchant tries until it is.
            if let Wish::Resign(store, place) = wish {
                self.replace(stage, moment, store, place).await?;
            }
            self.wishes.pop_front();
            match wish {
                Wish::Scan(number, store) => self.scan(stage, moment, number, store).await?,
                Wish::Follow(number) => stage.system().account.subscribe(&person(number), None)?,
                Wish::Leave(number) => self.leave(stage, number)?,
                Wish::Resign(..) => {}
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
                _ => Wish::Scan(number, dice.usize(..self.doors.len())),
            };
            self.wishes.push_back(wish);
        }
        let (store, place) = (dice.usize(..self.doors.len()), dice.u32(..STAFF));
        if dice.u8(..100) < LEAVES {
            self.wishes.push_back(Wish::Resign(store, usize::try_from(place).unwrap_or(0)));
        }
    }

    /// The person deletes whoever of the staff has them now.
    fn leave(&mut self, stage: &Stage, number: u32) -> Result<()> {
        let (wecom, who) = (&stage.system().wecom, person(number));
        self.contacts.remove(&number);
        for staff in self.everybody().filter(|staff| is_bond(wecom, staff, &who)) {
            // Nobody can be deleted who has left the company.
            if wecom.delete_by_customer(&staff, &who).is_ok() {
                self.left += 1;
            }
        }
        Ok(())
    }

    /// Whoever was hired, be they there or not.
    fn everybody(&self) -> impl Iterator<Item = String> + use<> {
        let hired: Vec<_> = self.doors.iter().map(|door| door.hired).collect();
        hired.into_iter().enumerate().flat_map(|(store, hired)| (0..hired).map(move |number| member(store, number)))
    }

    /// Somebody new takes a member's place at the door, then the contacts of the one who has left.
    async fn replace(&mut self, stage: &Stage, moment: &Moment, store: usize, place: usize) -> Result<()> {
        let door = self.doors.get_mut(store).context("a store without a code")?;
        let new = member(store, door.hired);
        let mut staff = door.staff.clone();
        let old = std::mem::replace(staff.get_mut(place).context("nobody stands there")?, new.clone());
        stage.system().wecom.hire(&new);
        stage.done("PUT", &format!("/v1/channel-codes/{}", door.id), &code(store, &staff)).await?;
        stage.system().wecom.resign(&old);
        let handover = json!({ "to": new, "kind": "resignation", "reason": "simulated" });
        let key = format!("sim-{}-{old}", moment.step);
        stage.once(&format!("/v1/staff/{old}/handovers"), &key, &handover).await?;
        (door.staff, door.hired) = (staff, door.hired + 1);
        self.replaced += 1;
        Ok(())
    }

    /// The page of the code shows whom to add, and the person does; or it shows nobody, and the person goes.
    async fn scan(&mut self, stage: &Stage, moment: &Moment, number: u32, store: usize) -> Result<()> {
        self.scans += 1;
        let state = &self.doors.get(store).context("a store without a code")?.state;
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
        self.known.insert(number);
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
        self.bonds(stage, &mut wrong)?;
        Ok(wrong)
    }

    /// Whom a member has at WeCom is their contact here, and the other way round. That somebody has deleted a member is told by a callback only: where it is
    /// lost, WeCom goes on to list them.
    fn bonds(&self, stage: &Stage, wrong: &mut Vec<String>) -> Result<()> {
        let (wecom, database) = (&stage.system().wecom, database::open(stage.system().state())?);
        let mut statement = database.prepare(
            "select relation.staff, identity.value from relation join customer on customer.id = relation.customer
             join identity on identity.customer = customer.survivor and identity.kind = 'wecom_external_user_id'
             where relation.state = 'added'",
        )?;
        let here: BTreeSet<(String, String)> =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let (mut there, mut listed) = (BTreeSet::new(), BTreeSet::new());
        for staff in self.everybody() {
            for number in &self.known {
                let who = person(*number);
                let Some(follow) = wecom.follow(&staff, &who).filter(|follow| follow.is_listed) else { continue };
                let bond = (staff.clone(), wecom.external_userid(&who));
                if follow.is_friend {
                    there.insert(bond.clone());
                }
                listed.insert(bond);
            }
        }
        wrong.extend(there.difference(&here).map(|(staff, who)| format!("{who} is {staff}'s at WeCom and not here")));
        wrong.extend(here.difference(&listed).map(|(staff, who)| format!("{who} is {staff}'s here and not at WeCom")));
        Ok(())
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
        vec![
            ("scans", self.scans),
            ("scans when nobody had room", self.turned_away),
            ("contacts who left", self.left),
            ("members of staff replaced", self.replaced),
        ]
    }
}
