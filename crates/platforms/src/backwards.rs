//! Lists of what changed in a stretch of time, read from the last page to the first.
//!
//! What changes while it is being listed leaves the stretch, and all that stood behind it moves up: who reads forward skips
//! one. Who reads backward sees some twice, which facts bear. So the first question only counts, unless one page holds all.
//! Several lists of one platform follow each other.

use std::fmt;

use crate::marketplace::{Answer, Ask, Window};

/// How a platform lists.
#[derive(Clone, Copy, Debug)]
pub struct Lists {
    /// How many lists there are.
    pub count: i64,
    /// Records on a page.
    pub page_size: i64,
}

/// Where in the lists a question stands; written `list.page` in [`Window::page`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which list.
    pub list: i64,
    /// Which page; 0 while the pages are not counted.
    page: i64,
}

impl Place {
    /// Where `window` stands; at the very start when it does not say.
    pub fn of(window: &Window) -> Self {
        let place = window.page.as_deref().and_then(|page| page.split_once('.'));
        let numbers = place.map(|(list, page)| (list.parse(), page.parse()));
        match numbers {
            Some((Ok(list), Ok(page))) => Self { list, page },
            _ => Self::default(),
        }
    }

    /// The page to ask for, from 1.
    pub fn number(self) -> i64 {
        self.page.max(1)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.list, self.page)
    }
}

impl Lists {
    /// What a page tells: `total` records are in the stretch, and these are the questions of the page.
    pub fn turn(self, window: &Window, total: i64, asks: Vec<Ask>) -> Answer {
        let place = Place::of(window);
        let pages = total.saturating_add(self.page_size - 1) / self.page_size.max(1);
        let (asks, next) = match place.page {
            0 if pages > 1 => (Vec::new(), Some(Place { page: pages, ..place })),
            page if page > 1 => (asks, Some(Place { page: page - 1, ..place })),
            _ if place.list < self.count - 1 => (asks, Some(Place { list: place.list.saturating_add(1), page: 0 })),
            _ => (asks, None),
        };
        Answer::Changed { asks, next: next.map(|place| place.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use domain::UnixMs;

    use super::{Lists, Place};
    use crate::marketplace::{Answer, Ask, Window};

    const LISTS: Lists = Lists { count: 2, page_size: 100 };

    fn window(page: Option<&str>) -> Window {
        Window { since: UnixMs::EPOCH, until: UnixMs::EPOCH, page: page.map(str::to_owned) }
    }

    /// The list, the page and the questions at each step until the end, with so many records in every list.
    fn walk(total: i64) -> Vec<(i64, i64, usize)> {
        let mut seen = Vec::new();
        let mut window = window(None);
        loop {
            let place = Place::of(&window);
            let ask = Ask::Order { order_id: "1".to_owned() };
            let Answer::Changed { asks, next } = LISTS.turn(&window, total, vec![ask]) else { panic!("no list") };
            seen.push((place.list, place.number(), asks.len()));
            match next {
                Some(next) => window.page = Some(next),
                None => return seen,
            }
            assert!(seen.len() < 50, "no end: {seen:?}");
        }
    }

    #[test]
    fn one_page_is_read_at_once() {
        for total in [0, 1, 100] {
            assert_eq!(walk(total), [(0, 1, 1), (1, 1, 1)]);
        }
    }

    #[test]
    fn several_pages_are_counted_and_then_read_from_the_last() {
        let list = |list| [(list, 1, 0), (list, 3, 1), (list, 2, 1), (list, 1, 1)];
        assert_eq!(walk(201), [list(0), list(1)].concat());
    }

    #[test]
    fn a_page_that_is_no_place_is_the_start() {
        for page in ["", "7", "1.2.3", "a.b", "99999999999999999999.0"] {
            assert_eq!(Place::of(&window(Some(page))), Place::default(), "{page}");
        }
        for page in ["9223372036854775807.-1", "0.9223372036854775807"] {
            let _ = LISTS.turn(&window(Some(page)), i64::MAX, Vec::new());
        }
    }
}
