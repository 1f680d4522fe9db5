//! Member cards.

use domain::{CustomerId, UnixMs};
use kit::db::Row;
use kit::{DbError, Tx, params};

/// A member card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRow {
    /// Its number.
    pub card: String,
    /// The customer that it is written for; none until the event of its claim was applied.
    pub customer: Option<CustomerId>,
    /// The membership.
    pub program: String,
    /// The channel that it was claimed by.
    pub channel: Option<String>,
    /// The store.
    pub store: Option<String>,
    /// When it was claimed.
    pub issued_at: UnixMs,
}

fn read(row: &Row) -> Result<CardRow, DbError> {
    let customer = row.get::<Option<String>>("customer")?;
    Ok(CardRow {
        card: row.get("card")?,
        customer: customer.map(|_| row.parse("customer")).transpose()?,
        program: row.get("program")?,
        channel: row.get("channel")?,
        store: row.get("store")?,
        issued_at: row.instant("issued_at")?,
    })
}

/// A card by its number.
///
/// # Errors
/// [`DbError`] of the query.
pub fn card(tx: &Tx<'_>, number: &str) -> Result<Option<CardRow>, DbError> {
    let row = tx.query_one(
        "select card, customer, program, channel, store, issued_at from member_card where card = ?1",
        &params![number],
    )?;
    row.as_ref().map(read).transpose()
}

/// The card that was claimed by this identity or link.
///
/// # Errors
/// [`DbError`] of the query.
pub fn card_of_claim(tx: &Tx<'_>, claim: &str) -> Result<Option<CardRow>, DbError> {
    let row = tx.query_one(
        "select card, customer, program, channel, store, issued_at from member_card where claim = ?1",
        &params![claim],
    )?;
    row.as_ref().map(read).transpose()
}

/// The cards of a customer, with all that is merged into it, the oldest first.
///
/// # Errors
/// [`DbError`] of the query.
pub fn cards_of(tx: &Tx<'_>, survivor: CustomerId) -> Result<Vec<CardRow>, DbError> {
    tx.query(
        "select card, customer, program, channel, store, issued_at from member_card
          where customer in (select id from customer where survivor = ?1)
          order by issued_at, card",
        &params![survivor.to_string()],
    )?
    .iter()
    .map(read)
    .collect()
}

/// Adds a card. False when the number is taken.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn add_card(tx: &Tx<'_>, card: &CardRow, claim: &str) -> Result<bool, DbError> {
    let added = tx.execute(
        "insert into member_card (card, claim, customer, program, channel, store, issued_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         on conflict (card) do nothing",
        &params![
            card.card.as_str(),
            claim,
            card.customer.map(|id| id.to_string()),
            card.program.as_str(),
            card.channel.as_deref(),
            card.store.as_deref(),
            card.issued_at.millis(),
        ],
    )?;
    Ok(added == 1)
}

/// Notes whose a card is. The first customer stays.
///
/// # Errors
/// [`DbError`] of the update.
pub fn card_is_of(tx: &Tx<'_>, number: &str, customer: CustomerId) -> Result<(), DbError> {
    tx.run(
        "update member_card set customer = ?2 where card = ?1 and customer is null",
        &params![number, customer.to_string()],
    )
}
