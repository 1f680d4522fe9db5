//! What a merchant's own shops, tills, warehouses and mini-programs tell.

use platforms::activity::Read;
use platforms::{activity, own, warehouse};

use crate::{now, read};

/// An order or a refund: what is taken is kept as it was said.
pub fn order(bytes: &[u8]) {
    let Ok(message) = own::decode(bytes) else { return };
    if let Ok(mapped) = own::map(message) {
        read::keeps(&mapped.fact);
    }
}

/// Goods that came or went: never a negative number of pieces, nor none.
pub fn stock(bytes: &[u8]) {
    let Ok(document) = warehouse::decode(bytes) else { return };
    assert!(document.pieces.values().all(|pieces| *pieces > 0), "{document:?}");
}

/// A batch of events: each is understood, unknown or unusable, and none is left out.
pub fn events(bytes: &[u8]) {
    let Ok(events) = activity::decode(bytes, now()) else { return };
    for (event, read) in events {
        match read {
            Read::Told(told) => {
                let kept = serde_json::to_value(&told.activity).unwrap_or_default();
                let again = serde_json::from_value(kept.clone()).map(|again: domain::Activity| again == told.activity);
                assert!(again.is_ok_and(|same| same), "{event} is kept as {kept}");
            }
            Read::Unknown { type_name, .. } => assert!(!activity::TYPES.contains(&type_name.as_str()), "{event}"),
            Read::Unusable { reason, .. } => assert_ne!(reason, "", "{event}"),
        }
    }
}
