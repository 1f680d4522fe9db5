//! What orders and their refunds add to the figures.

use super::measure::key;
use super::name::REGION;
use super::state::Booking;
use domain::{Fen, Order, RefundEvent, ReturnReceived, UnixMs};
use std::collections::BTreeMap;

/// What the merchant's catalogue says of a SKU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// The category, as the merchant names it.
    pub category: Option<String>,
    /// The brand.
    pub brand: Option<String>,
    /// The taste.
    pub flavour: Option<String>,
}

/// What the merchant's catalogue says, by SKU.
pub type Products = BTreeMap<String, Product>;

/// When a paid order counts: the time of payment, and not later than it was told. None while it is not paid.
pub fn paid_at(order: &Order, told: UnixMs) -> Option<UnixMs> {
    order.times.paid_at.map(|at| at.min(told))
}

/// What a paid order adds at `at`. While only pushes have told of it, that is the order and the money; the rest follows.
pub fn booking(order: &Order, at: UnixMs, products: &Products) -> Booking {
    let paid = order.paid.or(order.amounts.as_ref().map(|amounts| amounts.payable)).unwrap_or_default().get();
    let mut deltas: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut add = |key: String, count: i64, amount: i64| {
        let sum = deltas.entry(key).or_default();
        *sum = (sum.0.saturating_add(count), sum.1.saturating_add(amount));
    };
    add("orders".to_owned(), 1, paid);
    add("active".to_owned(), 1, 0);
    for (name, value) in places(order) {
        add(key("orders", Some((name, &value))), 1, paid);
    }
    if let Some(amounts) = &order.amounts {
        let discount = amounts.discount_merchant.get().saturating_add(amounts.discount_platform.get());
        add("goods".to_owned(), 1, amounts.goods.get());
        if discount > 0 {
            add("discount".to_owned(), 1, discount);
        }
    }
    let by_line = order.paid_by_line().unwrap_or_default();
    let mut seen: BTreeMap<String, i64> = BTreeMap::new();
    for line in &order.lines {
        let money = by_line.iter().find(|(id, _)| *id == line.line_id).map_or(0, |(_, fen)| fen.get());
        let pieces = i64::from(line.quantity);
        add("pieces".to_owned(), pieces, 0);
        for (name, value) in product(line, products) {
            let own = key("orders", Some((name, value)));
            // An order counts once, though a product stands on two of its lines.
            let first = seen.insert(own.clone(), 1).is_none();
            add(own, i64::from(first), money);
            add(key("pieces", Some((name, value))), pieces, 0);
        }
    }
    let mut newest = Vec::new();
    if let Some(region) = &order.region {
        newest.push((REGION.to_owned(), format!("{}\t{}", region.province, region.city.as_deref().unwrap_or(""))));
    }
    if let Some(level) = &order.member_level {
        newest.push((format!("level|program={}", order.key.platform), level.clone()));
    }
    let channel = ("channel".to_owned(), channel(order).to_owned());
    newest.push(channel.clone());
    Booking {
        at: at.millis(),
        deltas: deltas.into_iter().map(|(key, (count, amount))| (key, count, amount)).collect(),
        in_histograms: true,
        newest,
        earliest: vec![channel],
        ..Booking::default()
    }
}

/// The channel that an order came by.
fn channel(order: &Order) -> &'static str {
    match &order.live_room {
        Some(room) if room.room_id.is_some() => "live_room",
        Some(_) => "promoter",
        None if order.guide.is_some() => "guide",
        None => "shop",
    }
}

fn places(order: &Order) -> Vec<(&'static str, String)> {
    let mut places = vec![
        ("platform", order.key.platform.as_str().to_owned()),
        ("shop", order.key.shop_id.clone()),
        ("channel", channel(order).to_owned()),
    ];
    if let Some(store) = order.guide.as_ref().and_then(|guide| guide.store_code.as_ref()) {
        places.push(("store", format!("/{}", store.trim_start_matches('/'))));
    }
    if let Some(room) = order.live_room.as_ref().and_then(|room| room.room_id.clone()) {
        places.push(("live_room", room));
    }
    places
}

fn product<'a>(line: &'a domain::Line, products: &'a Products) -> Vec<(&'static str, &'a str)> {
    let known = products.get(&line.sku);
    let of = |text: fn(&Product) -> Option<&String>| known.and_then(text).map(String::as_str);
    [
        ("sku", Some(line.sku.as_str())),
        ("product", line.product_id.as_deref()),
        ("category", of(|product| product.category.as_ref())),
        ("brand", of(|product| product.brand.as_ref())),
        ("flavour", of(|product| product.flavour.as_ref())),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect()
}

/// What a refund's payment adds.
pub fn refunded(event: &RefundEvent, told: UnixMs) -> Booking {
    let amount = event.refund.claim.as_ref().map_or(Fen::ZERO, |claim| claim.amount).get();
    let platform = key("refunds", Some(("platform", event.refund.order.platform.as_str())));
    let deltas = vec![("refunds".to_owned(), 1, amount), (platform, 1, amount)];
    Booking { at: event.at.min(told).millis(), deltas, ..Booking::default() }
}

/// What returned goods add.
pub fn returned(event: &ReturnReceived, told: UnixMs) -> Booking {
    Booking { at: event.at.min(told).millis(), deltas: vec![("returns".to_owned(), 1, 0)], ..Booking::default() }
}
