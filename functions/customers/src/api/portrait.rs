//! One customer, seen from all sides, and what it did.

use super::list::CustomerItem;
use super::membership::view::MemberView;
use super::relations::RelationView;
use super::{CustomersRead, seen};
use crate::State as Shared;
use crate::intake::{INTAKE, Intake, PHONE};
use crate::portrait;
use crate::store::identity::{self, IdentityRow};
use crate::store::relation;
use crate::store::view::{self, AttributeRow, Sealed, TimelineMark};
use axum::Json;
use axum::extract::State;
use domain::{CustomerId, Fen, IdentityKind, Masked, Phone, Stage, UnixMs};
use kit::auth::Caller;
use kit::db::Row;
use kit::extract::{Path, Query};
use kit::page::{self, Page, PageQuery};
use kit::{Cx, DbError, Problem, Tx, Vault};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A customer from all sides.
#[derive(Debug, Serialize, ToSchema)]
pub struct Portrait {
    /// As in the list. `id` is the id that stays: an older one that was asked for names the same customer.
    #[serde(flatten)]
    customer: CustomerItem,
    /// How it is recognised, the oldest first.
    identities: Vec<IdentityView>,
    /// The profile.
    attributes: Vec<AttributeView>,
    /// What it has agreed to, the newest word for each purpose.
    consents: Vec<ConsentView>,
    /// The stages it has been in, newest first, at most 50.
    stages: Vec<StageView>,
    /// Its paid orders.
    orders: OrdersView,
    /// Merges and splits, newest first, at most 50.
    merges: Vec<MergeView>,
    /// Other customers who may be the same person: only hints, nothing is proved.
    suggestions: Vec<SuggestionView>,
    /// The staff it has, or had, a relation with, those that stand first.
    relations: Vec<RelationView>,
    /// The last time that a member of staff did something about it.
    last_touch: Option<TouchView>,
    /// Its membership: level, points, cards.
    membership: MemberView,
    /// Its tags with their reasons; absent while tagging does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    tags: Option<Value>,
    /// Its features; absent while tagging does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    features: Option<Value>,
}

/// A way in which a customer is recognised.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityView {
    /// What kind of id it is.
    pub kind: IdentityKind,
    /// The account that it is of.
    pub scope: Option<String>,
    /// The id, its middle masked; of a phone the masked number, where it is known.
    #[schema(example = "138****0001")]
    pub value: String,
    /// When it was first seen.
    pub first_seen: UnixMs,
}

/// A value of the profile.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttributeView {
    /// The field.
    pub field: String,
    /// The value.
    #[schema(value_type = Object)]
    pub value: Value,
    /// Who told: `event`, `staff`, `import`.
    pub source: String,
    /// When it was true.
    pub at: UnixMs,
}

/// A consent.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsentView {
    /// What for.
    pub purpose: String,
    /// Whether it stands.
    pub granted: bool,
    /// How it was given.
    pub source: String,
    /// When.
    pub at: UnixMs,
}

/// A move to another stage.
#[derive(Debug, Serialize, ToSchema)]
pub struct StageView {
    /// The stage before.
    pub from: Option<Stage>,
    /// The stage after.
    pub to: Stage,
    /// What caused it: the type of an event, or the kind of an activity.
    pub cause: String,
    /// When.
    pub at: UnixMs,
}

/// What a customer's paid orders come to. `GET /v1/orders?identity=` lists them.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrdersView {
    /// How many.
    pub count: i64,
    /// What was paid, in fen.
    pub paid: Fen,
    /// What of it went back, in fen.
    pub refunded: Fen,
    /// When the first was paid.
    pub first_paid_at: Option<UnixMs>,
    /// When the last was paid.
    pub last_paid_at: Option<UnixMs>,
}

/// A merge or a split.
#[derive(Debug, Serialize, ToSchema)]
pub struct MergeView {
    /// `merged` or `split`.
    pub what: String,
    /// The customer who stayed, or who is one of its own again.
    pub customer_id: CustomerId,
    /// The other one.
    pub other_id: CustomerId,
    /// Who decided it; absent where identities proved it.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: UnixMs,
}

/// Another customer who may be the same person.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionView {
    /// The other one.
    pub customer_id: CustomerId,
    /// What they share.
    pub kind: IdentityKind,
}

/// A contact of a member of staff with a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct TouchView {
    /// The member of staff.
    pub staff: String,
    /// When.
    pub at: UnixMs,
    /// What: `follow_up_recorded`, `follow_up_done`, `relation_added`, `relation_re_added`, or the kind of an activity (`call_held`).
    pub what: String,
}

/// One customer from all sides.
#[utoipa::path(get, path = "/v1/customers/{id}", params(("id" = CustomerId, Path, description = "Its id, or one that it once had")),
    security(("token" = ["customers:read"])), responses(
    (status = 200, description = "The customer", body = Portrait),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
    (status = 503, description = "`data_key` is missing", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersRead>,
    Path(id): Path<CustomerId>,
) -> Result<Json<Portrait>, Problem> {
    let vault = shared.settings.vault.as_ref()?;
    let mut found = shared.app.db().read(&cx, |tx| read(tx, vault, &caller, id)).await?;
    if let Some(Value::Object(mut tagged)) = crate::tagging::portrait(&shared.app, &cx, found.customer.id).await {
        found.tags = tagged.remove("tags");
        found.features = tagged.remove("features");
    }
    Ok(Json(found))
}

fn read(tx: &Tx<'_>, vault: &Vault, caller: &Caller<CustomersRead>, id: CustomerId) -> Result<Portrait, Problem> {
    let listed = seen::customer(tx, caller, id)?;
    let id = listed.id;
    let figures = view::order_figures(tx, id)?;
    let identities = identity::of_customer(tx, id)?;
    Ok(Portrait {
        customer: CustomerItem::new(vault, &listed),
        identities: identities.iter().map(|row| identity_view(tx, vault, row)).collect::<Result<_, _>>()?,
        attributes: view::attributes(tx, id)?
            .into_iter()
            .map(|row| attribute_view(vault, row))
            .collect::<Result<_, _>>()?,
        consents: view::consents(tx, id)?.iter().map(consent_view).collect::<Result<_, _>>()?,
        stages: view::stages(tx, id)?.iter().map(stage_view).collect::<Result<_, _>>()?,
        orders: OrdersView {
            count: figures.orders,
            paid: figures.paid,
            refunded: figures.refunded,
            first_paid_at: figures.first_paid_at,
            last_paid_at: figures.last_paid_at,
        },
        merges: view::merges(tx, id)?.iter().map(merge_view).collect::<Result<_, _>>()?,
        suggestions: suggestions(tx, caller, id)?,
        relations: relation::of_customer(tx, id)?.iter().map(RelationView::from_row).collect::<Result<_, _>>()?,
        last_touch: relation::last_touch(tx, id)?.as_ref().map(touch_view).transpose()?,
        membership: MemberView::read(tx, vault, &listed)?,
        tags: None,
        features: None,
    })
}

/// An identity, its value masked.
///
/// # Errors
/// [`DbError`] of the query.
pub fn identity_view(tx: &Tx<'_>, vault: &Vault, row: &IdentityRow) -> Result<IdentityView, DbError> {
    let value = match row.identity.kind {
        IdentityKind::PhoneHash => phone(tx, vault, row)?.map_or_else(|| "****".to_owned(), |phone| phone.to_string()),
        _ => middle_masked(&row.identity.value),
    };
    Ok(IdentityView {
        kind: row.identity.kind,
        scope: row.identity.scope.clone(),
        value,
        first_seen: UnixMs::from_millis(row.first_seen).unwrap_or(UnixMs::EPOCH),
    })
}

/// The phone behind a hash, where somebody has told it and the key opens it.
///
/// # Errors
/// [`DbError`] of the query.
pub fn phone(tx: &Tx<'_>, vault: &Vault, row: &IdentityRow) -> Result<Option<Masked<Phone>>, DbError> {
    let open = |purpose, sealed: &[u8]| {
        vault.open(purpose, sealed).ok().map(|clear| Masked::new(String::from_utf8_lossy(&clear).into_owned()))
    };
    Ok(view::clear_value(tx, row)?.and_then(|sealed| match sealed {
        Sealed::Told(sealed) => open(PHONE, &sealed),
        Sealed::Ordered(sealed) => open(platforms::own::PHONE, &sealed),
    }))
}

/// An id of which the ends are shown: enough to tell two apart, too little to use.
fn middle_masked(value: &str) -> String {
    let letters: Vec<char> = value.chars().collect();
    match letters.as_slice() {
        [first, second, hidden @ .., last_but_one, last] if hidden.len() >= 4 => {
            format!("{first}{second}****{last_but_one}{last}")
        }
        _ => "****".to_owned(),
    }
}

fn attribute_view(vault: &Vault, row: AttributeRow) -> Result<AttributeView, DbError> {
    let value = match (row.value, row.sealed) {
        (Some(json), _) => serde_json::from_str(&json).map_err(|error| DbError::Shape(error.to_string()))?,
        (None, Some(sealed)) => portrait::open_text(vault, &sealed).map_or(Value::Null, Value::String),
        (None, None) => Value::Null,
    };
    Ok(AttributeView { field: row.field, value, source: row.source, at: row.at })
}

fn consent_view(row: &Row) -> Result<ConsentView, DbError> {
    Ok(ConsentView {
        purpose: row.get("purpose")?,
        granted: row.get("granted")?,
        source: row.get("source")?,
        at: row.instant("at")?,
    })
}

fn stage_view(row: &Row) -> Result<StageView, DbError> {
    let from: Option<String> = row.get("from_")?;
    Ok(StageView {
        from: from.map(|from| from.parse()).transpose().map_err(|_| DbError::Shape("no stage".to_owned()))?,
        to: row.parse("to_")?,
        cause: row.get("cause")?,
        at: row.instant("at")?,
    })
}

fn merge_view(row: &Row) -> Result<MergeView, DbError> {
    Ok(MergeView {
        what: row.get("what")?,
        customer_id: row.parse("customer")?,
        other_id: row.parse("other")?,
        by: row.get("by")?,
        reason: row.get("reason")?,
        at: row.instant("at")?,
    })
}

fn touch_view(row: &Row) -> Result<TouchView, DbError> {
    Ok(TouchView { staff: row.get("staff")?, at: row.instant("at")?, what: row.get("what")? })
}

/// Hints at customers whom the caller may see.
fn suggestions(tx: &Tx<'_>, caller: &Caller<CustomersRead>, id: CustomerId) -> Result<Vec<SuggestionView>, DbError> {
    let mut seen = Vec::new();
    for row in view::suggestions(tx, id)? {
        let suggestion = suggestion_view(&row)?;
        if let Some(listed) = view::by_id(tx, suggestion.customer_id)?
            && seen::sees(tx, caller, &listed)?
        {
            seen.push(suggestion);
        }
    }
    Ok(seen)
}

fn suggestion_view(row: &Row) -> Result<SuggestionView, DbError> {
    let kind: String = row.get("kind")?;
    let kind = serde_json::from_value(Value::String(kind)).map_err(|error| DbError::Shape(error.to_string()))?;
    Ok(SuggestionView { customer_id: row.parse("customer")?, kind })
}

/// Something that a customer did.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// When.
    pub at: UnixMs,
    /// Its place in the log.
    pub seq: i64,
    /// The type of the event.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What matters of it.
    #[schema(value_type = Object)]
    pub summary: Value,
    /// What was said or filled in, for those who may read it (`customers:texts`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub texts: Option<Value>,
}

/// What a customer did, newest first.
#[utoipa::path(get, path = "/v1/customers/{id}/timeline",
    params(("id" = CustomerId, Path, description = "Its id, or one that it once had"), PageQuery),
    security(("token" = ["customers:read"])), responses(
    (status = 200, description = "One page of what it did", body = Page<TimelineEntry>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such customer among those that the caller may see", body = Problem),
))]
pub async fn timeline(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersRead>,
    Path(id): Path<CustomerId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<TimelineEntry>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<TimelineMark>(query.cursor.as_deref())?;
    let vault = if caller.may("customers:texts") { Some(shared.settings.vault.as_ref()?) } else { None };
    let entries = shared
        .app
        .db()
        .read(&cx, |tx| {
            let id = seen::customer(tx, &caller, id)?.id;
            let rows = view::timeline(tx, id, after, limit + 1)?;
            rows.iter().map(|row| entry(vault, row).map_err(Problem::from)).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    Ok(Json(Page::new(entries, limit, |entry: &TimelineEntry| TimelineMark { at: entry.at.millis(), seq: entry.seq })))
}

fn entry(vault: Option<&Vault>, row: &Row) -> Result<TimelineEntry, DbError> {
    let sealed: Option<Vec<u8>> = row.get("sealed")?;
    let texts = vault.zip(sealed).and_then(|(vault, sealed)| {
        let intake: Intake = serde_json::from_slice(&vault.open(INTAKE, &sealed).ok()?).ok()?;
        serde_json::to_value(intake.texts).ok()
    });
    Ok(TimelineEntry {
        at: row.instant("at")?,
        seq: row.get("seq")?,
        type_name: row.get("type")?,
        summary: row.json("summary")?,
        texts,
    })
}

#[cfg(test)]
mod tests {
    use super::middle_masked;

    #[test]
    fn an_id_shows_its_ends_and_a_short_one_nothing() {
        assert_eq!(middle_masked("oUnion-0001"), "oU****01");
        assert_eq!(middle_masked("M-00001"), "****");
        assert_eq!(middle_masked(""), "****");
    }
}
