//! Member cards are claimed by signed links: `/m/{code}`.

use super::{MembersWrite, card_page};
use crate::SOURCE;
use crate::membership::link::Link;
use crate::membership::{card, link};
use crate::store::membership::card::{self as cards, CardRow};
use crate::store::membership::customer;
use axum::extract::State;
use axum::response::Response;
use domain::{Event, Identity, IdentityKind, MemberJoined, UnixMs, Version};
use http::StatusCode;
use kit::auth::{Caller, StorePath};
use kit::extract::{self, Path, RawBody};
use kit::idempotency::{Answer, IdempotencyKey, write_once};
use kit::{App, Cx, Problem, Tx, Vault, VaultError, audit, events, host};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The membership whose cards these are.
const PROGRAM: &str = "own";
const DAY_MS: i64 = 86_400_000;
/// How long a link is good for where nothing is said, in days.
const USUAL_DAYS: i64 = 30;
/// How long it is good for at the most, in days.
const MOST_DAYS: i64 = 366;

/// A link to give out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    /// Who it is given to, where that is known. A link without identity is for one person: whoever has it has the card.
    #[serde(default)]
    identity: Option<Identity>,
    /// The channel that it is given out by, 1 to 200 characters.
    #[serde(default)]
    channel: Option<String>,
    /// The store that it is given out in; the caller's where it is absent.
    #[serde(default)]
    store: Option<StorePathText>,
    /// From when on it is void, at most 366 days ahead; in 30 days where it is absent.
    #[serde(default)]
    expires_at: Option<UnixMs>,
}

/// A place in the tree of stores: `/east/shanghai-01`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "/east/shanghai-01")]
pub struct StorePathText(StorePath);

/// A link that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkView {
    /// Its code.
    code: String,
    /// Where its page is, from the application's address on.
    path: String,
    /// The whole address, where the variable `public_url` tells the application's.
    url: Option<String>,
    /// From when on it is void.
    expires_at: UnixMs,
}

/// Makes a link by which one person claims a member card.
#[utoipa::path(post, path = "/v1/members/links", request_body = NewLink,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repetition with the same key is done once")),
    security(("token" = ["members:write"])), responses(
    (status = 201, description = "The link", body = LinkView),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope, or does not see the store", body = Problem),
    (status = 422, description = "The key was used for another request", body = Problem),
    (status = 503, description = "A variable is missing: `data_key`", body = Problem),
))]
pub async fn link(
    State(app): State<App>,
    cx: Cx,
    caller: Caller<MembersWrite>,
    key: IdempotencyKey,
    RawBody(body): RawBody,
) -> Result<Answer, Problem> {
    let asked: NewLink = extract::json(&body)?;
    let vault = Vault::new(app.variables())?;
    if let Some(channel) = &asked.channel {
        super::words("channel", channel)?;
    }
    if let Some(identity) = &asked.identity {
        check(identity)?;
    }
    let store = match asked.store {
        Some(StorePathText(store)) if !caller.store.contains(Some(store.as_str())) => {
            return Err(Problem::forbidden("the token does not see this store").with("store", store.as_str()));
        }
        Some(StorePathText(store)) => Some(store),
        None => Some(caller.store.clone()),
    };
    let usual = || cx.now.try_add_millis(USUAL_DAYS * DAY_MS).ok();
    let fits = |at: &UnixMs| *at > cx.now && at.millis().saturating_sub(cx.now.millis()) <= MOST_DAYS * DAY_MS;
    let expires_at = asked
        .expires_at
        .or_else(usual)
        .filter(fits)
        .ok_or_else(|| Problem::bad_request(format!("expires_at is past, or more than {MOST_DAYS} days ahead")))?;
    let link = Link {
        nonce: hex_of(host::random()),
        expires_at,
        identity: asked.identity,
        channel: asked.channel,
        store: store.filter(|store| !store.is_root()).map(String::from),
    };
    let code = link.code(&vault).map_err(|error| Problem::internal(&error))?;
    let path = format!("/m/{code}");
    let public = app.variables().optional("public_url").map(|base| format!("{}{path}", base.trim_end_matches('/')));
    write_once(&app, &cx, caller, key, &body, move |tx, caller| {
        audit::done(tx, caller, &link.nonce)?;
        Answer::json(StatusCode::CREATED, &LinkView { code, path, url: public, expires_at })
    })
    .await
}

/// A card is given to who is known by something that proves who one is.
fn check(identity: &Identity) -> Result<(), Problem> {
    if identity.value.is_empty() || identity.value.len() > 200 {
        return Err(Problem::bad_request("identity.value is empty, or longer than 200 bytes"));
    }
    if !identity.kind.proves() || identity.kind == IdentityKind::MemberCard {
        return Err(Problem::bad_request(format!(
            "identity.kind is {}: give one that proves who it is, and no card",
            identity.kind.as_str()
        )));
    }
    Ok(())
}

fn hex_of(random: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(random))
}

/// The page of a link: a button, or the card where it was claimed already. HTML for a phone.
#[utoipa::path(get, path = "/m/{code}", params(("code" = String, Path, description = "The link's code")), responses(
    (status = 200, description = "The page", body = String, content_type = "text/html"),
    (status = 404, description = "Not a link of this application: a page that says so", body = String, content_type = "text/html"),
    (status = 410, description = "The link is void by now: a page that says so", body = String, content_type = "text/html"),
))]
pub async fn page(State(app): State<App>, cx: Cx, Path(code): Path<String>) -> Result<Response, Problem> {
    let vault = Vault::new(app.variables())?;
    let link = match read(&vault, &code, cx.now)? {
        Ok(link) => link,
        Err(refused) => return Ok(refused),
    };
    let card = app.db().read(&cx, |tx| had(tx, &link)).await?;
    match card {
        Some(card) => shown(&vault, &card),
        None => Ok(card_page::button()),
    }
}

/// Claims a card by a link. The same person gets the same card, however often.
#[utoipa::path(post, path = "/m/{code}", params(("code" = String, Path, description = "The link's code")), responses(
    (status = 200, description = "The page with the card: its number, and its QR", body = String, content_type = "text/html"),
    (status = 404, description = "Not a link of this application: a page that says so", body = String, content_type = "text/html"),
    (status = 410, description = "The link is void by now: a page that says so", body = String, content_type = "text/html"),
))]
pub async fn claim(State(app): State<App>, cx: Cx, Path(code): Path<String>) -> Result<Response, Problem> {
    let vault = Vault::new(app.variables())?;
    let link = match read(&vault, &code, cx.now)? {
        Ok(link) => link,
        Err(refused) => return Ok(refused),
    };
    let card = app
        .db()
        .write(&cx, move |tx| match had(tx, &link)? {
            Some(card) => Ok(card),
            None => issue(tx, &link),
        })
        .await?;
    shown(&vault, &card)
}

/// A link that is good now, or the page that says why it is not.
fn read(vault: &Vault, code: &str, now: UnixMs) -> Result<Result<Link, Response>, Problem> {
    let link = link::Link::read(vault, code).map_err(|error: VaultError| Problem::internal(&error))?;
    Ok(match link {
        None => Err(card_page::unknown()),
        Some(link) if link.expires_at <= now => Err(card_page::void()),
        Some(link) => Ok(link),
    })
}

/// The card that whoever has this link has already.
fn had(tx: &Tx<'_>, link: &Link) -> Result<Option<String>, Problem> {
    if let Some(card) = cards::card_of_claim(tx, &link.claim())? {
        return Ok(Some(card.card));
    }
    let Some(owner) = customer::customer_of(tx, link.identity.as_slice())? else { return Ok(None) };
    Ok(cards::cards_of(tx, owner.survivor)?.into_iter().next().map(|card| card.card))
}

/// Issues a card and tells so. Whose it is follows from the identities of the event.
fn issue(tx: &Tx<'_>, link: &Link) -> Result<String, Problem> {
    let at = tx.cx().now;
    let owner = customer::customer_of(tx, link.identity.as_slice())?;
    // A number that is taken is drawn again; that it happens even once is unlikely.
    for _ in 0..8 {
        let number = card::number(host::random());
        let row = CardRow {
            card: number.clone(),
            customer: owner.map(|owner| owner.id),
            program: PROGRAM.to_owned(),
            channel: link.channel.clone(),
            store: link.store.clone(),
            issued_at: at,
        };
        if !cards::add_card(tx, &row, &link.claim())? {
            continue;
        }
        let own = Identity { kind: IdentityKind::MemberCard, scope: None, value: number.clone() };
        let mut identities: Vec<Identity> = link.identity.iter().cloned().chain([own]).collect();
        identities.sort_unstable();
        let joined = MemberJoined {
            v: Version,
            customer_id: owner.map(|owner| owner.survivor),
            card: number.clone(),
            program: row.program,
            identities,
            channel: row.channel,
            store: row.store,
            at,
        };
        events::append(tx, SOURCE, &number, &Event::MemberJoined(joined))?;
        return Ok(number);
    }
    Err(Problem::unavailable("no free number was found: repeat the call"))
}

fn shown(vault: &Vault, number: &str) -> Result<Response, Problem> {
    let text = card::qr_text(vault, number).map_err(|error| Problem::internal(&error))?;
    card_page::card(number, &text)
}
