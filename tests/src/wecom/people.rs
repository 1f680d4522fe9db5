//! What people do: customers scan, add and delete; members delete, tag and leave the corp. All of it changes the corp and is told to the application by the next [`Wecom::deliver`].

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Wecom;
use super::contacts::Follow;
use super::corp::{Corp, Member};
use super::transfers::Outcome;
use super::ways::Way;
use crate::wechat::Refused;
use crate::wechat::people::Person;
use crate::wechat::service::Outbox;

const CONTACT: &str = "change_external_contact";

/// What came of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The member whom the person has now.
    pub userid: String,
    /// The person.
    pub external_userid: String,
    /// The code in the callback, if there is one.
    pub welcome_code: Option<String>,
    /// Whether the application is told; not where they had each other already.
    pub is_told: bool,
}

pub(super) fn possible<T>(outcome: Result<T, Refused>) -> Result<T> {
    outcome.map_err(|Refused(code, words)| anyhow::anyhow!("{words} ({code})"))
}

/// Members.
impl Wecom {
    /// A new member.
    pub fn hire(&self, userid: &str) {
        self.with(|corp, _, _| corp.members.insert(userid.to_owned(), Member::default()));
    }

    /// A member leaves the corp; customers stay with the account that is left, until they are passed on.
    pub fn resign(&self, userid: &str) {
        self.with(|corp, _, _| {
            if corp.members.remove(userid).is_some() {
                corp.left.insert(userid.to_owned());
            }
        });
    }

    /// A department with these members, for ways by `party`.
    pub fn set_department(&self, number: i64, members: &[&str]) {
        let members = members.iter().map(|&userid| userid.to_owned()).collect();
        self.with(|corp, _, _| corp.departments.insert(number, members));
    }

    /// Whether an admin has set a welcome message for a member: apps get no codes then.
    pub fn set_greets_by_itself(&self, userid: &str, greets: bool) {
        self.change_member(userid, |member| member.greets_by_itself = greets);
    }

    /// Whether a member has never logged in: no way may have such a one.
    pub fn set_inactive(&self, userid: &str, is_inactive: bool) {
        self.change_member(userid, |member| member.is_inactive = is_inactive);
    }

    /// How many customers a member can have.
    pub fn set_capacity(&self, userid: &str, customers: usize) {
        self.change_member(userid, |member| member.capacity = Some(customers));
    }

    fn change_member(&self, userid: &str, change: impl FnOnce(&mut Member)) {
        self.with(|corp, _, _| corp.members.get_mut(userid).map(change));
    }
}

/// Customers and members.
impl Wecom {
    /// A person scans a way's code (named by state or config_id) and adds one of its members: the one whom an exclusive way has
    /// kept for this person, else whose turn it is. Members who are full are passed over; whoever has to agree first, has agreed.
    ///
    /// # Errors
    /// When no such way is in use, or all of its members have left or are full.
    pub fn scan(&self, way: &str, person: &Person) -> Result<Added> {
        self.with(|corp, outbox, now| {
            let userid = corp.turn(way, person, now)?;
            corp.add(outbox, way, &userid, person, "add_external_contact", now)
        })
    }

    /// [`Wecom::scan`], where it is this member's turn.
    ///
    /// # Errors
    /// When no such way is in use, or it does not have the member.
    pub fn scan_to(&self, way: &str, userid: &str, person: &Person) -> Result<Added> {
        self.with(|corp, outbox, now| {
            corp.check_reaches(way, userid, now)?;
            corp.add(outbox, way, userid, person, "add_external_contact", now)
        })
    }

    /// Several people add the same member in the same second: their callbacks share time and member.
    ///
    /// # Errors
    /// As for [`Wecom::scan_to`].
    pub fn scan_together(&self, way: &str, userid: &str, people: &[Person]) -> Result<Vec<Added>> {
        self.with(|corp, outbox, now| {
            corp.check_reaches(way, userid, now)?;
            let add = |person| corp.add(outbox, way, userid, person, "add_external_contact", now);
            people.iter().map(add).collect()
        })
    }

    /// A person adds a member by a way, and the member has not agreed yet. A welcome code comes already.
    ///
    /// # Errors
    /// As for [`Wecom::scan`].
    pub fn half_add(&self, way: &str, person: &Person) -> Result<Added> {
        self.with(|corp, outbox, now| {
            let userid = corp.turn(way, person, now)?;
            corp.add(outbox, way, &userid, person, "add_half_external_contact", now)
        })
    }

    /// The member agrees after [`Wecom::half_add`]. There is a new code unless the one of before was used.
    ///
    /// # Errors
    /// When there is nothing to agree to.
    pub fn agree(&self, userid: &str, person: &Person) -> Result<Added> {
        self.with(|corp, outbox, now| {
            let external = corp.known(person);
            let follow = possible(corp.follow_mut(userid, &external))?;
            ensure!(follow.is_half, "{userid} has agreed already");
            follow.is_half = false;
            let state = follow.state.clone();
            let may_greet = !corp.welcomes.is_used_half(userid, &external);
            Ok(corp.announce(outbox, userid, &external, &state, "add_external_contact", may_greet, now))
        })
    }

    /// A person who has lost, or was lost by, a member adds the same one again by this way.
    ///
    /// # Errors
    /// When they never had each other, have each other still, or the way does not have the member.
    pub fn re_add(&self, way: &str, person: &Person) -> Result<Added> {
        self.with(|corp, outbox, now| {
            let external = corp.known(person);
            let lost = |follow: &Follow| !(follow.is_listed && follow.is_friend);
            let of = corp.follows.iter().filter(|((_, of), follow)| *of == external && lost(follow));
            let last = of.max_by_key(|(_, follow)| follow.since).map(|((userid, _), _)| userid.clone());
            let userid = last.context("they never lost each other")?;
            corp.check_reaches(way, &userid, now)?;
            corp.add(outbox, way, &userid, person, "add_external_contact", now)
        })
    }

    /// A member deletes a customer.
    ///
    /// # Errors
    /// When the member does not have the customer.
    pub fn delete_by_staff(&self, userid: &str, person: &Person) -> Result<()> {
        self.with(|corp, outbox, now| {
            let external = corp.known(person);
            possible(corp.follow_mut(userid, &external))?.is_listed = false;
            let more = json!({ "UserID": userid, "ExternalUserID": external });
            corp.tell(outbox, CONTACT, "del_external_contact", now, more);
            Ok(())
        })
    }

    /// A customer deletes a member, who still has the customer in the list.
    ///
    /// # Errors
    /// When the customer does not have the member.
    pub fn delete_by_customer(&self, userid: &str, person: &Person) -> Result<()> {
        self.with(|corp, outbox, now| {
            let external = corp.known(person);
            let follow = corp.follows.get_mut(&(userid.to_owned(), external.clone()));
            let follow = follow.filter(|follow| follow.is_friend).context("the customer does not have the member")?;
            follow.is_friend = false;
            let more = json!({ "UserID": userid, "ExternalUserID": external });
            corp.tell(outbox, CONTACT, "del_follow_user", now, more);
            Ok(())
        })
    }

    /// The two begin to chat: no welcome message can be sent any more.
    pub fn chat(&self, userid: &str, person: &Person) {
        self.with(|corp, _, _| {
            let external = corp.known(person);
            corp.welcomes.end(userid, &external);
        });
    }

    /// Somebody writes a remark about a customer in WeCom itself.
    ///
    /// # Errors
    /// When the member does not have the customer.
    pub fn remark_in_console(&self, userid: &str, person: &Person, remark: &str) -> Result<()> {
        self.with(|corp, outbox, now| {
            let external = corp.known(person);
            let follow = possible(corp.follow_mut(userid, &external))?;
            follow.remark.name = remark.to_owned();
            corp.tell_edit(outbox, userid, &external, now);
            Ok(())
        })
    }

    /// Somebody gives tags (by id) to a customer in WeCom itself, and takes others away.
    ///
    /// # Errors
    /// When the member does not have the customer, or there is no such tag.
    pub fn edit_tags_in_console(&self, userid: &str, person: &Person, add: &[&str], remove: &[&str]) -> Result<()> {
        let owned = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
        self.with(|corp, outbox, now| {
            let external = corp.known(person);
            possible(corp.change_tags(userid, &external, &owned(add), &owned(remove)))?;
            corp.tell_edit(outbox, userid, &external, now);
            Ok(())
        })
    }

    /// An admin makes a tag in the console, and its group where there is none of that name. Returns the tag's id.
    ///
    /// # Errors
    /// When the name is taken, or too long.
    pub fn make_tag_in_console(&self, group: &str, name: &str) -> Result<String> {
        self.with(|corp, outbox, now| {
            let place = possible(corp.add_tags_to("", group, &[(name.to_owned(), 0)], false, now))?;
            let id = corp.tags.groups[place].tags.last().map(|tag| tag.id.clone()).context("no tag")?;
            corp.tell(outbox, "change_external_tag", "create", now, json!({ "Id": id, "TagType": "tag" }));
            Ok(id)
        })
    }

    /// An admin deletes a tag in the console; no customer has it any more.
    ///
    /// # Errors
    /// When there is no such tag.
    pub fn delete_tag_in_console(&self, id: &str) -> Result<()> {
        self.with(|corp, outbox, now| {
            ensure!(corp.tags.find(id).is_some(), "no tag {id}");
            corp.remove_tags(&[id.to_owned()]);
            corp.tell(outbox, "change_external_tag", "delete", now, json!({ "Id": id, "TagType": "tag" }));
            Ok(())
        })
    }

    /// A transfer that waits ends so. Without this it is done after a day.
    ///
    /// # Errors
    /// When no transfer of this customer waits.
    pub fn end_transfer(&self, person: &Person, outcome: Outcome) -> Result<()> {
        self.with(|corp, outbox, now| {
            let external = corp.known(person);
            let place = possible(corp.waiting_transfer(&external))?;
            corp.end_transfer(place, outcome, now, outbox);
            Ok(())
        })
    }

    /// A member presses send on a broadcast. False where this member has nothing to send, or has sent it.
    pub fn press_send(&self, msgid: &str, userid: &str) -> bool {
        self.with(|corp, _, now| corp.press_send(msgid, userid, now))
    }
}

impl Corp {
    /// The person's id here, and from now on the person is known.
    pub(super) fn known(&mut self, person: &Person) -> String {
        let external = person.external_userid(&self.settings.corp_id);
        self.people.entry(external.clone()).or_insert_with(|| person.clone());
        external
    }

    pub(super) fn find_way(&self, way: &str, now: i64) -> Result<&Way> {
        let fits =
            |found: &&Way| found.is_live && !found.is_over(now) && (found.config_id == way || found.state == way);
        // The newest, where states repeat.
        self.ways.values().filter(fits).max_by_key(|way| way.created).with_context(|| format!("no way {way} in use"))
    }

    fn check_reaches(&self, way: &str, userid: &str, now: i64) -> Result<()> {
        let way = self.find_way(way, now)?;
        ensure!(way.users.iter().any(|user| user == userid), "{userid} is not on the way");
        ensure!(self.members.contains_key(userid), "{userid} has left");
        Ok(())
    }

    /// Whom a scan of this way reaches.
    fn turn(&mut self, way: &str, person: &Person, now: i64) -> Result<String> {
        let external = person.external_userid(&self.settings.corp_id);
        let way = self.find_way(way, now)?;
        let is_here = |userid: &&String| self.members.contains_key(*userid);
        if way.is_exclusive {
            let had = way.users.iter().filter(is_here).filter_map(|userid| {
                let follow = self.follows.get(&(userid.clone(), external.clone()))?;
                Some((userid, follow))
            });
            // Whoever has the person now, else whoever had last.
            let kept = had.max_by_key(|(_, follow)| (follow.is_listed && follow.is_friend, follow.since));
            if let Some((userid, _)) = kept {
                return Ok(userid.clone());
            }
        }
        let count = way.users.len();
        let in_turn = (0..count).map(|step| (way.turn + step) % count);
        let has_room = |place: &usize| is_here(&&way.users[*place]) && !self.is_full(&way.users[*place]);
        let place = in_turn.into_iter().find(has_room).context("all members of the way have left or are full")?;
        let (config_id, userid) = (way.config_id.clone(), way.users[place].clone());
        if let Some(way) = self.ways.get_mut(&config_id) {
            way.turn = (place + 1) % count;
        }
        Ok(userid)
    }

    fn add(
        &mut self,
        outbox: &mut Outbox,
        way: &str,
        userid: &str,
        person: &Person,
        change: &str,
        now: i64,
    ) -> Result<Added> {
        let state = self.find_way(way, now)?.state.clone();
        let external = self.known(person);
        let follow = self.follows.entry((userid.to_owned(), external.clone())).or_default();
        if follow.is_listed && follow.is_friend {
            let userid = userid.to_owned();
            return Ok(Added { userid, external_userid: external, welcome_code: None, is_told: false });
        }
        let is_half = change == "add_half_external_contact";
        let kept = if follow.is_listed { std::mem::take(follow) } else { Follow::default() };
        *follow =
            Follow { is_listed: true, is_friend: true, is_half, since: now, state: state.clone(), add_way: 1, ..kept };
        Ok(self.announce(outbox, userid, &external, &state, change, true, now))
    }

    /// Tell that a customer was added, with a welcome code unless there is none.
    #[expect(clippy::too_many_arguments, reason = "an event has so many fields")]
    fn announce(
        &mut self,
        outbox: &mut Outbox,
        userid: &str,
        external: &str,
        state: &str,
        change: &str,
        may_greet: bool,
        now: i64,
    ) -> Added {
        let greets = self.members.get(userid).is_some_and(|member| member.greets_by_itself);
        let code = (may_greet && !greets).then(|| self.id("CODE"));
        let state = if state.is_empty() { Value::Null } else { state.into() };
        let more = json!({ "UserID": userid, "ExternalUserID": external, "State": state, "WelcomeCode": code });
        let callback = self.tell(outbox, CONTACT, change, now, more);
        if let Some(code) = &code {
            let is_half = change == "add_half_external_contact";
            self.welcomes.issue(code, userid, external, &callback, is_half);
        }
        Added { userid: userid.to_owned(), external_userid: external.to_owned(), welcome_code: code, is_told: true }
    }

    fn tell_edit(&self, outbox: &mut Outbox, userid: &str, external: &str, now: i64) {
        let follow = self.follows.get(&(userid.to_owned(), external.to_owned()));
        let state = follow.map(|follow| follow.state.as_str()).filter(|state| !state.is_empty());
        let more = json!({ "UserID": userid, "ExternalUserID": external, "State": state });
        self.tell(outbox, CONTACT, "edit_external_contact", now, more);
    }
}
