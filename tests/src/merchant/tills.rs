//! The stores' tills: sales and refunds as canonical JSON for `POST /hooks/orders`.

use anyhow::{Context, Result};
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Books, Morning, goods};
use crate::standard_webhooks;

/// What the tills of a morning have to tell, and their own books.
#[derive(Clone, Debug, Default)]
pub struct Tills {
    /// In the order in which it happened.
    pub messages: Vec<Message>,
    /// The sum of the stores' cash reports.
    pub books: Books,
}

/// One message of a till, before it is signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// `webhook-id`, the same on every delivery.
    pub id: String,
    /// The body.
    pub body: Value,
}

impl Message {
    /// Headers and body as they go out at `now` (Unix seconds).
    ///
    /// # Errors
    /// When the secret is not of the standard's form.
    pub fn signed(&self, secret: &str, now: i64) -> Result<(HeaderMap, Vec<u8>)> {
        let body = self.body.to_string().into_bytes();
        Ok((standard_webhooks::headers(secret, &self.id, now, &body)?, body))
    }
}

/// A sale: who sold what where, and what was paid.
#[derive(Clone, Debug)]
pub struct Sale {
    /// The store.
    pub shop_id: String,
    /// The receipt's number.
    pub order_id: String,
    /// When it began, Unix seconds.
    pub at: i64,
    /// Lines: SKU, title, pieces, price of one in fen.
    pub lines: Vec<(String, String, u32, i64)>,
    /// The member's card, if shown.
    pub member_card: Option<String>,
    /// The member's phone, if told.
    pub phone: Option<String>,
}

impl Sale {
    /// What was paid, fen: tills give no discounts here.
    pub fn total(&self) -> i64 {
        self.lines.iter().map(|(_, _, quantity, price)| price * i64::from(*quantity)).sum()
    }

    /// The sale as of `status` (`created`, `paid`, `completed` or `closed`), said at `said`.
    ///
    /// # Errors
    /// When a time is beyond all calendars.
    pub fn message(&self, status: &str, said: i64) -> Result<Message> {
        let lines = self.lines.iter().enumerate().map(|(index, (sku, title, quantity, price))| {
            json!({
                "line_id": (index + 1).to_string(), "sku": sku, "title": title,
                "quantity": quantity, "unit_price": price, "discount": 0,
            })
        });
        let total = self.total();
        let is_paid = matches!(status, "paid" | "completed");
        let mut data = json!({
            "shop_id": self.shop_id,
            "order_id": self.order_id,
            "status": status,
            "created_at": rfc3339(self.at)?,
            "lines": lines.collect::<Vec<_>>(),
            "amounts": {
                "goods": total, "discount_merchant": 0, "discount_platform": 0, "freight": 0, "tax": 0, "payable": total,
            },
            "paid": if is_paid { total } else { 0 },
            "guide": {"code": "G-测试-1", "store_code": self.shop_id},
        });
        if is_paid {
            data["paid_at"] = rfc3339(self.at)?.into();
        }
        match status {
            "completed" => data["completed_at"] = rfc3339(said)?.into(),
            "closed" => data["closed_at"] = rfc3339(said)?.into(),
            _ => {}
        }
        if let Some(card) = &self.member_card {
            data["identities"] = json!([{"kind": "member_card", "value": card}]);
        }
        if let Some(phone) = &self.phone {
            data["phone"] = phone.as_str().into();
        }
        let id = format!("msg_{}_{}_{status}", self.shop_id, self.order_id);
        Ok(Message { id, body: json!({"type": "order.updated", "timestamp": rfc3339(said)?, "data": data}) })
    }

    /// A refund of the first line, one piece of it, as of `status`, said at `said`.
    ///
    /// # Errors
    /// When the sale has no line, or a time is beyond all calendars.
    pub fn refund(&self, status: &str, said: i64) -> Result<Message> {
        let (_, _, _, price) = self.lines.first().context("a sale without lines")?;
        let body = json!({
            "type": "refund.updated",
            "timestamp": rfc3339(said)?,
            "data": {
                "shop_id": self.shop_id,
                "order_id": self.order_id,
                "refund_id": format!("R-{}", self.order_id),
                "status": status,
                "applied_at": rfc3339(self.at + 60)?,
                "claim": {
                    "kind": "return", "amount": price, "freight": 0,
                    "lines": [{"line_id": "1", "quantity": 1, "amount": price}],
                },
            },
        });
        Ok(Message { id: format!("msg_{}_R-{}_{status}", self.shop_id, self.order_id), body })
    }
}

impl Morning {
    /// The stores' share: most sales are paid at the counter; some are ordered ahead and fetched later; few go back.
    ///
    /// # Errors
    /// When the morning lies beyond all calendars.
    pub fn stores(&self) -> Result<Tills> {
        let mut dice = fastrand::Rng::with_seed(self.seed ^ 0x7ea);
        let mut tills = Tills::default();
        for number in 0..self.store_orders {
            let at = self.begins + i64::from(number);
            let basket: Vec<_> = (0..dice.usize(1..=2)).map(|_| goods(&mut dice)).collect();
            let sale = Sale {
                shop_id: format!("S-{:03}", dice.u8(1..=3)),
                order_id: format!("POS-{number:05}"),
                at,
                lines: basket
                    .into_iter()
                    .map(|goods| (goods.code, goods.title, goods.quantity, goods.unit_price))
                    .collect(),
                member_card: dice.bool().then(|| format!("测试会员-{:04}", dice.u16(..200))),
                // 000 0000 is no subscriber of anyone's.
                phone: (dice.u8(..4) == 0).then(|| format!("1390000{:04}", dice.u16(..1000))),
            };
            match dice.u8(0..10) {
                0 => {
                    tills.messages.push(sale.message("created", at)?);
                    tills.messages.push(sale.message("closed", at + 600)?);
                    tills.books.order("closed", 0);
                }
                1..=3 => {
                    tills.messages.push(sale.message("paid", at)?);
                    tills.books.order("paid", sale.total());
                }
                _ => {
                    tills.messages.push(sale.message("paid", at)?);
                    tills.messages.push(sale.message("completed", at + 300)?);
                    tills.books.order("completed", sale.total());
                    if dice.u8(0..10) == 0 {
                        tills.messages.push(sale.refund("refunded", at + 900)?);
                        tills.books.refunded += sale.lines.first().map_or(0, |line| line.3);
                    }
                }
            }
        }
        Ok(tills)
    }
}

fn rfc3339(seconds: i64) -> Result<String> {
    Ok(Timestamp::from_second(seconds)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tills_books_are_the_sum_of_what_they_tell() {
        let morning = Morning { seed: 3, live_orders: 0, store_orders: 200, begins: 1_790_000_000 };
        let tills = morning.stores().unwrap();
        let of = |kind: &'static str| tills.messages.iter().filter(move |message| message.body["type"] == kind);
        let last: std::collections::BTreeMap<_, _> =
            of("order.updated").map(|message| (message.body["data"]["order_id"].to_string(), message)).collect();
        let paid: i64 = last.values().map(|message| message.body["data"]["paid"].as_i64().unwrap()).sum();
        let refunded: i64 =
            of("refund.updated").map(|message| message.body["data"]["claim"]["amount"].as_i64().unwrap()).sum();
        assert_eq!((paid, refunded), (tills.books.paid, tills.books.refunded));
        assert!(refunded > 0 && tills.books.orders.len() == 3);
        let mut ids: Vec<_> = tills.messages.iter().map(|message| &message.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), tills.messages.len());
    }
}
