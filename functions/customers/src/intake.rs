//! Events of the open door on their way in: taken once, personal data sealed beside the log, the rest appended to it.

use crate::SOURCE;
use crate::profile::{Field, Given};
use crate::store::profile;
use domain::{Activity, ActivityRecorded, Event, Identity, IdentityKind, Secret, Version};
use kit::{DbError, Problem, Tx, Vault, events, inbox};
use platforms::activity::{Read, Told};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The purpose under which what came with an event is sealed.
pub const INTAKE: &str = "customer.intake";
/// The purpose under which phones are sealed.
pub const PHONE: &str = "customer.phone";
/// Where these messages stand in the inbox and in quarantine.
const INBOX: &str = "events";

/// What came with an event and is personal.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Intake {
    /// The name.
    pub name: Option<String>,
    /// What was said or filled in, by field.
    pub texts: BTreeMap<String, String>,
    /// Values of the profile, checked.
    pub attributes: BTreeMap<String, Given>,
}

impl Intake {
    /// Whether there is nothing personal.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.texts.is_empty() && self.attributes.is_empty()
    }
}

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outcome {
    /// The event's id in its source; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `accepted`; `duplicate` for one that was taken before; `kept` for a type that is not known yet; `unusable`, which is kept too.
    pub status: &'static str,
    /// What to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What takes in needs to know of the merchant.
pub struct Merchant {
    fields: BTreeMap<String, Field>,
    keywords: Vec<String>,
}

impl Merchant {
    /// Reads it.
    ///
    /// # Errors
    /// [`DbError`] of the queries.
    pub fn read(tx: &Tx<'_>) -> Result<Self, DbError> {
        Ok(Self { fields: profile::fields(tx)?, keywords: profile::keywords(tx)? })
    }
}

/// Takes one event of a batch.
///
/// # Errors
/// 503 when the database is busy.
pub fn take(tx: &Tx<'_>, vault: &Vault, merchant: &Merchant, json: &Value, read: Read) -> Result<Outcome, Problem> {
    let keep = |id, status, reason: String| {
        inbox::quarantine(tx, vault, INBOX, json.to_string().as_bytes(), status)?;
        Ok(Outcome { id, status, reason: Some(reason) })
    };
    match read {
        Read::Unusable { id, reason } => keep(id, "unusable", reason),
        Read::Unknown { id, type_name } => {
            keep(Some(id), "kept", format!("{type_name:?} is not known yet: it is kept"))
        }
        Read::Told(told) => {
            let id = told.id.clone();
            let attributes = match check(merchant, &told) {
                Ok(attributes) => attributes,
                Err(reason) => return keep(Some(id), "unusable", reason),
            };
            let status = if told_once(tx, vault, merchant, *told, attributes)? { "accepted" } else { "duplicate" };
            Ok(Outcome { id: Some(id), status, reason: None })
        }
    }
}

/// Keeps a body that is no batch of events.
///
/// # Errors
/// 503 when the database is busy.
pub fn keep_whole(tx: &Tx<'_>, vault: &Vault, body: &[u8], reason: String) -> Result<Vec<Outcome>, Problem> {
    inbox::quarantine(tx, vault, INBOX, body, "unusable")?;
    Ok(vec![Outcome { id: None, status: "unusable", reason: Some(reason) }])
}

fn check(merchant: &Merchant, told: &Told) -> Result<BTreeMap<String, Given>, String> {
    told.attributes
        .iter()
        .map(|(name, value)| {
            let field = merchant.fields.get(name).ok_or_else(|| {
                format!("data.attributes.{name}: no such field: define it with PUT /v1/profile-fields/{name}")
            })?;
            let given = field.read(value).map_err(|error| format!("data.attributes.{name}: {error}"))?;
            Ok((name.clone(), given))
        })
        .collect()
}

/// Appends the event, unless it was taken before.
fn told_once(
    tx: &Tx<'_>,
    vault: &Vault,
    merchant: &Merchant,
    told: Told,
    attributes: BTreeMap<String, Given>,
) -> Result<bool, Problem> {
    // A source's id is the event, whatever else the repetition says.
    if !inbox::remember(tx, INBOX, &format!("{}\n{}", told.source, told.id), b"")? {
        return Ok(false);
    }
    let Recognised { identities, hints } = recognise(tx, vault, &told)?;
    let mut activity = told.activity;
    if let Activity::LiveCommented { keywords, .. } = &mut activity {
        *keywords = heard(&merchant.keywords, told.texts.get("text"));
    }
    let event = ActivityRecorded {
        v: Version,
        source: told.source,
        identities: identities.into_iter().collect(),
        hints: hints.into_iter().collect(),
        channel: told.channel,
        store: told.store,
        staff: told.staff,
        at: told.at,
        activity,
    };
    let id = events::append(tx, SOURCE, event.activity.kind(), &Event::ActivityRecorded(event))?;
    let intake = Intake {
        name: told.name.map(|name| name.expose().trim().to_owned()),
        texts: told.texts.into_iter().map(|(field, text)| (field, text.expose().clone())).collect(),
        attributes,
    };
    if !intake.is_empty() {
        let json = serde_json::to_vec(&intake).map_err(|error| Problem::internal(&error))?;
        let sealed = vault.seal(INTAKE, &json).map_err(|error| Problem::internal(&error))?;
        profile::add_intake(tx, &id.to_string(), sealed)?;
    }
    Ok(true)
}

/// Who it is, and what only hints at that.
fn recognise(tx: &Tx<'_>, vault: &Vault, told: &Told) -> Result<Recognised, DbError> {
    let mut recognised = personal(tx, vault, told.phone.as_ref(), told.phone_verified, told.name.as_ref())?;
    recognised.identities.extend(told.identities.iter().cloned());
    Ok(recognised)
}

/// Who somebody is, and what only hints at that.
#[derive(Debug, Default)]
pub struct Recognised {
    /// What proves it.
    pub identities: BTreeSet<Identity>,
    /// What hints at it.
    pub hints: BTreeSet<Identity>,
}

/// What a phone (in E.164 form) and a name say of who it is: keyed hashes. The number itself is kept sealed.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn personal(
    tx: &Tx<'_>,
    vault: &Vault,
    phone: Option<&Secret<String>>,
    phone_verified: bool,
    name: Option<&Secret<String>>,
) -> Result<Recognised, DbError> {
    let shape = |error: kit::VaultError| DbError::Shape(error.to_string());
    let hashed = |kind, purpose, value: &str| {
        vault.hash(purpose, value).map(|value| Identity { kind, scope: None, value }).map_err(shape)
    };
    let mut recognised = Recognised::default();
    if let Some(phone) = phone {
        let who = hashed(IdentityKind::PhoneHash, "phone", phone.expose())?;
        profile::keep_clear(tx, &who, vault.seal(PHONE, phone.expose().as_bytes()).map_err(shape)?)?;
        let shown = if phone_verified { &mut recognised.identities } else { &mut recognised.hints };
        shown.insert(who);
    }
    if let Some(name) = name {
        recognised.hints.insert(hashed(IdentityKind::NameHash, "name", name.expose().trim())?);
    }
    Ok(recognised)
}

/// The merchant's keywords that a text has, whatever their case.
fn heard(keywords: &[String], text: Option<&Secret<String>>) -> Vec<String> {
    let Some(text) = text else { return Vec::new() };
    let text = text.expose().to_lowercase();
    keywords.iter().filter(|word| text.contains(&word.to_lowercase())).cloned().collect()
}
