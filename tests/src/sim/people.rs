//! Who is who, and what they looked at: told at the open door. The model joins what was told of one person, and counts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::contacts::person;
use super::shops::{buyer, text};
use super::stage::{Moment, Stage, share};
use super::tills;
use crate::database;

/// Views by a thousand people in a day, on the average.
const PER_DAY: u32 = 100;
/// As many views within a week make somebody interested.
const INTERESTED: usize = 3;
const WEEK: i64 = 7;

/// An id by which a person is known: its kind, its scope and its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    kind: &'static str,
    scope: Option<String>,
    value: String,
}

impl Known {
    /// An id that stands for itself.
    pub fn new(kind: &'static str, value: String) -> Self {
        Self { kind, scope: None, value }
    }

    /// WeChat's common one.
    pub fn union(number: u32) -> Self {
        Self::new("wechat_union_id", person(number).unionid.unwrap_or_default())
    }

    /// The member's card.
    pub fn card(number: u32) -> Self {
        Self::new("member_card", tills::card(number))
    }

    /// The phone. The application keeps a keyed hash of it, so it joins the others and is not looked for.
    pub fn phone(number: u32) -> Self {
        Self::new("phone", tills::phone(number))
    }

    fn of(&self) -> (String, String) {
        (self.kind.to_owned(), self.value.clone())
    }
}

/// Everybody.
pub struct People {
    tag: String,
    /// What was told of whom together.
    facts: BTreeMap<u32, Vec<Vec<Known>>>,
    /// Views: of whom, by which id, on which day.
    views: BTreeMap<u32, Vec<(Known, i64)>>,
    unsent: VecDeque<(String, Value)>,
    told: u64,
}

impl People {
    /// A rule of the merchant's own.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn prepare(stage: &Stage) -> Result<Self> {
        let group = stage.done("POST", "/v1/tag-groups", &json!({ "name": "Simulated" })).await?;
        let path = format!("/v1/tag-groups/{}/tags", text(&group, "id")?);
        let tag = stage.done("POST", &path, &json!({ "name": "Interested" })).await?;
        let tag = text(&tag, "id")?.to_owned();
        let condition = json!({ "feature": "views.count.7d", "op": ">=", "value": INTERESTED });
        let effect = json!({ "add_tag": tag, "while_true": true });
        let rule = json!({ "name": "Interested", "condition": condition, "effects": [effect] });
        let rule = stage.done("POST", "/v1/tag-rules", &rule).await?;
        stage.done("POST", &format!("/v1/tag-rules/{}/activate", text(&rule, "id")?), &json!({})).await?;
        Ok(Self { tag, facts: BTreeMap::new(), views: BTreeMap::new(), unsent: VecDeque::new(), told: 0 })
    }

    /// People look at pages, as a buyer or as somebody of WeChat; some comment in a live room or fill in a form, which tells that two ids are one.
    pub fn act(&mut self, stage: &Stage, moment: &Moment, crowd: u32) {
        let mut dice = moment.dice("people");
        let douyin = stage.system().platform.app().key.clone();
        for number in 0..share(&mut dice, crowd, PER_DAY) {
            let who = dice.u32(..crowd);
            let union = Known::union(who);
            let on_douyin = Known { scope: Some(douyin.clone()), ..Known::new("douyin_open_id", buyer(who)) };
            let (kind, ids, what) = match dice.u8(..10) {
                0 => ("live.commented", vec![union, on_douyin], json!({ "room": "r-1", "text": "好喝" })),
                1 => ("form.submitted", vec![union, Known::card(who)], json!({ "form": "f-1", "fields": {} })),
                2..=5 => ("page.viewed", vec![on_douyin], json!({ "product": "NET-GIFT-01", "dwell_ms": 3_000 })),
                _ => ("page.viewed", vec![union], json!({ "product": "NET-GIFT-01", "dwell_ms": 3_000 })),
            };
            if kind == "page.viewed"
                && let [seen] = ids.as_slice()
            {
                self.views.entry(who).or_default().push((seen.clone(), moment.day));
            }
            self.told += 1;
            let id = format!("view-{}-{number}", moment.step);
            let event = json!({ "specversion": "1.0", "id": id, "source": "simulated", "type": kind, "time": rfc3339(moment.now),
                "data": { "who": { "identities": ids.iter().map(Known::json).collect::<Vec<_>>() }, "channel": "测试渠道", "what": what } });
            self.facts.entry(who).or_default().push(ids);
            self.unsent.push_back((id, event));
        }
    }

    /// Sources tell, one after the other; what is not taken is told again.
    ///
    /// # Errors
    /// When something is not taken.
    pub async fn send(&mut self, stage: &Stage) -> Result<()> {
        while let Some((id, event)) = self.unsent.front() {
            stage.tell("/hooks/events", id, &json!([event])).await?;
            self.unsent.pop_front();
        }
        Ok(())
    }

    /// Ids that belong to one person by what was told are one customer's, and no two people are one; who has looked often within a week is tagged, and nobody else.
    /// `links` is what other parts have told of people.
    ///
    /// # Errors
    /// When the application's books cannot be read.
    pub async fn check(&self, stage: &Stage, links: Vec<(u32, Vec<Known>)>) -> Result<Vec<String>> {
        let mut facts = self.facts.clone();
        links.into_iter().for_each(|(who, ids)| facts.entry(who).or_default().push(ids));
        let mut model: BTreeMap<(String, String), (u32, usize)> = BTreeMap::new();
        let mut interested = BTreeSet::new();
        let week_began = stage.day() - WEEK + 1;
        for (who, facts) in &facts {
            let views = self.views.get(who).map_or(&[][..], Vec::as_slice);
            for (place, group) in joined(facts).into_iter().enumerate() {
                let recent = views.iter().filter(|(id, day)| *day >= week_began && group.contains(id));
                if recent.count() >= INTERESTED {
                    interested.insert((*who, place));
                }
                model.extend(group.iter().map(|id| (id.of(), (*who, place))));
            }
        }
        let (mut wrong, mut customers) = (Vec::new(), BTreeMap::new());
        let mut of: BTreeMap<String, (u32, usize)> = BTreeMap::new();
        let database = database::open(stage.system().state())?;
        let mut statement = database.prepare("select kind, value, customer from identity")?;
        let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
        let mut seen = BTreeSet::new();
        for row in rows {
            let (id, customer): ((String, String), String) = row?;
            let Some(group) = model.get(&id) else { continue };
            seen.insert(id.clone());
            if customers.entry(*group).or_insert_with(|| customer.clone()) != &customer {
                wrong.push(format!("{id:?} of person {} is another customer's than the person's other ids", group.0));
            }
            if of.entry(customer).or_insert(*group) != group {
                wrong.push(format!(
                    "{id:?} of person {} is the customer of somebody else, or was never joined",
                    group.0
                ));
            }
        }
        // Of phones there are hashes only; and nobody can be asked who has begun to follow an account, when its callback is lost.
        let is_told = |ids: &&Vec<Known>| ids.iter().all(|id| id.kind != "wechat_open_id");
        let told: BTreeSet<_> = facts.values().flatten().filter(is_told).flatten().map(Known::of).collect();
        let unseen = told.iter().filter(|id| id.0 != "phone" && !seen.contains(id));
        wrong.extend(unseen.map(|id| format!("{id:?} is nobody's here")));
        let path = format!("/v1/customers?tag={}&limit=500", self.tag);
        let tagged = stage.system().client.pages(&stage.system().host.at(&path)).await?;
        let tagged: BTreeSet<_> = tagged.iter().map(|customer| text(customer, "id")).collect::<Result<_>>()?;
        for (group, customer) in &customers {
            if interested.contains(group) != tagged.contains(customer.as_str()) {
                let is_so = tagged.contains(customer.as_str());
                wrong.push(format!("{customer} of person {} is tagged: {is_so}; that is wrong", group.0));
            }
        }
        Ok(wrong)
    }

    /// How much was played.
    pub fn played(&self) -> Vec<(&'static str, u64)> {
        vec![("events at the open door", self.told)]
    }
}

impl Known {
    fn json(&self) -> Value {
        json!({ "kind": self.kind, "scope": self.scope, "value": self.value })
    }
}

/// Which ids belong together, by what was told.
fn joined(facts: &[Vec<Known>]) -> Vec<BTreeSet<Known>> {
    let mut groups: Vec<BTreeSet<Known>> = Vec::new();
    for fact in facts {
        let mut group: BTreeSet<Known> = fact.iter().cloned().collect();
        groups.retain(|other| {
            let is_same = !other.is_disjoint(&group);
            if is_same {
                group.extend(other.iter().cloned());
            }
            !is_same
        });
        groups.push(group);
    }
    groups
}

fn rfc3339(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|at| format!("{at:.3}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_together_belongs_together_in_any_order() {
        let of = |value: &str| Known::new("source_id", value.to_owned());
        let facts =
            [vec![of("a"), of("b")], vec![of("c")], vec![of("d"), of("c")], vec![of("b"), of("d")], vec![of("e")]];
        let sizes = |facts: &[Vec<Known>]| joined(facts).iter().map(BTreeSet::len).collect::<BTreeSet<_>>();
        assert_eq!(sizes(&facts), BTreeSet::from([1, 4]));
        let backwards: Vec<_> = facts.iter().rev().cloned().collect();
        assert_eq!(sizes(&backwards), sizes(&facts));
    }
}
