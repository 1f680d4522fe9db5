//! `/q/{code}`: what a scan opens where the platform has no page of its own.

use super::scan_page;
use super::visitor::Visitor;
use crate::State as Shared;
use crate::code::CodeKind;
use crate::link::{Device, merge};
use crate::picture::QrStyle;
use crate::place::{Place, nearest};
use crate::reception::{Asked, By, Chosen, choose};
use crate::store::code::{self, Code};
use crate::store::turn::{self, Last};
use crate::store::way;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::day;
use http::{HeaderMap, Method, Uri, header};
use kit::extract::Path;
use kit::{Cx, DbError, Problem, Tx};
use std::borrow::Cow;

/// How far a store may be, in metres. A float, as places on a sphere are.
const FARTHEST_M: f64 = 100_000.0;

/// What a scan of a code opens: a link's target with its UTM parameters, the nearest store's page, or the QR of the member of staff who receives. Counted by
/// day.
#[utoipa::path(get, path = "/q/{code}", params(
        ("code" = String, Path, description = "The code's `state`"),
        ("latitude" = Option<f64>, Query, description = "Of codes of stores: where the visitor is, degrees north, GCJ-02"),
        ("longitude" = Option<f64>, Query, description = "Degrees east"),
        ("datum" = Option<String>, Query, description = "`wgs84` where the two are of WGS-84, as browsers tell them"),
    ), responses(
    (status = 200, description = "A page, in Chinese, for a phone", body = String, content_type = "text/html"),
    (status = 303, description = "To the link's target"),
    (status = 404, description = "A page that says that there is no such code", body = String, content_type = "text/html"),
    (status = 410, description = "A page that says that the code is retired or its time over", body = String, content_type = "text/html"),
    (status = 503, description = "The database is busy: repeat", body = Problem),
))]
pub async fn open(
    State(shared): State<Shared>,
    cx: Cx,
    method: Method,
    Path(state): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let device = Device::of(text(&headers, header::USER_AGENT).unwrap_or_default());
    let visitor = Visitor::of(&headers);
    let given: Vec<(String, String)> = parameters(&uri).collect();
    let who = visitor.id.clone();
    let opened = if method == Method::HEAD {
        // Whoever looks whether a code works takes nobody's place.
        let look = move |tx: &Tx<'_>| found(tx, &state);
        shared.app.db().read(&cx, look).await?.map_or_else(|page| page, |code| Opened::Code(code, None))
    } else {
        shared.app.db().write(&cx, move |tx| opened(tx, &state, &who)).await?
    };
    let (code, receiver) = match opened {
        Opened::Code(code, receiver) => (code, receiver),
        Opened::Retired => return Ok(scan_page::retired()),
        Opened::Unknown => return Ok(scan_page::unknown()),
    };
    let page = match (code.kind, receiver) {
        (CodeKind::Link, _) => code.plan.target.as_ref().map(|target| {
            let utm = code.plan.utm.clone().unwrap_or_default();
            lead(&merge(target.on(device), &given, &utm))
        }),
        (CodeKind::Store, _) => Some(store(&code, &given)),
        (_, Some(Receiver { url: Some(url), .. })) => Some(scan_page::contact(&url)),
        (_, Some(Receiver { url: None, .. })) => Some(scan_page::soon()),
        (CodeKind::Assigned, None) => Some(scan_page::full()),
        (CodeKind::Account | CodeKind::AccountTemporary, None) => code.url.as_deref().map(account).transpose()?,
        (_, None) => code.url.as_deref().map(scan_page::contact),
    };
    let mut page = page.unwrap_or_else(scan_page::soon);
    visitor.hand_out(page.headers_mut())?;
    Ok(page)
}

/// WeChat shows no picture at the address of an account's code: this draws what it says.
fn account(says: &str) -> Result<Response, Problem> {
    let drawn = QrStyle::default().png(says, None);
    let drawn = drawn.map_err(|error| Problem::internal(&error))?;
    Ok(scan_page::account(&format!("data:image/png;base64,{}", STANDARD.encode(drawn))))
}

/// Who receives a scanner.
struct Receiver {
    url: Option<String>,
}

enum Opened {
    Code(Box<Code>, Option<Receiver>),
    Retired,
    Unknown,
}

/// A code that can be scanned; else what its page says.
fn found(tx: &Tx<'_>, state: &str) -> Result<Result<Box<Code>, Opened>, DbError> {
    Ok(match code::by_state(tx, state)? {
        None => Err(Opened::Unknown),
        Some(code) if code.retired_at.is_some() || code.is_expired(tx.cx().now) => Err(Opened::Retired),
        Some(code) => Ok(Box::new(code)),
    })
}

fn opened(tx: &Tx<'_>, state: &str, visitor: &str) -> Result<Opened, DbError> {
    let code = match found(tx, state)? {
        Ok(code) => code,
        Err(page) => return Ok(page),
    };
    code::count_scan(tx, code.id, day::of(tx.cx().now))?;
    let receiver = match code.kind {
        CodeKind::Assigned => assign(tx, &code, visitor)?,
        _ => None,
    };
    Ok(Opened::Code(code, receiver))
}

/// Sends a scanner to a member of staff, and holds a place under the daily cap. In one transaction with the count that it goes by, so that caps and
/// shares hold however many scan at once. Who opens the page again while the place is held sees the same; so does, in the exclusive mode, who has added, and
/// needs no place.
fn assign(tx: &Tx<'_>, code: &Code, visitor: &str) -> Result<Option<Receiver>, DbError> {
    let Some(plan) = &code.plan.reception else { return Ok(None) };
    let (now, today) = (tx.cx().now, day::of(tx.cx().now));
    let staff = match turn::last(tx, code.id, visitor)? {
        Some(Last::Held(staff)) => staff,
        last => {
            let (taken, given) = (turn::taken(tx, code, today)?, turn::given(tx, code.id, today)?);
            let before = match &last {
                Some(Last::Added(staff)) => Some(staff.as_str()),
                _ => None,
            };
            let asked = Asked { at: now, today: &taken, round: &given, before };
            match choose(plan, asked).map_err(|error| DbError::Shape(error.to_string()))? {
                Chosen::Staff { staff, by: By::Exclusive } => staff,
                Chosen::Staff { staff, .. } => {
                    let until = now.millis().saturating_add(code.plan.hold_ms());
                    turn::give(tx, code.id, &staff, today, visitor, until)?;
                    staff
                }
                Chosen::Full | Chosen::Nobody => return Ok(None),
            }
        }
    };
    let own = way::of_code(tx, code.id)?.into_iter().find(|way| way.staff == staff);
    Ok(Some(Receiver { url: own.and_then(|way| way.url) }))
}

fn store(code: &Code, given: &[(String, String)]) -> Response {
    let number = |name: &str| given.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok());
    let (Some(latitude), Some(longitude)) = (number("latitude"), number("longitude")) else {
        return scan_page::stores(&code.plan.branches);
    };
    let place = Place { latitude, longitude };
    let is_wgs84 = given.iter().any(|(name, value)| name == "datum" && value == "wgs84");
    let from = if is_wgs84 { place.to_gcj02() } else { place };
    let places = code.plan.branches.iter().map(|branch| (branch.name.as_str(), branch.place));
    let found = nearest(from, places, FARTHEST_M).and_then(|(number, _)| code.plan.branches.get(number));
    let Some(branch) = found else { return scan_page::stores(&code.plan.branches) };
    let is_place = |name: &str| matches!(name, "latitude" | "longitude" | "datum");
    let rest: Vec<_> = given.iter().filter(|(name, _)| !is_place(name)).cloned().collect();
    let utm = code.plan.utm.clone().unwrap_or_default();
    lead(&merge(&branch.url, &rest, &utm))
}

fn lead(url: &str) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Redirect::to(url)).into_response()
}

fn parameters(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    let query = uri.query().unwrap_or_default().as_bytes();
    form_urlencoded::parse(query).map(|(name, value)| (Cow::into_owned(name), Cow::into_owned(value)))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
