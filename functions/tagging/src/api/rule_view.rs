//! Rules as callers see them.

use crate::rule::Effect;
use crate::rule::set::Definition;
use domain::{RuleId, UnixMs};
use kit::DbError;
use kit::db::Row;
use serde::Serialize;
use utoipa::ToSchema;

/// A rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleView {
    /// Its id.
    pub id: RuleId,
    /// Its name.
    pub name: String,
    /// The version that is active, and what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<VersionView>,
    /// The version that is drafted, and what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<VersionView>,
    /// How far customers have been looked at since the rule was activated, changed or retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backfill: Option<BackfillView>,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it was changed last.
    pub updated_at: UnixMs,
    /// When it was retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<UnixMs>,
}

/// What a version says.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionView {
    /// Its number, from 1.
    pub version: i64,
    /// When it holds.
    #[schema(value_type = Object)]
    pub condition: serde_json::Value,
    /// What follows when it comes to hold.
    pub effects: Vec<Effect>,
}

/// How far customers have been looked at. Those who do something meanwhile are looked at at once.
#[derive(Debug, Serialize, ToSchema)]
pub struct BackfillView {
    /// The version that is at work.
    pub version: i64,
    /// How many customers were looked at.
    done: i64,
    /// How many there were when it began.
    total: i64,
    /// When all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<UnixMs>,
}

impl BackfillView {
    /// Of a row that has the columns `at_work`, `done`, `total` and `finished_at`.
    pub fn read(row: &Row) -> Result<Option<Self>, DbError> {
        let Some(version) = row.get::<Option<i64>>("at_work")? else { return Ok(None) };
        Ok(Some(Self {
            version,
            done: row.get("done")?,
            total: row.get("total")?,
            finished_at: row.optional_instant("finished_at")?,
        }))
    }
}

impl RuleView {
    /// Of a row of the store.
    pub fn read(row: &Row) -> Result<Self, DbError> {
        let version = |number: &str, definition: &str| {
            let Some(version) = row.get::<Option<i64>>(number)? else { return Ok::<_, DbError>(None) };
            let Definition { condition, effects } = row.json(definition)?;
            Ok(Some(VersionView { version, condition, effects }))
        };
        Ok(Self {
            id: row.parse("id")?,
            name: row.get("name")?,
            active: version("active", "active_definition")?,
            draft: version("draft", "draft_definition")?,
            backfill: BackfillView::read(row)?,
            created_at: row.instant("created_at")?,
            updated_at: row.instant("updated_at")?,
            retired_at: row.optional_instant("retired_at")?,
        })
    }
}
