//! The company's tags.

use serde::Deserialize;
use serde_json::Value;

use super::{list, unlike};
use crate::lenient;
use crate::marketplace::ApiError;
use crate::wecom::answer::{Tag, TagGroup};

pub fn tag_groups(answer: &Value) -> Result<Vec<TagGroup>, ApiError> {
    let groups = list::<TagGroupAnswer>(answer, "tag_group")?;
    Ok(groups.into_iter().filter(|group| !group.deleted).map(TagGroup::from).collect())
}

pub fn tag_group(answer: &Value) -> Result<TagGroup, ApiError> {
    let group = answer.get("tag_group").ok_or_else(unlike)?;
    Ok(TagGroupAnswer::deserialize(group).map_err(|_| unlike())?.into())
}

#[derive(Deserialize)]
struct TagGroupAnswer {
    group_id: String,
    group_name: String,
    #[serde(default)]
    deleted: bool,
    #[serde(default, deserialize_with = "lenient::list")]
    tag: Vec<TagAnswer>,
}

#[derive(Deserialize)]
struct TagAnswer {
    id: String,
    name: String,
    #[serde(default)]
    deleted: bool,
}

impl From<TagGroupAnswer> for TagGroup {
    fn from(group: TagGroupAnswer) -> Self {
        let tags = group.tag.into_iter().filter(|tag| !tag.deleted);
        let tags = tags.map(|tag| Tag { id: tag.id, name: tag.name }).collect();
        Self { id: group.group_id, name: group.group_name, tags }
    }
}
