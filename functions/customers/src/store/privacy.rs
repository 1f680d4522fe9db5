//! All that is known of one person, and its erasure.

use crate::follow_up::{forget as forget_reminder, open as note_in_clear};
use crate::intake::{INTAKE, Intake};
use crate::portrait;
use crate::store::view::{self, Sealed};
use crate::store::{belongings, follow_up, identity, relation};
use domain::CustomerId;
use kit::{DbError, Tx, Vault, params};
use serde_json::{Value, json};

/// All that is known of one customer, in clear.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn export(tx: &Tx<'_>, vault: &Vault, id: CustomerId) -> Result<Value, DbError> {
    let listed = view::by_id(tx, id)?.ok_or_else(|| DbError::Shape("no such customer".to_owned()))?;
    let (mut identities, mut held) = (Vec::new(), Vec::new());
    for row in identity::of_customer(tx, id)? {
        let clear = view::clear_value(tx, &row)?.and_then(|sealed| match sealed {
            Sealed::Told(sealed) => vault.open(crate::intake::PHONE, &sealed).ok(),
            Sealed::Ordered(sealed) => vault.open(platforms::own::PHONE, &sealed).ok(),
        });
        let clear = clear.map(|clear| String::from_utf8_lossy(&clear).into_owned());
        identities.push(json!({ "kind": row.identity.kind, "scope": row.identity.scope, "value": row.identity.value,
            "clear": clear, "first_seen": row.first_seen }));
        held.push(row.identity);
    }
    let mut attributes = Vec::new();
    for row in view::attributes(tx, id)? {
        let text = row.sealed.as_deref().and_then(|sealed| portrait::open_text(vault, sealed).ok());
        let value = row.value.as_deref().and_then(|json| serde_json::from_str::<Value>(json).ok());
        attributes.push(json!({ "field": row.field, "value": value.or_else(|| text.map(Value::String)),
            "source": row.source, "at": row.at }));
    }
    let told = tx.query(
        "select intake.sealed from intake join identity on identity.id = intake.identity where identity.customer = ?1
          order by intake.event_id",
        &params![id.to_string()],
    )?;
    let told = told
        .iter()
        .map(|row| {
            let sealed: Vec<u8> = row.get("sealed")?;
            let open = vault.open(INTAKE, &sealed).map_err(|error| DbError::Shape(error.to_string()))?;
            serde_json::from_slice::<Intake>(&open)
                .and_then(|intake| serde_json::to_value(&intake))
                .map_err(|error| DbError::Shape(error.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let done = view::timeline(tx, id, None, u32::MAX)?;
    let done = done
        .iter()
        .map(|row| {
            let (at, summary): (_, Value) = (row.instant("at")?, row.json("summary")?);
            Ok(json!({ "at": at, "type": row.get::<String>("type")?, "summary": summary }))
        })
        .collect::<Result<Vec<_>, DbError>>()?;
    let consents = view::consents(tx, id)?;
    let consents = consents
        .iter()
        .map(|row| {
            Ok(json!({ "purpose": row.get::<String>("purpose")?, "granted": row.get::<bool>("granted")?,
                "source": row.get::<String>("source")?, "at": row.instant("at")? }))
        })
        .collect::<Result<Vec<_>, DbError>>()?;
    let relations = relation::history(tx, id)?;
    let relations = relations
        .iter()
        .map(|row| {
            Ok(json!({ "staff": row.get::<String>("staff")?, "change": row.get::<String>("change")?,
                "by": row.get::<String>("by")?, "at": row.instant("at")? }))
        })
        .collect::<Result<Vec<_>, DbError>>()?;
    Ok(json!({
        "customer_id": id,
        "name": listed.name.as_deref().and_then(|sealed| portrait::open_name(vault, sealed).ok()),
        "stage": listed.stage,
        "store": listed.store,
        "advisor": listed.advisor,
        "created_at": listed.created_at,
        "identities": identities,
        "attributes": attributes,
        "consents": consents,
        "told": told,
        "timeline": done,
        "relations": relations,
        "follow_ups": follow_ups(tx, vault, id)?,
        "orders": belongings::orders(tx, vault, id)?,
        "messages": belongings::messages(tx, vault, &held)?,
    }))
}

fn follow_ups(tx: &Tx<'_>, vault: &Vault, id: CustomerId) -> Result<Vec<Value>, DbError> {
    let clear = |sealed: Option<&[u8]>| sealed.and_then(|note| note_in_clear(vault, note).ok());
    let found = follow_up::of_customer(tx, id, None, u32::MAX)?;
    let told = found.iter().map(|one| {
        let done = one.done.as_ref();
        json!({ "staff": one.staff, "at": one.created_at, "outcome": one.outcome, "note": clear(one.note.as_deref()),
            "next_at": one.next_at, "done_at": done.map(|done| done.at), "done_outcome": done.map(|done| done.outcome),
            "done_note": done.and_then(|done| clear(done.note.as_deref())) })
    });
    Ok(told.collect())
}

/// Erases what is personal of a customer and of those who are part of it. Identities stay as rows without a value, so that figures
/// keep their place.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn erase(tx: &Tx<'_>, id: CustomerId) -> Result<(), DbError> {
    let customer = id;
    let id = params![id.to_string()];
    for sql in [
        "delete from intake where identity in (select id from identity where customer = ?1)",
        "delete from identity_clear
          where (kind, value) in (select kind, value from identity where customer = ?1)",
        // What only hinted at the person goes too, unless it is proved or hinted to be somebody else's.
        "delete from identity_clear
          where (kind, value) in (select hint.kind, hint.value from identity_hint hint
                                    join identity on identity.id = hint.identity where identity.customer = ?1)
            and not exists (select 1 from identity other
                             where other.kind = identity_clear.kind and other.value = identity_clear.value)
            and not exists (select 1 from identity_hint hint join identity on identity.id = hint.identity
                             where hint.kind = identity_clear.kind and hint.value = identity_clear.value
                               and identity.customer <> ?1)",
        "delete from identity_hint where identity in (select id from identity where customer = ?1)",
        "delete from customer_attribute where customer in (select id from customer where survivor = ?1)",
        "delete from customer_name_prefix where customer in (select id from customer where survivor = ?1)",
        "update identity set value = 'erased ' || id where customer = ?1",
    ] {
        tx.run(sql, &id)?;
    }
    for open in follow_up::erase(tx, customer)? {
        forget_reminder(tx, open)?;
    }
    tx.run(
        "update customer set name = null, name_at = null, erased_at = ?2 where survivor = ?1",
        &[id.as_slice(), &params![tx.cx().now.millis()]].concat(),
    )
}
