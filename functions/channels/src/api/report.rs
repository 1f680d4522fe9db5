//! The report: what channels brought, and what they cost.

use super::ChannelsRead;
use super::costs::days;
use crate::credit::ModelName;
use crate::report::{self, By, Figures, Place};
use crate::store::report as store;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::Fen;
use http::header;
use jiff::civil::Date;
use kit::auth::{Caller, StorePath};
use kit::extract::Query;
use kit::{App, Cx, Problem, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which report.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// The first day, `YYYY-MM-DD`.
    #[param(value_type = String)]
    from: Date,
    /// The last day; 366 days at the most.
    #[param(value_type = String)]
    to: Date,
    /// What a row is for.
    #[param(inline)]
    by: By,
    /// How orders are shared out among touches; `last_touch` unless given.
    #[serde(default)]
    #[param(inline)]
    model: ModelName,
    /// Of this channel only.
    channel: Option<String>,
    /// Of this store and those below it only.
    store: Option<String>,
}

/// What channels brought.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportView {
    /// The first day.
    from: String,
    /// The last day.
    to: String,
    /// What a row is for.
    by: &'static str,
    /// How orders are shared out.
    model: &'static str,
    /// The rows, by key.
    rows: Vec<ReportRow>,
    /// All rows together.
    totals: FiguresView,
}

/// A row of a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportRow {
    /// The channel, the code, the store, the member of staff or the day; absent in the row of what has none.
    key: Option<String>,
    #[serde(flatten)]
    figures: FiguresView,
}

/// What happened on these days, and what it cost. Every figure but the ratios adds up, to the same totals whatever the rows are for.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiguresView {
    /// Scans that are known of: addresses of codes that were opened, and scans that platforms told of. WeCom tells of none.
    scans: i64,
    /// Who became a contact, a follower or a member of a group: once for each code and member of staff, however often it came.
    adds: i64,
    /// Who of those who ever came so first wrote to an account of the merchant's on these days. Of contacts who are known only at WeCom it is 0: WeCom tells an
    /// app nothing of what they write.
    replies: i64,
    /// Who of the contacts and followers left on these days, and has not come back. Who leaves a group only is not counted.
    losses: i64,
    /// Orders owed to channels, of which something is left, that are their customer's first.
    first_orders: i64,
    /// Other orders owed to channels, of which something is left.
    repeat_orders: i64,
    /// What is left of the orders paid on these days, as far as they are owed to channels, in fen.
    revenue: Fen,
    /// What is left of the orders paid on these days that are owed to no channel, in fen.
    unattributed: Fen,
    /// What the channels cost, in fen: shared among those whom they brought on the day.
    cost: Fen,
    /// What a contact cost, in fen, half a fen rounded up; absent without cost or contacts.
    cost_per_contact: Option<Fen>,
    /// (revenue − cost) ÷ cost, with four decimals (投入产出比); absent without cost.
    #[schema(example = "0.5000")]
    roi: Option<String>,
}

impl FiguresView {
    fn new(figures: &Figures) -> Self {
        Self {
            scans: figures.scans,
            adds: figures.adds,
            replies: figures.replies,
            losses: figures.losses,
            first_orders: figures.first_orders,
            repeat_orders: figures.repeat_orders,
            revenue: figures.revenue,
            unattributed: figures.unattributed,
            cost: figures.cost,
            cost_per_contact: figures.cost_per_contact(),
            roi: figures.roi(),
        }
    }
}

/// What channels brought on these days, from the scan to the repeat order, and what they cost. Callers of a part of the stores see that part, members of staff
/// their own rows.
#[utoipa::path(get, path = "/v1/channels/report", params(ReportQuery), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The report", body = ReportView),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see the store", body = Problem),
))]
pub async fn show(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Query(query): Query<ReportQuery>,
) -> Result<Json<ReportView>, Problem> {
    made(&app, &cx, &caller, &query).await.map(Json)
}

/// The rows of the same report as CSV (RFC 4180), without the totals. Money is in fen.
#[utoipa::path(get, path = "/v1/channels/report.csv", params(ReportQuery), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The rows", body = String, content_type = "text/csv"),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see the store", body = Problem),
))]
pub async fn csv(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Query(query): Query<ReportQuery>,
) -> Result<Response, Problem> {
    let report = made(&app, &cx, &caller, &query).await?;
    let bytes = written(&report).map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], bytes).into_response())
}

const COLUMNS: [&str; 11] = [
    "scans",
    "adds",
    "replies",
    "losses",
    "first_orders",
    "repeat_orders",
    "revenue",
    "unattributed",
    "cost",
    "cost_per_contact",
    "roi",
];

fn written(report: &ReportView) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(std::iter::once(report.by).chain(COLUMNS))?;
    for ReportRow { key, figures } in &report.rows {
        let numbers = [
            figures.scans,
            figures.adds,
            figures.replies,
            figures.losses,
            figures.first_orders,
            figures.repeat_orders,
            figures.revenue.get(),
            figures.unattributed.get(),
            figures.cost.get(),
        ];
        let per_contact = figures.cost_per_contact.map(|fen| fen.get().to_string()).unwrap_or_default();
        let last = [per_contact, figures.roi.clone().unwrap_or_default()];
        let first = key.clone().unwrap_or_default();
        writer.write_record(std::iter::once(first).chain(numbers.map(|number| number.to_string())).chain(last))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

async fn made(app: &App, cx: &Cx, caller: &Caller<ChannelsRead>, query: &ReportQuery) -> Result<ReportView, Problem> {
    let days = days(query.from, query.to)?;
    let part = match &query.store {
        None => caller.store.clone(),
        Some(path) => {
            let path = StorePath::try_from(path.clone()).map_err(Problem::bad_request)?;
            if !caller.store.contains(Some(path.as_str())) {
                return Err(Problem::forbidden(format!("the token does not see the store {}", path.as_str())));
            }
            path
        }
    };
    let staff = caller.staff.as_deref();
    let (by, model, channel) = (query.by, query.model, query.channel.as_deref());
    let asked = store::Asked { days, by, model, channel, store: part.as_str(), staff };
    let found = app.db().read(cx, |tx: &Tx<'_>| store::read(tx, &asked)).await.map_err(Problem::from)?;
    let sees = |place: &Place| {
        part.contains(place.store.as_deref()) && staff.is_none_or(|staff| place.staff.as_deref() == Some(staff))
    };
    let broken = |error: domain::MoneyError| Problem::internal(&error);
    let rows = report::rows(by, found.figures, &found.costs, sees).map_err(broken)?;
    let totals = rows.values().try_fold(Figures::default(), |sum, row| sum.plus(*row)).map_err(broken)?;
    let row = |(key, figures): (Option<String>, Figures)| ReportRow {
        key: report::shown(by, key),
        figures: FiguresView::new(&figures),
    };
    Ok(ReportView {
        from: query.from.to_string(),
        to: query.to.to_string(),
        by: by.as_str(),
        model: model.as_str(),
        rows: rows.into_iter().map(row).collect(),
        totals: FiguresView::new(&totals),
    })
}
