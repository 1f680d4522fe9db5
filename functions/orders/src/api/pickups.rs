//! Couriers who fetch returns, as staff call them.

use super::{OrdersRead, OrdersWrite, seen};
use crate::State as Shared;
use crate::pickup;
use crate::store::{self, KnownPickup};
use axum::Json;
use axum::extract::State;
use domain::{Address, Fen, Masked, Name, Phone, PickupId, PickupStatus, RefundId, RefundStatus, UnixMs};
use kit::auth::Caller;
use kit::extract::{self, Path};
use kit::{ConfigError, Cx, Problem, Tx, Vault, audit};
use platforms::kuaidi100::pickup::Wish;
use platforms::kuaidi100::{DESTINATION, RETURN};
use serde::Serialize;
use utoipa::ToSchema;

/// A courier who fetches the goods of a refund.
#[derive(Debug, Serialize, ToSchema)]
pub struct PickupView {
    /// The pickup's id in our books.
    id: PickupId,
    /// The refund whose goods are fetched.
    refund_id: RefundId,
    /// The carrier by Kuaidi100's code.
    carrier: String,
    /// Who hands the parcel over, masked.
    sender: SenderView,
    /// What is in it.
    cargo: Option<String>,
    /// What it weighs, in grams.
    grams: Option<u32>,
    /// How far it has come.
    status: PickupStatus,
    /// The carrier's own word for that.
    raw_status: Option<String>,
    /// The parcel's number, once there is one.
    tracking_number: Option<String>,
    /// What the merchant pays the carrier, in fen, once that is known.
    fee: Option<Fen>,
    /// When it was entered.
    created_at: UnixMs,
}

/// Who hands a parcel over, masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct SenderView {
    /// Name.
    #[schema(value_type = String, example = "张*")]
    name: Masked<Name>,
    /// Mobile number.
    #[schema(value_type = String, example = "138****0001")]
    phone: Masked<Phone>,
    /// Address.
    #[schema(value_type = String, example = "浙江省杭州市****")]
    address: Masked<Address>,
}

impl PickupView {
    fn new(vault: &Vault, known: KnownPickup) -> Result<Self, Problem> {
        let sender = pickup::sender(vault, &known)?;
        Ok(Self {
            sender: SenderView {
                name: Masked::new(sender.name.expose().as_str()),
                phone: Masked::new(sender.phone.expose().as_str()),
                address: Masked::new(sender.address.expose().as_str()),
            },
            id: known.id,
            refund_id: known.refund_id,
            carrier: known.carrier,
            cargo: known.cargo,
            grams: known.grams,
            status: known.status,
            raw_status: known.raw_status,
            tracking_number: known.tracking_number,
            fee: known.fee,
            created_at: known.created_at,
        })
    }
}

/// The newest courier for a refund.
#[utoipa::path(get, path = "/v1/refunds/{id}/pickup", params(("id" = RefundId, Path, description = "The refund's id in our books")),
    security(("token" = ["orders:read"])), responses(
    (status = 200, description = "The pickup", body = PickupView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such refund among those that the caller may see, or no courier for it", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<OrdersRead>,
    Path(id): Path<RefundId>,
) -> Result<Json<PickupView>, Problem> {
    let vault = shared.settings.vault.as_ref()?.clone();
    let read = move |tx: &Tx<'_>| {
        seen::refund(tx, &caller.store, id)?;
        let known = store::pickup_of(tx, id)?.ok_or_else(|| Problem::not_found("no courier was called for it"))?;
        PickupView::new(&vault, known).map(Json)
    };
    shared.app.db().read(&cx, read).await
}

/// Calls a courier to fetch the goods of a refund: at once where the case is agreed, else when it is. Until the carrier is told,
/// a repetition changes the pickup; after that only the same is accepted. The goods go to the address that `kuaidi100_return_name`,
/// `_return_phone` and `_return_address` name. `pickup.changed` tells how it goes on and what it costs.
#[utoipa::path(put, path = "/v1/refunds/{id}/pickup", request_body = Wish,
    params(("id" = RefundId, Path, description = "The refund's id in our books")),
    security(("token" = ["orders:write"])), responses(
    (status = 200, description = "The pickup", body = PickupView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such refund among those that the caller may see", body = Problem),
    (status = 409, description = "Another courier is under way, the case is over, or no goods come back in it", body = Problem),
    (status = 422, description = "No courier could do it: says what to change", body = Problem),
    (status = 503, description = "Kuaidi100 is not configured: names the variable", body = Problem),
))]
pub async fn want(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<OrdersWrite>,
    Path(id): Path<RefundId>,
    extract::Json(wish): extract::Json<Wish>,
) -> Result<Json<PickupView>, Problem> {
    let vault = shared.settings.vault.as_ref()?.clone();
    let account = shared.settings.kuaidi100.as_ref()?;
    if let Some(missing) = RETURN.iter().find(|setting| account.text(setting.name).trim().is_empty()) {
        return Err(ConfigError::missing(missing.variable(DESTINATION)).into());
    }
    wish.check().map_err(|(field, advice)| Problem::unprocessable("pickup-unusable", format!("{field}: {advice}")))?;
    let write = move |tx: &Tx<'_>| {
        let (_, refund) = seen::refund(tx, &caller.store, id)?;
        let over = matches!(
            refund.facts.status(),
            Some(RefundStatus::Rejected | RefundStatus::Cancelled | RefundStatus::Refunded)
        );
        if over || !pickup::comes_back(refund.facts.claim.as_ref().map(|claim| &claim.value)) {
            let why = "no goods come back in this case: a courier fetches those of an open return or exchange";
            return Err(Problem::conflict("refund-stands", why));
        }
        let (known, as_wished) = pickup::want(tx, &vault, &refund, &wish)?;
        if !as_wished {
            let why = "another courier is under way: DELETE that one first, where the parcel has not been picked up";
            return Err(Problem::conflict("pickup-stands", why));
        }
        audit::done(tx, &caller, &id.to_string())?;
        PickupView::new(&vault, known).map(Json)
    };
    shared.app.db().write(&cx, write).await
}

/// Withdraws the courier for a refund: at once while the carrier does not know of it, else through the carrier, which
/// `pickup.changed` with `cancelled` confirms.
#[utoipa::path(delete, path = "/v1/refunds/{id}/pickup", params(("id" = RefundId, Path, description = "The refund's id in our books")),
    security(("token" = ["orders:write"])), responses(
    (status = 200, description = "The pickup: cancelled, or about to be", body = PickupView),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such refund among those that the caller may see, or no courier for it", body = Problem),
    (status = 409, description = "The carrier is being told, has the parcel, or is done", body = Problem),
))]
pub async fn withdraw(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<OrdersWrite>,
    Path(id): Path<RefundId>,
) -> Result<Json<PickupView>, Problem> {
    let vault = shared.settings.vault.as_ref()?.clone();
    let write = move |tx: &Tx<'_>| {
        seen::refund(tx, &caller.store, id)?;
        let mut known = store::pickup_of(tx, id)?.ok_or_else(|| Problem::not_found("no courier was called for it"))?;
        if known.status != PickupStatus::Cancelled {
            if !known.status.can_be_cancelled() {
                let why = format!("the pickup is {}: it can no longer, or not yet, be withdrawn", known.status);
                return Err(Problem::conflict("pickup-stands", why));
            }
            pickup::withdraw(tx, &mut known)?;
            audit::done(tx, &caller, &id.to_string())?;
        }
        PickupView::new(&vault, known).map(Json)
    };
    shared.app.db().write(&cx, write).await
}
