//! Customers, as members have them: who follows whom since when, by which state, with which remark and tags.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::corp::Corp;
use super::fields::{BAD, NO_CONTACT, limit, short};
use crate::wechat::service::Asked;
use crate::wechat::{Refused, page, text, texts};

const NO_EXTERNAL: Refused = Refused(41035, "missing external userid");
/// Followers on a page.
const FOLLOWERS: usize = 500;

/// What is between a member and a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Follow {
    /// Whether the member has the customer: not deleted by the member, not passed on.
    pub is_listed: bool,
    /// Whether the customer has the member: neither deleted nor blocked.
    pub is_friend: bool,
    /// Whether the member has not agreed yet.
    pub is_half: bool,
    /// Since when, Unix ms; the last time, after a deletion.
    pub since: i64,
    /// The state of the way by which it came about.
    pub state: String,
    /// 1 by a code, 202 passed on by the corp; 0 unknown.
    pub add_way: i64,
    /// What the member, or the app, has written down.
    pub remark: Remark,
    /// Ids of the corp's tags.
    pub tags: BTreeSet<String>,
}

/// A member's notes about a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remark {
    /// The name that the member sees.
    pub name: String,
    /// More words.
    pub description: String,
    /// The customer's company.
    pub company: String,
    /// Phone numbers.
    pub mobiles: Vec<String>,
}

impl Corp {
    pub(super) fn follow_mut(&mut self, userid: &str, external: &str) -> Result<&mut Follow, Refused> {
        self.member(userid)?;
        let follow = self.follows.get_mut(&(userid.to_owned(), external.to_owned()));
        follow.filter(|follow| follow.is_listed).ok_or(NO_CONTACT)
    }

    pub(super) fn get_contact(&mut self, call: &Asked) -> Result<Value, Refused> {
        let external = call.parameter("external_userid");
        if external.is_empty() {
            return Err(NO_EXTERNAL);
        }
        if !external.starts_with("wm") && !external.starts_with("wo") {
            return Err(Refused(40096, "invalid external userid"));
        }
        let followers: Vec<_> = self
            .follows
            .iter()
            .filter(|((_, of), follow)| of == external && follow.is_listed)
            .map(|((userid, _), follow)| self.follower(userid, follow, true))
            .collect();
        if followers.is_empty() {
            return Err(NO_CONTACT);
        }
        let (followers, next) = page(followers, &call.parameter("cursor").into(), FOLLOWERS, BAD)?;
        let mut answer = json!({ "external_contact": self.external(external), "follow_user": followers });
        if !next.is_empty() {
            answer["next_cursor"] = next.into();
        }
        Ok(answer)
    }

    pub(super) fn get_contacts(&mut self, call: &Asked) -> Result<Value, Refused> {
        let users = texts(&call.body["userid_list"], BAD)?;
        let limit = limit(&call.body["limit"], 100)?;
        if users.is_empty() || users.len() > 100 {
            return Err(BAD);
        }
        let mut records = Vec::new();
        for user in &users {
            self.member(user)?;
            let of = self.customers_of(user);
            records.extend(of.map(|(external, follow)| {
                json!({ "external_contact": self.external(external), "follow_info": self.follower(user, follow, false) })
            }));
        }
        let (records, next): (Vec<Value>, _) = page(records, &call.body["cursor"], limit, BAD)?;
        Ok(json!({ "external_contact_list": records, "next_cursor": next }))
    }

    pub(super) fn list_contacts(&mut self, call: &Asked) -> Result<Value, Refused> {
        let userid = call.parameter("userid");
        if userid.is_empty() {
            return Err(Refused(41009, "missing userid"));
        }
        self.member(userid)?;
        let ids: Vec<_> = self.customers_of(userid).map(|(external, _)| external).collect();
        if ids.is_empty() { Err(NO_CONTACT) } else { Ok(json!({ "external_userid": ids })) }
    }

    pub(super) fn remark(&mut self, call: &Asked) -> Result<Value, Refused> {
        let body = &call.body;
        let (name, description) = (short(&body["remark"], 20)?, short(&body["description"], 150)?);
        let company = short(&body["remark_company"], 20)?;
        let mobiles = texts(&body["remark_mobiles"], BAD)?;
        let given = |field: &str| !body[field].is_null();
        let fields = ["remark", "description", "remark_company", "remark_mobiles", "remark_pic_mediaid"];
        if !fields.into_iter().any(given) {
            return Err(BAD);
        }
        let remark = &mut self.follow_mut(text(&body["userid"]), text(&body["external_userid"]))?.remark;
        if given("remark") {
            remark.name = name;
        }
        if given("description") {
            remark.description = description;
        }
        if given("remark_company") {
            remark.company = company;
        }
        if given("remark_mobiles") {
            // One empty text clears the list.
            remark.mobiles = mobiles.into_iter().filter(|mobile| !mobile.is_empty()).collect();
        }
        Ok(json!({}))
    }

    fn external(&self, external: &str) -> Value {
        let person = self.people.get(external);
        let mut record = json!({
            "external_userid": external, "name": person.map_or("", |person| person.name.as_str()), "type": 1, "gender": 0,
            "avatar": "https://wx.qlogo.cn/mmhead/simulated/0",
        });
        if let Some(unionid) = person.and_then(|person| person.unionid.clone()) {
            record["unionid"] = unionid.into();
        }
        record
    }

    /// Tags with their names where one customer is asked for, only their ids in lists.
    fn follower(&self, userid: &str, follow: &Follow, in_full: bool) -> Value {
        let mut record = json!({
            "userid": userid, "remark": follow.remark.name, "description": follow.remark.description, "createtime": follow.since / 1000,
            "remark_mobiles": follow.remark.mobiles, "add_way": follow.add_way, "oper_userid": userid,
        });
        if !follow.remark.company.is_empty() {
            record["remark_corp_name"] = follow.remark.company.clone().into();
        }
        if !follow.state.is_empty() {
            record["state"] = follow.state.clone().into();
        }
        if in_full {
            record["tags"] = follow.tags.iter().filter_map(|id| self.tags.of_customer(id)).collect();
        } else {
            record["tag_id"] = follow.tags.iter().cloned().collect();
        }
        record
    }
}
