//! Lists of what changed in a stretch of time, read from the last page to the first.
//!
//! What changes while it is being listed leaves the stretch, and all that stood behind it moves up: who reads forward skips
//! one. Who reads backward sees some twice, which facts bear. So the first question only counts, unless one page holds all.
//! A stretch longer than the platform takes is cut, and several lists of one platform follow each other.

use std::fmt;

use domain::UnixMs;

use crate::marketplace::{Answer, Ask, Window};

/// How a platform lists.
#[derive(Clone, Copy, Debug)]
pub struct Lists {
    /// How many lists there are.
    pub count: i64,
    /// The longest stretch of time that one question may cover, in milliseconds.
    pub longest: i64,
    /// Records on a page.
    pub page_size: i64,
}

/// A day in milliseconds.
pub const DAY: i64 = 86_400_000;

/// Where in the lists a question stands; written `list.cut.page` in [`Window::page`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which list.
    pub list: i64,
    /// Which cut of the stretch.
    cut: i64,
    /// Which page; 0 while the pages are not counted.
    page: i64,
}

impl Place {
    /// Where `window` stands; at the very start when it does not say.
    pub fn of(window: &Window) -> Self {
        let mut numbers = window.page.as_deref().unwrap_or_default().split('.').map(|number| number.parse().ok());
        match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
            (Some(Some(list)), Some(Some(cut)), Some(Some(page)), None) => Self { list, cut, page },
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
        write!(f, "{}.{}.{}", self.list, self.cut, self.page)
    }
}

impl Lists {
    /// The stretch of time to ask for.
    pub fn stretch(self, window: &Window) -> (UnixMs, UnixMs) {
        let moved = |cuts: i64| window.since.try_add_millis(self.longest.saturating_mul(cuts)).unwrap_or(window.until);
        let cut = Place::of(window).cut;
        (moved(cut).min(window.until), moved(cut.saturating_add(1)).min(window.until))
    }

    /// What a page tells: `total` records are in the stretch, and these are the questions of the page.
    pub fn turn(self, window: &Window, total: i64, asks: Vec<Ask>) -> Answer {
        let place = Place::of(window);
        let pages = total.saturating_add(self.page_size - 1) / self.page_size.max(1);
        let (asks, next) = match place.page {
            0 if pages > 1 => (Vec::new(), Some(Place { page: pages, ..place })),
            page if page > 1 => (asks, Some(Place { page: page - 1, ..place })),
            _ if self.stretch(window).1 < window.until => {
                (asks, Some(Place { cut: place.cut.saturating_add(1), page: 0, ..place }))
            }
            _ if place.list < self.count - 1 => {
                (asks, Some(Place { list: place.list.saturating_add(1), cut: 0, page: 0 }))
            }
            _ => (asks, None),
        };
        Answer::Changed { asks, next: next.map(|place| place.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use domain::UnixMs;

    use super::{DAY, Lists, Place};
    use crate::marketplace::{Answer, Ask, Window};

    const LISTS: Lists = Lists { count: 2, longest: DAY, page_size: 100 };

    fn window(days: f64, page: Option<&str>) -> Window {
        let until = UnixMs::from_seconds((days * 86_400.0).round().to_string().parse().unwrap()).unwrap();
        Window { since: UnixMs::EPOCH, until, page: page.map(str::to_owned) }
    }

    /// The places that are asked for until the end, with so many records in every stretch.
    fn walk(days: f64, total: i64) -> Vec<(i64, i64, i64, usize)> {
        let mut seen = Vec::new();
        let mut window = window(days, None);
        loop {
            let place = Place::of(&window);
            let ask = Ask::Order { order_id: "1".to_owned() };
            let Answer::Changed { asks, next } = LISTS.turn(&window, total, vec![ask]) else { panic!("no list") };
            seen.push((place.list, LISTS.stretch(&window).0.millis() / DAY, place.number(), asks.len()));
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
            assert_eq!(walk(1.0, total), [(0, 0, 1, 1), (1, 0, 1, 1)]);
        }
    }

    #[test]
    fn several_pages_are_counted_and_then_read_from_the_last() {
        let list = |list| [(list, 0, 1, 0), (list, 0, 3, 1), (list, 0, 2, 1), (list, 0, 1, 1)];
        assert_eq!(walk(1.0, 201), [list(0), list(1)].concat());
    }

    #[test]
    fn long_stretches_are_cut() {
        assert_eq!(walk(2.5, 0), [(0, 0, 1, 1), (0, 1, 1, 1), (0, 2, 1, 1), (1, 0, 1, 1), (1, 1, 1, 1), (1, 2, 1, 1)]);
        let (since, until) = LISTS.stretch(&window(2.5, Some("0.2.7")));
        assert_eq!((since.millis(), until.millis()), (2 * DAY, 2 * DAY + DAY / 2));
    }

    #[test]
    fn a_page_that_is_no_place_is_the_start() {
        for page in ["", "7", "1.2", "1.2.3.4", "a.b.c", "99999999999999999999.0.0"] {
            assert_eq!(Place::of(&window(1.0, Some(page))), Place::default(), "{page}");
        }
        for page in ["9223372036854775807.9223372036854775806.-1", "0.-5.9223372036854775807"] {
            let _ = LISTS.stretch(&window(1.0, Some(page)));
            let _ = LISTS.turn(&window(1.0, Some(page)), i64::MAX, Vec::new());
        }
    }
}
