//! Membership as callers see it.

use crate::portrait::open_name;
use crate::store::membership::card::{self, CardRow};
use crate::store::membership::level::{self, ProgramRow};
use crate::store::membership::points::{self, Balance, Entry, EntryKind};
use crate::store::membership::redemption::RedemptionRow;
use crate::store::membership::reward::RewardRow;
use crate::store::view::Listed;

use domain::{CustomerId, Masked, Name, OrderId, RedemptionId, RewardId, RewardKind, UnixMs};
use kit::{DbError, Tx, Vault};
use serde::Serialize;
use utoipa::ToSchema;

/// An entry of the ledger of points.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// Its place in the ledger.
    pub seq: i64,
    /// What it is.
    kind: EntryKind,
    /// Points that came in, or went (negative).
    points: i64,
    /// When.
    at: UnixMs,
    /// The order that caused it.
    order_id: Option<OrderId>,
    /// The redemption that caused it.
    redemption_id: Option<RedemptionId>,
    /// Why, in a person's words.
    reason: Option<String>,
    /// Who did it (a token's id); absent where an order or the time did.
    by: Option<String>,
}

impl EntryView {
    /// An entry at its place.
    pub fn new((seq, entry): (i64, Entry)) -> Self {
        let Entry { customer: _, kind, points, at, order, redemption, reason, by } = entry;
        Self { seq, kind, points, at, order_id: order, redemption_id: redemption, reason, by }
    }
}

/// A customer's points.
#[derive(Debug, Serialize, ToSchema)]
pub struct PointsView {
    /// The customer, after all merges.
    pub customer_id: CustomerId,
    /// What can be spent now; never negative.
    pub balance: i64,
    /// What was spent though its order was given back: points that come in pay this first.
    pub owed: i64,
    /// When the next points expire.
    pub next_expiry: Option<UnixMs>,
    /// How many expire then.
    pub next_expiring: Option<i64>,
    /// The ledger, newest first.
    pub entries: Vec<EntryView>,
    /// Give this as `cursor` to see the next page of entries; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A reward of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct RewardView {
    /// Its id.
    pub id: RewardId,
    /// Its name.
    name: String,
    /// What it is.
    kind: RewardKind,
    /// The coupon's template, or the SKU.
    code: String,
    /// Its price in points.
    price: i64,
    /// How many are left; absent where that is not limited.
    stock: Option<i64>,
    /// How many a customer may have; absent where that is not limited.
    limit_each: Option<i64>,
    /// When it came into the catalogue.
    created_at: UnixMs,
    /// When it was taken out of it.
    retired_at: Option<UnixMs>,
}

impl RewardView {
    /// A reward.
    pub fn new(row: RewardRow) -> Self {
        let RewardRow { id, name, kind, code, price, stock, limit_each, created_at, retired_at } = row;
        Self { id, name, kind, code, price, stock, limit_each, created_at, retired_at }
    }
}

/// Points that were given for something.
#[derive(Debug, Serialize, ToSchema)]
pub struct RedemptionView {
    /// Its id.
    pub id: RedemptionId,
    /// The customer, as it was then.
    customer_id: CustomerId,
    /// The reward; absent where it is none of the catalogue.
    reward_id: Option<RewardId>,
    /// How many points.
    points: i64,
    /// What for.
    reason: String,
    /// Who did it (a token's id).
    by: String,
    /// When.
    pub created_at: UnixMs,
    /// When it was cancelled.
    cancelled_at: Option<UnixMs>,
}

impl RedemptionView {
    /// A redemption.
    pub fn new(row: RedemptionRow) -> Self {
        Self {
            id: row.id,
            customer_id: row.customer,
            reward_id: row.reward,
            points: row.points,
            reason: row.reason,
            by: row.by,
            created_at: row.created_at,
            cancelled_at: row.cancelled_at,
        }
    }
}

/// A level in a membership elsewhere.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgramView {
    /// The membership: `douyin`, `taobao`.
    program: String,
    /// The level, in its own word.
    level: String,
    /// When that was told.
    at: UnixMs,
}

/// A member's card.
#[derive(Debug, Serialize, ToSchema)]
pub struct CardView {
    /// Its number.
    card: String,
    /// The membership.
    program: String,
    /// When it was claimed.
    issued_at: UnixMs,
    /// The channel that it was claimed by.
    channel: Option<String>,
    /// The store that it was claimed in.
    store: Option<String>,
}

/// A customer as a member.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberView {
    /// The customer, after all merges.
    customer_id: CustomerId,
    /// The name, masked; absent where it is not known.
    name: Option<String>,
    /// The level of membership.
    level: Option<String>,
    /// Since when.
    level_since: Option<UnixMs>,
    /// Points that can be spent now.
    balance: i64,
    /// The cards, the oldest first.
    cards: Vec<CardView>,
    /// Levels in memberships elsewhere.
    programs: Vec<ProgramView>,
}

impl MemberView {
    /// A customer as it stands now.
    ///
    /// # Errors
    /// [`DbError`] of the queries.
    pub fn read(tx: &Tx<'_>, vault: &Vault, listed: &Listed) -> Result<Self, DbError> {
        let level = level::level(tx, listed.id)?;
        let Balance { points: balance, .. } = points::balance(tx, listed.id, tx.cx().now)?;
        let card = |row: CardRow| CardView {
            card: row.card,
            program: row.program,
            issued_at: row.issued_at,
            channel: row.channel,
            store: row.store,
        };
        let program = |row: ProgramRow| ProgramView { program: row.program, level: row.level, at: row.at };
        Ok(Self {
            customer_id: listed.id,
            name: listed.name.as_deref().and_then(|sealed| masked(vault, sealed)),
            level_since: level.as_ref().filter(|row| row.level.is_some()).map(|row| row.since),
            level: level.and_then(|row| row.level),
            balance,
            cards: card::cards_of(tx, listed.id)?.into_iter().map(card).collect(),
            programs: level::programs(tx, listed.id)?.into_iter().map(program).collect(),
        })
    }
}

fn masked(vault: &Vault, sealed: &[u8]) -> Option<String> {
    open_name(vault, sealed).ok().map(|clear| Masked::<Name>::new(clear).to_string())
}
