//! Who read a content, for how long, and by whose link.

use super::super::ChannelsRead;
use super::seen;
use crate::State as Shared;
use crate::store::radar::report::{self, Figures};
use crate::store::radar::visit::{self, Listed, Mark};
use axum::Json;
use axum::extract::State;
use domain::{ContentId, CustomerId, Identity, UnixMs};
use kit::auth::Caller;
use kit::extract::{Path, Query};
use kit::page::{self, Page, PageQuery};
use kit::{Cx, Problem, Tx};
use serde::Serialize;
use utoipa::ToSchema;

/// How many members of staff, links and readers a report lists at the most.
const MOST: u32 = 500;

/// One time that a link was opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitView {
    /// The link's token.
    share: String,
    /// The member of staff who shared it.
    #[serde(skip_serializing_if = "Option::is_none")]
    staff: Option<String>,
    /// Who, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
    /// The customer, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerId>,
    /// When.
    opened_at: UnixMs,
    /// For how long, in milliseconds.
    dwell_ms: i64,
    /// How much was seen, in percent, where the content tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    depth_percent: Option<i64>,
}

impl VisitView {
    fn new(listed: Listed) -> Self {
        let Listed { visit, staff, customer } = listed;
        Self {
            share: visit.share,
            staff,
            identity: visit.who,
            customer,
            opened_at: visit.opened_at,
            dwell_ms: visit.dwell_ms,
            depth_percent: visit.depth_percent,
        }
    }
}

/// Figures of visits.
#[derive(Debug, Serialize, ToSchema)]
struct FiguresView {
    /// How often links were opened.
    opens: i64,
    /// By how many: people where they are known, browsers else.
    readers: i64,
    /// For how long together, in milliseconds.
    dwell_ms: i64,
    /// For how long a visit lasts on average, in milliseconds.
    average_dwell_ms: i64,
    /// How much is seen on average, in percent, of visits that tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    depth_percent: Option<i64>,
    /// How many links readers have passed on.
    forwards: i64,
}

impl FiguresView {
    fn new(figures: Figures) -> Self {
        let Figures { opens, readers, dwell_ms, depth_percent, forwards } = figures;
        let average_dwell_ms = dwell_ms.checked_div(opens).unwrap_or(0);
        Self { opens, readers, dwell_ms, average_dwell_ms, depth_percent, forwards }
    }
}

/// Visits by the links of one member of staff.
#[derive(Debug, Serialize, ToSchema)]
struct StaffView {
    /// Who; absent for links of nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    staff: Option<String>,
    /// The figures, of links that were passed on from those too.
    #[serde(flatten)]
    figures: FiguresView,
}

/// Visits by one link.
#[derive(Debug, Serialize, ToSchema)]
struct LinkView {
    /// The link's token.
    token: String,
    /// The member of staff who shared it.
    #[serde(skip_serializing_if = "Option::is_none")]
    staff: Option<String>,
    /// The customer whom it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
    /// The link that it was passed on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// How often it was passed on.
    depth: i64,
    /// The figures; `forwards` counts links from this one.
    #[serde(flatten)]
    figures: FiguresView,
}

/// Visits by links that were passed on so often.
#[derive(Debug, Serialize, ToSchema)]
struct SpreadView {
    /// How often: 0 for links of staff.
    depth: i64,
    /// How many such links there are.
    shares: i64,
    /// The figures.
    #[serde(flatten)]
    figures: FiguresView,
}

/// A known reader.
#[derive(Debug, Serialize, ToSchema)]
struct ReaderView {
    /// By which identity; one of several where the customer is known.
    identity: Identity,
    /// The customer, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerId>,
    /// How often.
    opens: i64,
    /// For how long together, in milliseconds.
    dwell_ms: i64,
    /// How much was seen at the most, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    depth_percent: Option<i64>,
    /// When last.
    last_at: UnixMs,
}

/// What a content's visits come to. Each list has 500 at the most.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContentReport {
    /// All visits.
    total: FiguresView,
    /// By member of staff, the most opened first.
    staff: Vec<StaffView>,
    /// By link, the most opened first.
    shares: Vec<LinkView>,
    /// By how often links were passed on.
    propagation: Vec<SpreadView>,
    /// Known readers, the latest first.
    readers: Vec<ReaderView>,
}

/// Visits to a content, newest first.
#[utoipa::path(get, path = "/v1/contents/{id}/visits", params(("id" = ContentId, Path, description = "The content"), PageQuery),
    security(("token" = ["channels:read"])), responses(
    (status = 200, description = "One page of visits", body = Page<VisitView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such content among those that the caller may see", body = Problem),
))]
pub async fn visits(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Path(id): Path<ContentId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<VisitView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<Mark>(query.cursor.as_deref())?;
    let found = |tx: &Tx<'_>| {
        seen(tx, &caller, id)?;
        caller.for_no_staff("all readers of a content")?;
        visit::list(tx, id, after.as_ref(), limit.saturating_add(1)).map_err(Problem::from)
    };
    let found = shared.app.db().read(&cx, found).await?;
    let mark = |one: &Listed| Mark { at: one.visit.opened_at.millis(), id: one.visit.id.clone() };
    Ok(Json(Page::new(found, limit, mark).map(VisitView::new)))
}

/// What a content's visits come to: by member of staff, by link, by how often links were passed on, by customer.
#[utoipa::path(get, path = "/v1/contents/{id}/report", params(("id" = ContentId, Path, description = "The content")),
    security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The report", body = ContentReport),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such content among those that the caller may see", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Path(id): Path<ContentId>,
) -> Result<Json<ContentReport>, Problem> {
    let read = |tx: &Tx<'_>| {
        seen(tx, &caller, id)?;
        caller.for_no_staff("all readers of a content")?;
        let staff = report::by_staff(tx, id, MOST)?.into_iter();
        let shares = report::by_share(tx, id, MOST)?.into_iter();
        let depths = report::by_depth(tx, id)?.into_iter();
        let readers = report::readers(tx, id, MOST)?.into_iter();
        Ok::<_, Problem>(ContentReport {
            total: FiguresView::new(report::total(tx, id)?),
            staff: staff.map(|(staff, of)| StaffView { staff, figures: FiguresView::new(of) }).collect(),
            shares: shares.map(link).collect(),
            propagation: depths
                .map(|(depth, shares, of)| SpreadView { depth, shares, figures: FiguresView::new(of) })
                .collect(),
            readers: readers.map(reader).collect(),
        })
    };
    shared.app.db().read(&cx, read).await.map(Json)
}

fn link(of: report::OfShare) -> LinkView {
    let report::OfShare { token, staff, who: identity, parent, depth, figures } = of;
    LinkView { token, staff, identity, parent, depth, figures: FiguresView::new(figures) }
}

fn reader(of: report::Reader) -> ReaderView {
    let report::Reader { who: identity, customer, opens, dwell_ms, depth_percent, last_at } = of;
    ReaderView { identity, customer, opens, dwell_ms, depth_percent, last_at }
}
