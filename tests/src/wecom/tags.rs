//! The corp's tags (企业标签): groups of tags, and which customer of which member has them.

use serde_json::{Value, json};

use super::corp::Corp;
use super::fields::{BAD, NO_TAG};
use crate::wechat::service::Asked;
use crate::wechat::{Refused, text, texts};

const NAME_TAKEN: Refused = Refused(40071, "invalid tag name, exists already");
const NAME_LENGTH: Refused = Refused(40072, "invalid tag name length");
const TOO_MANY: Refused = Refused(40126, "corp tag count exceed limit");
/// What is said to an app that changes what it has not made is not documented.
const NOT_YOURS: Refused = Refused(48002, "api forbidden: the tag was not made by this app");
/// Characters of a name.
const NAME: usize = 30;

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Tags {
    pub(super) groups: Vec<Group>,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) order: i64,
    created: i64,
    pub(super) tags: Vec<Tag>,
}

#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) id: String,
    pub(super) name: String,
    order: i64,
    created: i64,
    /// Whether an app has made it, and not a person in the console.
    is_app_s: bool,
}

impl Tags {
    fn count(&self) -> usize {
        self.groups.iter().map(|group| group.tags.len()).sum()
    }

    pub(super) fn find(&self, id: &str) -> Option<(&Group, &Tag)> {
        self.groups.iter().find_map(|group| Some((group, group.tags.iter().find(|tag| tag.id == id)?)))
    }

    /// As a customer's record shows it.
    pub(super) fn of_customer(&self, id: &str) -> Option<Value> {
        let (group, tag) = self.find(id)?;
        Some(json!({ "group_name": group.name, "tag_name": tag.name, "tag_id": id, "type": 1 }))
    }
}

impl Group {
    fn record(&self, wanted: impl Fn(&Tag) -> bool) -> Value {
        let tags = self.tags.iter().filter(|tag| wanted(tag)).map(
            |tag| json!({ "id": tag.id, "name": tag.name, "create_time": tag.created / 1000, "order": tag.order }),
        );
        json!({
            "group_id": self.id, "group_name": self.name, "create_time": self.created / 1000, "order": self.order,
            "tag": tags.collect::<Vec<_>>(),
        })
    }
}

impl Corp {
    pub(super) fn list_tags(&mut self, call: &Asked) -> Result<Value, Refused> {
        let (tags, groups) = (texts(&call.body["tag_id"], BAD)?, texts(&call.body["group_id"], BAD)?);
        let all = tags.is_empty() && groups.is_empty();
        let found = self.tags.groups.iter().filter_map(|group| {
            if all || groups.contains(&group.id) {
                return Some(group.record(|_| true));
            }
            let some = group.tags.iter().any(|tag| tags.contains(&tag.id));
            some.then(|| group.record(|tag| tags.contains(&tag.id)))
        });
        Ok(json!({ "tag_group": found.collect::<Vec<_>>() }))
    }

    pub(super) fn add_tags(&mut self, call: &Asked) -> Result<Value, Refused> {
        let body = &call.body;
        let list = body["tag"].as_array().filter(|list| !list.is_empty()).ok_or(BAD)?;
        let names: Vec<(String, i64)> =
            list.iter().map(|tag| (text(&tag["name"]).to_owned(), tag["order"].as_i64().unwrap_or(0))).collect();
        let place = self.add_tags_to(text(&body["group_id"]), text(&body["group_name"]), &names, true, call.now)?;
        if let Some(order) = body["order"].as_i64() {
            self.tags.groups[place].order = order;
        }
        let group = &self.tags.groups[place];
        Ok(json!({ "tag_group": group.record(|tag| names.iter().any(|(name, _)| *name == tag.name)) }))
    }

    /// Adds tags to the group of this id, else of this name, else to a new one; tells the group's place.
    pub(super) fn add_tags_to(
        &mut self,
        group_id: &str,
        group_name: &str,
        names: &[(String, i64)],
        is_app_s: bool,
        now: i64,
    ) -> Result<usize, Refused> {
        let length = |name: &str| (1..=NAME).contains(&name.chars().count());
        if !names.iter().all(|(name, _)| length(name)) {
            return Err(NAME_LENGTH);
        }
        let groups = &self.tags.groups;
        let place = match (group_id, group_name) {
            ("", name) if !length(name) => return Err(NAME_LENGTH),
            ("", name) => groups.iter().position(|group| group.name == name),
            (id, _) => Some(groups.iter().position(|group| group.id == id).ok_or(NO_TAG)?),
        };
        let taken = place.map_or(&[][..], |place| groups[place].tags.as_slice());
        let mut all: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        all.extend(taken.iter().map(|tag| tag.name.as_str()));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        if all.len() < count {
            return Err(NAME_TAKEN);
        }
        if self.tags.count() + names.len() > self.settings.tags {
            return Err(TOO_MANY);
        }
        let place = match place {
            Some(place) => place,
            None => {
                let id = self.id("et");
                let name = group_name.to_owned();
                self.tags.groups.push(Group { id, name, order: 0, created: now, tags: Vec::new() });
                self.tags.groups.len() - 1
            }
        };
        for (name, order) in names {
            let tag = Tag { id: self.id("et"), name: name.clone(), order: *order, created: now, is_app_s };
            self.tags.groups[place].tags.push(tag);
        }
        Ok(place)
    }

    pub(super) fn edit_tag(&mut self, call: &Asked) -> Result<Value, Refused> {
        let (id, name) = (text(&call.body["id"]), text(&call.body["name"]));
        if name.chars().count() > NAME {
            return Err(NAME_LENGTH);
        }
        let order = call.body["order"].as_i64();
        let is_taken = |taken: &str| !name.is_empty() && taken == name;
        if self.tags.groups.iter().any(|group| group.id != id && is_taken(&group.name) && self.is_group(id)) {
            return Err(NAME_TAKEN);
        }
        for group in &mut self.tags.groups {
            if group.id == id {
                if !name.is_empty() {
                    group.name = name.to_owned();
                }
                group.order = order.unwrap_or(group.order);
                return Ok(json!({}));
            }
            let Some(place) = group.tags.iter().position(|tag| tag.id == id) else { continue };
            if group.tags.iter().any(|tag| tag.id != id && is_taken(&tag.name)) {
                return Err(NAME_TAKEN);
            }
            let tag = &mut group.tags[place];
            if !tag.is_app_s {
                return Err(NOT_YOURS);
            }
            if !name.is_empty() {
                tag.name = name.to_owned();
            }
            tag.order = order.unwrap_or(tag.order);
            return Ok(json!({}));
        }
        Err(NO_TAG)
    }

    pub(super) fn delete_tags(&mut self, call: &Asked) -> Result<Value, Refused> {
        let (tags, groups) = (texts(&call.body["tag_id"], BAD)?, texts(&call.body["group_id"], BAD)?);
        if tags.is_empty() && groups.is_empty() {
            return Err(BAD);
        }
        if !tags.iter().all(|id| self.tags.find(id).is_some()) || !groups.iter().all(|id| self.is_group(id)) {
            return Err(NO_TAG);
        }
        let goes = |group: &Group, tag: &Tag| groups.contains(&group.id) || tags.contains(&tag.id);
        let all = self.tags.groups.iter().flat_map(|group| group.tags.iter().map(move |tag| (group, tag)));
        let gone: Vec<_> = all.filter(|(group, tag)| goes(group, tag)).map(|(_, tag)| tag.clone()).collect();
        if gone.iter().any(|tag| !tag.is_app_s) {
            return Err(NOT_YOURS);
        }
        self.remove_tags(&gone.into_iter().map(|tag| tag.id).collect::<Vec<_>>());
        Ok(json!({}))
    }

    /// Removes tags from customers, from groups, and groups that have none left.
    pub(super) fn remove_tags(&mut self, gone: &[String]) {
        self.follows.values_mut().for_each(|follow| follow.tags.retain(|id| !gone.contains(id)));
        self.tags.groups.iter_mut().for_each(|group| group.tags.retain(|tag| !gone.contains(&tag.id)));
        self.tags.groups.retain(|group| !group.tags.is_empty());
    }

    pub(super) fn mark(&mut self, call: &Asked) -> Result<Value, Refused> {
        let (add, remove) = (texts(&call.body["add_tag"], BAD)?, texts(&call.body["remove_tag"], BAD)?);
        if add.is_empty() && remove.is_empty() {
            return Err(BAD);
        }
        self.change_tags(text(&call.body["userid"]), text(&call.body["external_userid"]), &add, &remove)?;
        Ok(json!({}))
    }

    pub(super) fn change_tags(
        &mut self,
        userid: &str,
        external: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<(), Refused> {
        if !add.iter().chain(remove).all(|id| self.tags.find(id).is_some()) {
            return Err(NO_TAG);
        }
        let most = self.settings.tags_per_customer;
        let follow = self.follow_mut(userid, external)?;
        let mut tags = follow.tags.clone();
        tags.extend(add.iter().cloned());
        tags.retain(|id| !remove.contains(id));
        if tags.len() > most {
            return Err(TOO_MANY);
        }
        follow.tags = tags;
        Ok(())
    }

    fn is_group(&self, id: &str) -> bool {
        self.tags.groups.iter().any(|group| group.id == id)
    }
}
