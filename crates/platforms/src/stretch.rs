//! Windows that are longer than a platform takes, read stretch by stretch; and what lists and records share besides.
//!
//! [`Window::page`] then holds where the stretch begins (Unix milliseconds), a blank, and the platform's own page or cursor in it.

use std::collections::BTreeSet;

use domain::UnixMs;

use crate::marketplace::Window;

/// A part of a window that the platform takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch<'a> {
    /// From this instant.
    pub since: UnixMs,
    /// To this instant.
    pub until: UnixMs,
    /// The platform's page or cursor; none is the first.
    pub cursor: Option<&'a str>,
}

impl<'a> Stretch<'a> {
    /// The stretch that the window's page names, of at most `longest` milliseconds.
    pub fn of(window: &'a Window, longest: i64) -> Self {
        let page = window.page.as_deref().unwrap_or_default();
        let (since, cursor) = page.split_once(' ').map_or((page, None), |(since, cursor)| (since, Some(cursor)));
        let since = since.parse().ok().and_then(|since| UnixMs::from_millis(since).ok()).unwrap_or(window.since);
        let until = since.try_add_millis(longest).unwrap_or(window.until).min(window.until);
        Self { since, until, cursor }
    }

    /// The page after this one: in the same stretch where the platform names a cursor, else the first of the next stretch.
    pub fn next(&self, window: &Window, cursor: Option<&str>) -> Option<String> {
        match cursor {
            Some(cursor) => Some(format!("{} {cursor}", self.since.millis())),
            None => (self.until < window.until).then(|| self.until.millis().to_string()),
        }
    }
}

/// The id of an order's line where the platform only numbers SKUs: the SKU's id, unless an earlier line has it (a gift beside the
/// same thing bought); then `other`, or the id with the line's place.
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

    use domain::UnixMs;

    use super::{Stretch, line_id};
    use crate::marketplace::Window;

    fn at(millis: i64) -> UnixMs {
        UnixMs::from_millis(millis).unwrap()
    }

    #[test]
    fn stretches_cover_the_window_without_a_gap() {
        let mut window = Window { since: at(0), until: at(250), page: None };
        let mut seen = Vec::new();
        loop {
            let stretch = Stretch::of(&window, 100);
            seen.push((stretch.since.millis(), stretch.until.millis(), stretch.cursor.map(str::to_owned)));
            // The second stretch has two pages.
            let cursor = (stretch.since == at(100) && stretch.cursor.is_none()).then_some("key with blanks");
            let Some(next) = stretch.next(&window, cursor) else { break };
            window.page = Some(next);
        }
        let expected =
            [(0, 100, None), (100, 200, None), (100, 200, Some("key with blanks".to_owned())), (200, 250, None)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn nonsense_begins_at_the_beginning() {
        let window = Window { since: at(5), until: at(9), page: Some("nonsense".to_owned()) };
        assert_eq!(Stretch::of(&window, i64::MAX), Stretch { since: at(5), until: at(9), cursor: None });
    }

    #[test]
    fn line_ids_are_unique() {
        let mut taken = BTreeSet::new();
        let ids = [("7", None), ("7", Some("u")), ("7", Some("u")), ("7", None), ("8", Some("7"))]
            .map(|(sku_id, other)| line_id(&mut taken, sku_id, other));
        assert_eq!(ids, ["7", "u", "7#2", "7#3", "8"]);
    }
}
