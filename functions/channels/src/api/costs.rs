//! What channels cost, by day.

use super::{ChannelsRead, ChannelsWrite};
use crate::store::channel;
use crate::store::cost::{self, Cost, Mark};
use axum::Json;
use axum::extract::State;
use domain::day::{self, Day};
use domain::{Fen, UnixMs};
use jiff::civil::Date;
use kit::auth::{Caller, StorePath};
use kit::db::Row;
use kit::extract::{self, Path, Paths, Query};
use kit::page::{self, Page};
use kit::{App, Cx, DbError, Problem, Tx, audit};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The most that a channel costs on a day in one part of the stores, in fen.
const MOST_FEN: i64 = 1_000_000_000_000;
/// The longest stretch of days that is looked at, in days.
const LONGEST: i32 = 366;

/// What a channel cost on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct CostView {
    /// The day, `YYYY-MM-DD`.
    day: String,
    /// The stores that bear it; `/` for all.
    store: String,
    /// How much, in fen.
    amount: Fen,
    /// In words of the merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// When it was written.
    changed_at: UnixMs,
    #[serde(skip)]
    number: Day,
}

impl CostView {
    fn read(row: &Row) -> Result<Self, DbError> {
        let number = Day::try_from(row.get::<i64>("day")?).unwrap_or(Day::MAX);
        Ok(Self {
            day: day::date_of(number).map(|date| date.to_string()).unwrap_or_default(),
            store: row.get("store")?,
            amount: Fen::new(row.get("amount")?),
            note: row.get("note")?,
            changed_at: row.instant("changed_at")?,
            number,
        })
    }
}

/// What a channel cost on a day, as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CostBody {
    /// How much, in fen, 0 to 10¹². 0 takes away what stood there.
    #[schema(minimum = 0)]
    amount: Fen,
    /// The stores that bear it, as a path; the caller's own where it is left out, which is `/`, all, for most.
    #[serde(default)]
    store: Option<String>,
    /// In words of the merchant, at most 200 characters.
    #[serde(default)]
    note: Option<String>,
}

/// Which costs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CostsQuery {
    /// The first day, `YYYY-MM-DD`.
    #[param(value_type = String)]
    from: Date,
    /// The last day; 366 days at the most.
    #[param(value_type = String)]
    to: Date,
    /// Items a page, 1 to 500; 50 unless given.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A stretch of days, both ends included.
///
/// # Errors
/// 400 where it ends before it begins, or is longer than 366 days.
pub fn days(from: Date, to: Date) -> Result<(Day, Day), Problem> {
    let (first, last) = (day::of_date(from), day::of_date(to));
    if first > last || last.saturating_sub(first) >= LONGEST {
        return Err(Problem::bad_request(format!("from and to: ask for 1 to {LONGEST} days, the first one first")));
    }
    Ok((first, last))
}

/// Writes a cost, if it is fit and the caller may.
///
/// # Errors
/// 403 for stores that the caller does not see, 404 for a channel that there is not, 422 where something is unfit.
pub fn write(tx: &Tx<'_>, caller: &Caller<ChannelsWrite>, cost: &Cost) -> Result<(), Problem> {
    let unfit = |path: &str, what: &str| {
        Err(Problem::unprocessable("cost-unfit", format!("{path}: {what}")).with("path", path))
    };
    if !(0..=MOST_FEN).contains(&cost.amount.get()) {
        return unfit("amount", "lies between 0 and 10,000,000,000 yuan");
    }
    if StorePath::try_from(cost.store.clone()).is_err() {
        return unfit("store", "write a store's path, such as /east/shanghai-01");
    }
    if cost.note.as_ref().is_some_and(|note| note.chars().count() > 200 || note.chars().any(char::is_control)) {
        return unfit("note", "has at most 200 characters, on one line");
    }
    if caller.staff.is_some() || !caller.store.contains(Some(&cost.store)) {
        return Err(Problem::forbidden(format!("the token does not see the stores {}", cost.store)));
    }
    if !channel::exists(tx, &cost.channel)? {
        return Err(Problem::not_found(format!("there is no channel {:?}", cost.channel)));
    }
    Ok(cost::set(tx, cost)?)
}

/// What a channel cost, by day. Callers of a part of the stores see what was written for that part.
#[utoipa::path(get, path = "/v1/channels/{name}/costs", params(("name" = String, Path, description = "The channel"), CostsQuery),
    security(("token" = ["channels:read"])), responses(
    (status = 200, description = "One page of costs", body = Page<CostView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or is a member of staff's", body = Problem),
))]
pub async fn list(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Path(name): Path<String>,
    Query(query): Query<CostsQuery>,
) -> Result<Json<Page<CostView>>, Problem> {
    caller.for_no_staff("costs")?;
    let days = days(query.from, query.to)?;
    let limit = page::limit(query.limit)?;
    let after = page::read::<Mark>(query.cursor.as_deref())?;
    let read = |tx: &Tx<'_>| {
        let rows = cost::list(tx, &name, days, caller.store.as_str(), after.as_ref(), limit.saturating_add(1))?;
        rows.iter().map(CostView::read).collect::<Result<Vec<_>, DbError>>()
    };
    let costs = app.db().read(&cx, read).await.map_err(Problem::from)?;
    Ok(Json(Page::new(costs, limit, |view| Mark { day: view.number, store: view.store.clone() })))
}

/// Writes what a channel cost on a day of the merchant's calendar, in place of what stood there.
///
/// In the report, it is shared among those whom the channel brought on that day, in the stores that bear it.
#[utoipa::path(put, path = "/v1/channels/{name}/costs/{day}", request_body = CostBody, params(
        ("name" = String, Path, description = "The channel"),
        ("day" = String, Path, description = "The day, `YYYY-MM-DD`"),
    ), security(("token" = ["channels:write"])), responses(
    (status = 204, description = "It is written"),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see the stores", body = Problem),
    (status = 404, description = "No such channel, or no such day", body = Problem),
    (status = 422, description = "The amount, the stores or the note are unfit: `path` names the place", body = Problem),
))]
pub async fn set(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Paths(name, date): Paths<String, Date>,
    extract::Json(body): extract::Json<CostBody>,
) -> Result<http::StatusCode, Problem> {
    let store = body.store.unwrap_or_else(|| caller.store.as_str().to_owned());
    let cost = Cost { channel: name, day: day::of_date(date), store, amount: body.amount, note: body.note };
    app.db()
        .write(&cx, move |tx| {
            write(tx, &caller, &cost)?;
            audit::done(tx, &caller, &format!("{}/{date}", cost.channel))?;
            Ok(http::StatusCode::NO_CONTENT)
        })
        .await
}
