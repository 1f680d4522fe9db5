//! What orders and channels keep of a person, for the copy of everything: read here, written there.

use domain::{CustomerId, Identity, IdentityKind, Order, OrderFacts, OrderKey};
use kit::{DbError, Tx, Vault, params};
use platforms::{official_account, own};
use serde_json::{Value, json};

/// A customer's orders with their refunds, the oldest first.
///
/// # Errors
/// [`DbError`] of the queries.
pub fn orders(tx: &Tx<'_>, vault: &Vault, id: CustomerId) -> Result<Vec<Value>, DbError> {
    let rows = tx.query(
        "select own.id, own.platform, own.shop, own.platform_order_id, own.facts, own.phone, own.store, own.placed_at
           from customer_order
           join identity on identity.id = customer_order.identity
           join \"order\" own on own.id = customer_order.order_id
          where identity.customer = ?1
          order by own.placed_at, own.id",
        &params![id.to_string()],
    )?;
    rows.iter()
        .map(|row| {
            let order_id: String = row.get("id")?;
            let key = OrderKey {
                platform: row.parse("platform")?,
                shop_id: row.get("shop")?,
                platform_order_id: row.get("platform_order_id")?,
            };
            let mut order: Order = row.json::<OrderFacts>("facts")?.order(key);
            // They are told once, with the person.
            order.identities.clear();
            let phone: Option<Vec<u8>> = row.get("phone")?;
            let phone = phone.and_then(|sealed| vault.open(own::PHONE, &sealed).ok());
            Ok(json!({ "order_id": order_id, "placed_at": row.instant("placed_at")?, "store": row.get::<Option<String>>("store")?,
                "phone": phone.map(|clear| String::from_utf8_lossy(&clear).into_owned()), "order": order,
                "refunds": refunds(tx, &order_id)? }))
        })
        .collect()
}

fn refunds(tx: &Tx<'_>, order_id: &str) -> Result<Vec<Value>, DbError> {
    let sql =
        "select id, after_sale_id, status, amount, applied_at from refund where order_id = ?1 order by applied_at, id";
    let rows = tx.query(sql, &params![order_id])?;
    rows.iter()
        .map(|row| {
            Ok(json!({ "refund_id": row.get::<String>("id")?, "after_sale_id": row.get::<String>("after_sale_id")?,
                "status": row.get::<String>("status")?, "amount": row.get::<Option<i64>>("amount")?,
                "applied_at": row.instant("applied_at")? }))
        })
        .collect()
}

/// What a customer wrote to accounts, the oldest first.
///
/// # Errors
/// [`DbError`] of the query, or a text that does not open.
pub fn messages(tx: &Tx<'_>, vault: &Vault, identities: &[Identity]) -> Result<Vec<Value>, DbError> {
    let mut found = Vec::new();
    for who in identities.iter().filter(|who| who.kind == IdentityKind::WechatOpenId) {
        let rows = tx.query(
            "select account, form, sealed, at from inbound_message
              where kind = ?1 and account = ?2 and value = ?3
              order by at, event_id",
            &params![who.kind.as_str(), who.scope.as_deref().unwrap_or_default(), who.value.as_str()],
        )?;
        for row in &rows {
            let sealed: Option<Vec<u8>> = row.get("sealed")?;
            let open = |sealed: Vec<u8>| vault.open(official_account::TEXT, &sealed);
            let text = sealed.map(open).transpose().map_err(|error| DbError::Shape(error.to_string()))?;
            found.push(json!({ "account": row.get::<String>("account")?, "form": row.get::<String>("form")?,
                "text": text.map(|clear| String::from_utf8_lossy(&clear).into_owned()), "at": row.instant("at")? }));
        }
    }
    Ok(found)
}
