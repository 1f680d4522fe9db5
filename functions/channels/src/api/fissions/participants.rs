//! Who takes part in a campaign: a code for each, and what it has brought.

use super::super::codes::{self, NewCode};
use super::super::{ChannelsRead, ChannelsWrite};
use super::view::{HelpView, Joined, ParticipantView, RewardView};
use super::{not_ended, seen};
use crate::store::code::{self, Code};
use crate::store::fission::participant::{self, Mark, Participant};
use crate::store::fission::{Fission, device, help, reward};
use crate::store::who;
use crate::{SOURCE, State as Shared};
use axum::Json;
use axum::extract::State;
use domain::{Event, FissionId, FissionJoined, Identity, ParticipantId, Version};
use http::StatusCode;
use kit::auth::Caller;
use kit::extract::{self, Path, Paths, Query};
use kit::idempotency::Answer;
use kit::page::{self, Page, PageQuery};
use kit::{Cx, Problem, Tx, audit, events, unique};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest token of a device, in bytes.
const LONGEST_DEVICE: usize = 200;

/// Who asks for a code of one's own.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// Who, by an identity that proves who somebody is.
    identity: Identity,
    /// What tells one device from another, 1 to 200 bytes; kept as a keyed hash only.
    #[serde(default)]
    device: Option<String>,
}

/// A participant with its rewards and the friends who came.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParticipantReport {
    /// The participant.
    #[serde(flatten)]
    participant: ParticipantView,
    /// Levels that were reached, the least first.
    rewards: Vec<RewardView>,
    /// Friends who came, newest first, with what became of it and why: one page.
    friends: Page<HelpView>,
}

/// Gives an inviter a code of one's own, with a poster. The same person has the same code, however often it is asked for.
#[utoipa::path(post, path = "/v1/fissions/{id}/participants", request_body = Join, params(("id" = FissionId, Path, description = "The campaign")),
    security(("token" = ["channels:write"])), responses(
    (status = 200, description = "The code that this person has already", body = Joined),
    (status = 201, description = "A code; the platform makes its part in the background: ask again for `target`", body = Joined),
    (status = 400, description = "The body is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such campaign among those that the caller may see", body = Problem),
    (status = 409, description = "The campaign is over", body = Problem),
    (status = 422, description = "The identity or the device is unfit, or the campaign's code cannot be copied any more", body = Problem),
    (status = 503, description = "`data_key` is missing", body = Problem),
))]
pub async fn join(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsWrite>,
    Path(id): Path<FissionId>,
    extract::Json(body): extract::Json<Join>,
) -> Result<Answer, Problem> {
    let unfit =
        |path: &str, detail: &'static str| Problem::unprocessable("participant-unfit", detail).with("path", path);
    let Join { identity, device } = body;
    let fits = |text: &str| (1..=256).contains(&text.len()) && !text.chars().any(char::is_control);
    if !identity.kind.proves() || !fits(&identity.value) || !identity.scope.as_deref().is_none_or(fits) {
        return Err(unfit("identity", "identity: name one that proves who somebody is, of 1 to 256 bytes"));
    }
    if device.as_ref().is_some_and(|device| !(1..=LONGEST_DEVICE).contains(&device.len())) {
        return Err(unfit("device", "device: has 1 to 200 bytes"));
    }
    let hash = |device: String| -> Result<String, Problem> {
        let vault = shared.settings.vault.as_ref()?;
        vault.hash("fission.device", &device).map_err(|error| Problem::internal(&error))
    };
    let device = device.map(hash).transpose()?;
    let url = shared.public_url().map(str::to_owned);
    let write = move |tx: &Tx<'_>| {
        let fission = seen(tx, &caller, id)?;
        let person = who::person(tx, &identity)?;
        let stands = participant::of_person(tx, id, &person)?.into_iter().next();
        let is_new = stands.is_none();
        let (one, code) = match stands {
            Some(one) => {
                let code = code::by_id(tx, one.code)?;
                (one, code.ok_or_else(|| Problem::not_found("the code of this participant is gone"))?)
            }
            None => begin(tx, &caller, fission, &identity)?,
        };
        let is_news = match &device {
            Some(device) => !device::is_known(tx, id, device, &identity)?,
            None => false,
        };
        if is_new || is_news {
            tell(tx, id, &one, identity, device)?;
        }
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        Answer::json(status, &Joined::new(one, &code, url.as_deref()))
    };
    shared.app.db().write(&cx, write).await
}

/// Makes a participant with a copy of the campaign's code.
fn begin(
    tx: &Tx<'_>,
    caller: &Caller<ChannelsWrite>,
    fission: Fission,
    who: &Identity,
) -> Result<(Participant, Code), Problem> {
    let now = tx.cx().now;
    let fission = not_ended(fission)?;
    if now >= fission.rules.ends {
        return Err(Problem::conflict("fission-ended", "the campaign is over: nobody can take part any more"));
    }
    let original = codes::seen(tx, caller, fission.code)?;
    let caps_of = original.caps();
    let Code { channel, kind, store, plan, retired_at, .. } = original;
    if retired_at.is_some() {
        return Err(Problem::conflict("retired", "the campaign's code is retired: name another in the campaign"));
    }
    let id = ParticipantId::new(now, unique());
    // A campaign has many codes: the end of the id tells them apart in the platform's console too.
    let short: String = id.to_string().chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect();
    let name: String = fission.name.chars().take(20).collect();
    let new = NewCode { channel, kind, name: format!("{} {short}", name.trim()), store: Some(store), plan };
    let code = codes::add_sharing(tx, caller, new, Some(caps_of))?;
    let one = Participant {
        id,
        fission: fission.id,
        who: who.clone(),
        customer: None,
        code: code.id,
        parent: None,
        depth: 0,
        helps: 0,
        joined_at: now,
    };
    participant::add(tx, &one)?;
    audit::done(tx, caller, &id.to_string())?;
    Ok((one, code))
}

/// The log tells who takes part, and from which device, so that what follows from that stands at its place among the helps.
fn tell(
    tx: &Tx<'_>,
    fission_id: FissionId,
    one: &Participant,
    inviter: Identity,
    device: Option<String>,
) -> Result<(), Problem> {
    let joined = FissionJoined { v: Version, fission_id, participant_id: one.id, inviter, device, at: tx.cx().now };
    events::append(tx, SOURCE, &one.id.to_string(), &Event::FissionJoined(joined))?;
    Ok(())
}

/// Who takes part, the earliest first.
#[utoipa::path(get, path = "/v1/fissions/{id}/participants", params(("id" = FissionId, Path, description = "The campaign"), PageQuery),
    security(("token" = ["channels:read"])), responses(
    (status = 200, description = "One page of participants", body = Page<ParticipantView>),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such campaign among those that the caller may see", body = Problem),
))]
pub async fn list(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Path(id): Path<FissionId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ParticipantView>>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<Mark>(query.cursor.as_deref())?;
    let found = |tx: &Tx<'_>| {
        seen(tx, &caller, id)?;
        caller.for_no_staff("participants")?;
        participant::list(tx, id, after, limit.saturating_add(1)).map_err(Problem::from)
    };
    let found = shared.app.db().read(&cx, found).await?;
    let mark = |one: &Participant| Mark { joined_at: one.joined_at.millis(), id: one.id };
    Ok(Json(Page::new(found, limit, mark).map(ParticipantView::new)))
}

/// One participant: its rewards, and the friends who came, a page of them.
#[utoipa::path(get, path = "/v1/fissions/{id}/participants/{participant}", params(
        ("id" = FissionId, Path, description = "The campaign"),
        ("participant" = ParticipantId, Path, description = "The participant"),
        PageQuery,
    ), security(("token" = ["channels:read"])), responses(
    (status = 200, description = "The participant", body = ParticipantReport),
    (status = 400, description = "The query is not as documented", body = Problem),
    (status = 401, description = "No valid token", body = Problem),
    (status = 403, description = "The token lacks the scope", body = Problem),
    (status = 404, description = "No such participant among those that the caller may see", body = Problem),
))]
pub async fn show(
    State(shared): State<Shared>,
    cx: Cx,
    caller: Caller<ChannelsRead>,
    Paths(id, participant): Paths<FissionId, ParticipantId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<ParticipantReport>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::read::<help::Mark>(query.cursor.as_deref())?;
    let read = |tx: &Tx<'_>| {
        let fission = seen(tx, &caller, id)?;
        let one = participant::by_id(tx, participant)?
            .filter(|one| one.fission == id)
            .ok_or_else(|| Problem::not_found("there is no such participant in this campaign"))?;
        let rewards = reward::of(tx, one.id)?.iter().map(|one| RewardView::new(&fission.rules, one)).collect();
        let helps = help::list(tx, one.id, after, limit.saturating_add(1))?;
        let mark = |help: &help::Help| help::Mark { at: help.at.millis(), id: help.id };
        let friends = Page::new(helps, limit, mark).map(HelpView::new);
        Ok(Json(ParticipantReport { participant: ParticipantView::new(one), rewards, friends }))
    };
    shared.app.db().read(&cx, read).await
}
