//! Customers to find.

use super::CustomersRead;
use crate::State as Shared;
use crate::portrait;
use crate::store::view::{self, Filter, Listed, Mark};
use axum::Json;
use axum::extract::State;
use domain::{CustomerId, IdentityKind, Masked, Name, SegmentId, Stage, TagId, UnixMs, phone_e164};
use kit::auth::Caller;
use kit::extract::Query;
use kit::page::{self, Page};
use kit::{Cx, Problem, Vault};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which customers to list. Conditions narrow each other.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// In this stage now.
    stage: Option<Stage>,
    /// Of this store or one below it (`/east`).
    store: Option<String>,
    /// Of this member of staff.
    staff: Option<String>,
    /// Who has this tag now.
    tag: Option<TagId>,
    /// Who is in this segment now.
    segment: Option<SegmentId>,
    /// Whose phone number this is: the whole number.
    phone: Option<String>,
    /// Who has this member card.
    card: Option<String>,
    /// Whose name begins so; at most 8 characters count.
    name: Option<String>,
    /// Items a page, 1 to 500; 50 unless given.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A customer in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerItem {
    /// Its id.
    pub id: CustomerId,
    /// The name, masked; absent where nobody has told it.
    #[schema(value_type = Option<String>, example = "张*")]
    pub name: Option<Masked<Name>>,
    /// How far it has come.
    pub stage: Stage,
    /// Since when.
    pub stage_since: UnixMs,
    /// The store, as a path.
    pub store: Option<String>,
    /// The member of staff whose customer it is.
    pub advisor: Option<String>,
    /// When it was first heard of.
    pub created_at: UnixMs,
    /// When its personal data were erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<UnixMs>,
}

impl CustomerItem {
    pub fn new(vault: &Vault, listed: &Listed) -> Self {
        // A name that another key has sealed is not shown: the list goes on.
        let name = listed.name.as_deref().and_then(|sealed| portrait::open_name(vault, sealed).ok());
        Self {
            id: listed.id,
            name: name.map(Masked::new),
            stage: listed.stage,
            stage_since: listed.stage_since,
            store: listed.store.clone(),
            advisor: listed.advisor.clone(),
            created_at: listed.created_at,
            erased_at: listed.erased_at,
        }
    }
}

/// Customers, newest first. Those who became part of another are not listed.
#[utoipa::path(get, path = "/v1/customers", params(ListQuery), security(("token" = ["customers:read"])), responses(
    (status = 200, description = "One page of customers", body = Page<CustomerItem>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 503, description = "`data_key` is missing", body = Problem),
))]
pub async fn list(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<CustomersRead>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<CustomerItem>>, Problem> {
    let vault = shared.settings.vault.as_ref()?;
    let limit = page::limit(query.limit)?;
    let filter = Filter {
        stage: query.stage,
        store: query.store.clone(),
        advisor: query.staff.clone(),
        identity: identity(vault, &query)?,
        name_prefix: query.name.as_deref().map(|name| prefix(vault, name)).transpose()?,
        tag: query.tag.map(|tag| tag.to_string()),
        segment: query.segment.map(|segment| segment.to_string()),
        seen: caller.store.as_str().to_owned(),
        pool: caller.staff.clone(),
        after: page::read::<Mark>(query.cursor.as_deref())?,
    };
    let found = shared.app.db().read(&cx, |tx| view::list(tx, &filter, limit + 1)).await.map_err(Problem::from)?;
    let items = found.iter().map(|listed| CustomerItem::new(vault, listed)).collect();
    Ok(Json(Page::new(items, limit, |item: &CustomerItem| Mark { created_at: item.created_at.millis(), id: item.id })))
}

fn identity(vault: &Vault, query: &ListQuery) -> Result<Option<(&'static str, String)>, Problem> {
    match (&query.phone, &query.card) {
        (Some(_), Some(_)) => Err(Problem::bad_request("phone and card: give one of the two")),
        (Some(phone), None) => {
            let number = phone_e164(phone)
                .ok_or_else(|| Problem::bad_request("phone: give the whole number, mainland or with country code"))?;
            let hash = vault.hash("phone", &number).map_err(|error| Problem::internal(&error))?;
            Ok(Some((IdentityKind::PhoneHash.as_str(), hash)))
        }
        (None, Some(card)) => Ok(Some((IdentityKind::MemberCard.as_str(), card.clone()))),
        (None, None) => Ok(None),
    }
}

fn prefix(vault: &Vault, name: &str) -> Result<String, Problem> {
    if name.trim().is_empty() {
        return Err(Problem::bad_request("name: give at least one character"));
    }
    portrait::prefix_hash(vault, name).map_err(|error| Problem::internal(&error))
}
