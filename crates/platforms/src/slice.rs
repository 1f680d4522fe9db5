//! Windows longer than a platform takes, asked slice by slice.
//!
//! [`Window::page`] then reads `<start of the slice, Unix milliseconds>/<page in the platform's own words>`.

use domain::UnixMs;

use crate::marketplace::Window;

/// The slice of a window that is asked about now, and the page of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice<'a> {
    /// From this instant.
    pub since: UnixMs,
    /// To this instant.
    pub until: UnixMs,
    /// The page; none is the first.
    pub page: Option<&'a str>,
}

impl<'a> Slice<'a> {
    /// The slice of `window` that its page names, at most `longest` milliseconds long.
    pub fn of(window: &'a Window, longest: i64) -> Self {
        let named = window.page.as_deref().and_then(|page| page.split_once('/'));
        let (since, page) = named
            .and_then(|(since, page)| Some((UnixMs::from_millis(since.parse().ok()?).ok()?, page)))
            .unwrap_or((window.since, ""));
        let end = since.try_add_millis(longest).unwrap_or(window.until);
        Self { since, until: window.until.min(end), page: Some(page).filter(|page| !page.is_empty()) }
    }

    /// Where to go on: at `page` of this slice, or after its last page at the next slice, if the window has one.
    pub fn next(&self, window: &Window, page: Option<&str>) -> Option<String> {
        match page {
            Some(page) => Some(format!("{}/{page}", self.since.millis())),
            None => (self.until < window.until).then(|| format!("{}/", self.until.millis())),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::UnixMs;

    use super::Slice;
    use crate::marketplace::Window;

    #[test]
    fn a_window_is_covered_without_gaps() {
        let at = |millis| UnixMs::from_millis(millis).unwrap();
        let mut window = Window { since: at(1_000), until: at(3_500), page: None };
        let mut seen = Vec::new();
        loop {
            let slice = Slice::of(&window, 1_000);
            seen.push((slice.since.millis(), slice.until.millis(), slice.page.map(str::to_owned)));
            let more = (slice.page.is_none() && slice.since == at(2_000)).then_some("cur/sor");
            let Some(page) = slice.next(&window, more) else { break };
            window.page = Some(page);
        }
        let cursor = Some("cur/sor".to_owned());
        let slices = [(1_000, 2_000, None), (2_000, 3_000, None), (2_000, 3_000, cursor), (3_000, 3_500, None)];
        assert_eq!(seen, slices);
    }

    #[test]
    fn a_page_that_is_not_ours_is_the_first() {
        let window = Window { since: UnixMs::EPOCH, until: UnixMs::EPOCH, page: Some("7".to_owned()) };
        assert_eq!(Slice::of(&window, 1_000), Slice { since: UnixMs::EPOCH, until: UnixMs::EPOCH, page: None });
    }
}
