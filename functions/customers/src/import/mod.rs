//! Files of customers, members and points: read at once, worked off in steps, each row once.
//!
//! A row becomes an event `customer.imported`, its personal part sealed beside the log, so that who is who follows from it as from any other event.

pub mod columns;
mod file;
mod row;

pub use columns::Kind;
pub use file::{File, Unusable, read as read_file};
pub use row::Wrong;

use crate::consume::came_with;
use crate::intake::{self, INTAKE, Intake};
use crate::store::activity::{self, Sign};
use crate::store::import::{self as store, Import};
use crate::store::profile;
use crate::who;
use crate::{SOURCE, membership, stage};
use domain::{CustomerImported, Event, ImportDue, ImportId, UnixMs, Version};
use kit::consume::ConsumeError;
use kit::events::{self, Logged};
use kit::{App, DbError, Tx, Vault};
use row::Row;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// How many rows one step works off at the most.
const BATCH: u32 = 200;
/// The purpose under which rows are sealed until they are worked off.
const ROW: &str = "customer.import";

/// Schedules the next step of an import.
///
/// # Errors
/// [`DbError`] of the insert.
pub fn schedule(tx: &Tx<'_>, id: ImportId, due: UnixMs) -> Result<(), DbError> {
    let event = Event::ImportDue(ImportDue { v: Version, import_id: id });
    events::schedule(tx, due, &format!("customers.import/{id}"), SOURCE, &id.to_string(), &event)
}

/// Works off the next rows, and where there are more schedules the next step.
///
/// # Errors
/// Where rows cannot be opened, and [`DbError`] of the statements.
pub fn step(app: &App, tx: &Tx<'_>, logged: &Logged, id: ImportId) -> Result<(), ConsumeError> {
    let Some(import) = store::by_id(tx, id)? else { return Ok(()) };
    let vault = Vault::new(app.variables()).map_err(|error| ConsumeError::Refused(error.to_string()))?;
    let fields = profile::fields(tx)?;
    for waiting in store::waiting(tx, id, BATCH)? {
        let cells = file::open(&vault, &waiting.sealed).map_err(ConsumeError::Refused)?;
        let state = match understood(&import, &cells, &fields) {
            Err(wrong) => {
                store::refuse(tx, id, waiting.row, &wrong)?;
                "refused"
            }
            Ok(_) if import.dry_run => {
                if store::was_imported(tx, id, &waiting)? {
                    "duplicate"
                } else {
                    "accepted"
                }
            }
            Ok(row) if store::import_once(tx, &waiting.digest, logged.time)? => {
                append(tx, &vault, &import, row)?;
                "accepted"
            }
            Ok(_) => "duplicate",
        };
        store::settle(tx, id, waiting.row, state)?;
    }
    if store::waiting(tx, id, 1)?.is_empty() {
        store::end(tx, id, logged.time)?;
    } else {
        schedule(tx, id, logged.time)?;
    }
    Ok(())
}

fn understood(
    import: &Import,
    cells: &[String],
    fields: &BTreeMap<String, crate::profile::Field>,
) -> Result<Row, Vec<Wrong>> {
    let row = row::read(import.kind, &import.columns, cells, fields)?;
    Ok(row)
}

/// Tells of a row: ids and keyed hashes in the log, the rest sealed beside it.
fn append(tx: &Tx<'_>, vault: &Vault, import: &Import, row: Row) -> Result<(), DbError> {
    let told = intake::personal(tx, vault, row.phone.as_ref(), row.phone_verified, row.name.as_ref())?;
    let mut identities = row.identities;
    identities.extend(told.identities);
    let event = CustomerImported {
        v: Version,
        import_id: import.id,
        identities: identities.into_iter().collect(),
        hints: told.hints.into_iter().collect(),
        store: row.store,
        advisor: row.advisor,
        consents: row.consents.into_iter().collect(),
        member: import.kind == Kind::Members,
        points: row.points,
        at: import.created_at,
    };
    let id = events::append(tx, SOURCE, &import.id.to_string(), &Event::CustomerImported(event))?;
    let name = row.name.map(|name| name.expose().clone());
    let intake = Intake { name, texts: BTreeMap::new(), attributes: row.attributes };
    if !intake.is_empty() {
        let shape = |error: &dyn std::fmt::Display| DbError::Shape(error.to_string());
        let json = serde_json::to_vec(&intake).map_err(|error| shape(&error))?;
        profile::add_intake(tx, &id.to_string(), vault.seal(INTAKE, &json).map_err(|error| shape(&error))?)?;
    }
    Ok(())
}

/// Applies a row: whose it is, and what it says of that one.
///
/// # Errors
/// Where what came with it cannot be opened, and [`DbError`] of the statements.
pub fn take(app: &App, tx: &Tx<'_>, logged: &Logged, row: &CustomerImported) -> Result<(), ConsumeError> {
    let shown: BTreeSet<_> = row.identities.iter().cloned().collect();
    let Some(seen) = who::see(tx, logged, row.at, &shown)? else { return Ok(()) };
    for hint in &row.hints {
        profile::hint(tx, seen.anchor, hint, row.at)?;
    }
    let mut changed = row.member && activity::sign(tx, seen.anchor, Sign::Contact, row.at)?;
    changed |= activity::belongs(tx, seen.anchor, row.store.as_deref(), row.advisor.as_deref(), row.at)?;
    let summary = json!({ "import_id": row.import_id, "member": row.member, "store": row.store, "advisor": row.advisor,
        "points": row.points.as_ref().map(|points| points.points) });
    activity::note(tx, seen.anchor, row.at, logged, &summary)?;
    came_with(app, tx, logged, seen, (row.at, "import"))?;
    for purpose in &row.consents {
        profile::consent_at(tx, seen.customer, purpose, true, &format!("import {}", row.import_id), row.at)?;
    }
    if changed {
        stage::refresh(tx, seen.customer, logged.time, &logged.type_name)?;
    }
    match &row.points {
        Some(points) => membership::imported(tx, logged, seen.customer, points),
        None => Ok(()),
    }
}
