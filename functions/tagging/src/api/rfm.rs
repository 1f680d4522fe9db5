//! The merchant's limits between RFM scores.

use super::{RulesRead, RulesWrite, seen};
use crate::feature::name::Window;
use crate::feature::rfm::Limits;
use crate::rfm as rounds;
use crate::store::rfm::{self, Document, Phase};
use axum::Json;
use axum::extract::State;
use domain::UnixMs;
use domain::day;
use http::StatusCode;
use kit::auth::Caller;
use kit::extract;
use kit::{App, Cx, Problem, Tx, audit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How scores are given: exactly one of `thresholds` and `quantiles`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RfmBody {
    /// How far back orders and money count: 30d, 90d, 365d (unless given) or ever.
    window: Option<String>,
    /// Limits that the merchant writes down.
    thresholds: Option<Thresholds>,
    /// 5: the limits are those between fifths of the merchant's own buyers, worked out now and at the beginning of each month.
    quantiles: Option<u8>,
}

/// Four limits each, ascending. Who is equal to a limit gets the better score.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Days since the last order up to which the scores 5, 4, 3 and 2 are given; later is 1.
    recency_days: [i64; 4],
    /// Orders in the window from which the scores 2, 3, 4 and 5 are given.
    frequency: [i64; 4],
    /// Net money in the window, in fen, from which the scores 2, 3, 4 and 5 are given.
    monetary: [i64; 4],
}

/// How scores are given, and by which limits now.
#[derive(Debug, Serialize, ToSchema)]
pub struct RfmView {
    /// What the merchant wants, in its newest version; absent while it has not said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<WantedView>,
    /// The limits in force. Soon after a change these are still the ones before it.
    in_force: InForceView,
    /// How far customers have been looked at since limits changed last; absent before the first change.
    #[serde(skip_serializing_if = "Option::is_none")]
    work: Option<WorkView>,
}

/// What the merchant wants.
#[derive(Debug, Serialize, ToSchema)]
pub struct WantedView {
    /// The number of the version, from 1.
    version: i64,
    /// How far back orders and money count.
    window: String,
    /// The limits that were written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    thresholds: Option<Thresholds>,
    /// 5: the limits are those between fifths of the merchant's own buyers.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantiles: Option<u8>,
    /// Who has said so: a token's name.
    by: String,
    /// When.
    at: UnixMs,
    /// The day on which quantiles are worked out next, `YYYY-MM-DD`, at the merchant's midnight.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Limits in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct InForceView {
    /// The version that they are of; 0 while the merchant has none of its own.
    version: i64,
    /// How far back orders and money count.
    window: String,
    /// The limits. Those between fifths may be equal to each other.
    thresholds: Thresholds,
    /// How many buyers they were worked out from; absent where they were written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    buyers: Option<i64>,
    /// Since when; absent while the merchant has none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<UnixMs>,
}

/// How far customers have been looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkView {
    /// The version that is worked on.
    version: i64,
    /// `gather`: figures for quantiles are gathered; `ask`: rules and segments that mention a score are asked again; `done`.
    phase: &'static str,
    /// How many customers were looked at.
    done: i64,
    /// How many there were when it began.
    total: i64,
    /// When all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<UnixMs>,
}

impl From<&Limits> for Thresholds {
    fn from(limits: &Limits) -> Self {
        let Limits { recency, frequency, monetary, .. } = limits;
        Self { recency_days: *recency, frequency: *frequency, monetary: *monetary }
    }
}

const WINDOWS: [&str; 4] = ["30d", "90d", "365d", "ever"];

impl RfmBody {
    fn document(self) -> Result<Document, Problem> {
        let unfit =
            |path: &str, what: &str| Problem::unprocessable("rfm-unfit", what.to_owned()).with("path", path.to_owned());
        let span = self.window.unwrap_or_else(|| "365d".to_owned());
        let window = Window::parse(&span).filter(|_| WINDOWS.contains(&span.as_str()));
        let Some(window) = window else { return Err(unfit("window", "write one of 30d, 90d, 365d, ever")) };
        match (self.thresholds, self.quantiles) {
            (Some(own), None) => {
                for (path, limits, least) in [
                    ("thresholds.recency_days", own.recency_days, 0),
                    ("thresholds.frequency", own.frequency, 1),
                    ("thresholds.monetary", own.monetary, 1),
                ] {
                    if !limits.is_sorted_by(|one, next| one < next) || limits.iter().any(|limit| *limit < least) {
                        return Err(unfit(path, &format!("write four ascending numbers from {least} on")));
                    }
                }
                let Thresholds { recency_days: recency, frequency, monetary } = own;
                Ok(Document::Thresholds(Limits { window, recency, frequency, monetary }))
            }
            (None, Some(5)) => Ok(Document::Quantiles(span)),
            (None, Some(_)) => Err(unfit("quantiles", "write 5: scores go from 1 to 5")),
            _ => Err(unfit("", "write exactly one of thresholds and quantiles")),
        }
    }
}

fn view(tx: &Tx<'_>) -> Result<RfmView, Problem> {
    let wanted = rfm::newest(tx)?.map(|row| -> Result<_, kit::DbError> {
        let document: Document = row.json("document")?;
        let (window, thresholds, quantiles) = match &document {
            Document::Thresholds(limits) => (limits.window.to_string(), Some(limits.into()), None),
            Document::Quantiles(window) => (window.clone(), None, Some(5)),
        };
        let first = quantiles.and_then(|_| rounds::next_month(day::of(tx.cx().now)));
        Ok(WantedView {
            version: row.get("version")?,
            window,
            thresholds,
            quantiles,
            by: row.get("by")?,
            at: row.instant("created_at")?,
            next: first.and_then(day::date_of).map(|date| date.to_string()),
        })
    });
    let own = rfm::in_force(tx)?;
    let limits = own.as_ref().map_or(&Limits::DEFAULT, |own| &own.limits);
    let in_force = InForceView {
        version: own.as_ref().map_or(0, |own| own.version),
        window: limits.window.to_string(),
        thresholds: limits.into(),
        buyers: own.as_ref().and_then(|own| own.buyers),
        since: own.as_ref().map(|own| own.since),
    };
    let work = rfm::work(tx)?.map(|work| WorkView {
        version: work.version,
        phase: work.phase.as_str(),
        done: work.done,
        total: work.total,
        finished_at: work.finished_at.filter(|_| work.phase == Phase::Done),
    });
    Ok(RfmView { wanted: wanted.transpose()?, in_force, work })
}

/// How RFM scores are given: what the merchant wants, and the limits that are in force.
#[utoipa::path(get, path = "/v1/rfm", security(("token" = ["rules:read"])), responses(
    (status = 200, description = "What is wanted, and what is in force since when", body = RfmView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
))]
pub async fn show(State(app): State<App>, cx: Cx, _caller: Caller<RulesRead>) -> Result<Json<RfmView>, Problem> {
    app.db().read(&cx, view).await.map(Json)
}

/// Sets how RFM scores are given, as a new version. It is in force from the next second on, quantiles once the figures of all buyers are gathered; rules
/// and segments that mention a score are asked again of all customers in the background, in batches, without raising events.
#[utoipa::path(put, path = "/v1/rfm", request_body = RfmBody, security(("token" = ["rules:write"])), responses(
    (status = 202, description = "What is wanted, and what is still in force", body = RfmView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or sees a part of the stores only", body = Problem),
    (status = 422, description = "The limits are unfit: `path` names the place", body = Problem),
))]
pub async fn set(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<RulesWrite>,
    extract::Json(body): extract::Json<RfmBody>,
) -> Result<(StatusCode, Json<RfmView>), Problem> {
    seen::all_stores(&caller)?;
    let document = body.document()?;
    app.db()
        .write(&cx, move |tx| {
            let version = rfm::write(tx, &document, &caller.actor)?;
            rounds::schedule(tx, tx.cx().now, version)?;
            audit::done(tx, &caller, &format!("rfm {version}"))?;
            Ok((StatusCode::ACCEPTED, Json(view(tx)?)))
        })
        .await
}
