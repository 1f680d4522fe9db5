//! Tags and segments, by the rules that ship and a segment over them. What they make of the log is compared at the month's end with what the log makes of them
//! from empty tables: [`crate::rebuild`].

use anyhow::{Context, Result};
use serde_json::json;

use super::shops::text;
use super::stage::Stage;

/// Who has paid so much within a week is in the segment, in fen.
const WORTH: i64 = 5_000;

/// Puts all rules to work, and keeps a segment.
///
/// # Errors
/// When something is not taken.
pub async fn prepare(stage: &Stage) -> Result<()> {
    let seeds = stage.get("/v1/tag-rules/seeds").await?;
    for seed in seeds.as_array().context("no sets of rules ship")? {
        let drafted = stage.done("POST", &format!("/v1/tag-rules/seeds/{}", text(seed, "name")?), &json!({})).await?;
        for rule in drafted["drafted"].as_array().context("nothing was drafted")? {
            let rule = rule.as_str().context("a rule without id")?;
            stage.done("POST", &format!("/v1/tag-rules/{rule}/activate"), &json!({})).await?;
        }
    }
    let condition = json!({ "feature": "net.amount.7d", "op": ">=", "value": WORTH });
    stage.done("POST", "/v1/segments", &json!({ "name": "Worth something", "condition": condition })).await?;
    Ok(())
}
