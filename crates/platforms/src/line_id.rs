//! Ids of an order's lines where the platform only numbers SKUs.

use std::collections::BTreeSet;

/// The SKU's id, unless an earlier line has it (a gift beside the same thing bought); then `other`, or the id with the line's place.
pub fn line_id(taken: &mut BTreeSet<String>, sku_id: &str, other: Option<&str>) -> String {
    let place = taken.len();
    let free = |id: &String| !taken.contains(id);
    let id = Some(sku_id.to_owned()).filter(free).or_else(|| other.map(str::to_owned).filter(free));
    let id = id.unwrap_or_else(|| format!("{sku_id}#{place}"));
    taken.insert(id.clone());
    id
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::line_id;

    #[test]
    fn line_ids_are_unique() {
        let mut taken = BTreeSet::new();
        let ids = [("7", None), ("7", Some("u")), ("7", Some("u")), ("7", None), ("8", Some("7"))]
            .map(|(sku_id, other)| line_id(&mut taken, sku_id, other));
        assert_eq!(ids, ["7", "u", "7#2", "7#3", "8"]);
    }
}
