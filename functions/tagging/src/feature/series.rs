//! A series: what happened how often, with what amount, by day.

use domain::day::Day;
use serde::{Deserialize, Serialize};

/// How many days have cells of their own; older ones count in the totals only.
pub const KEPT_DAYS: Day = 365;

/// One day of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell(pub Day, pub i64, pub i64);

/// A series of one measure, or of one value of a dimension of it. Two series of one measure add up to one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// How often, ever.
    #[serde(rename = "n", default)]
    pub count: i64,
    /// The amount, ever: fen, milliseconds or minutes, as the measure says.
    #[serde(rename = "a", default, skip_serializing_if = "is_zero")]
    pub amount: i64,
    /// The first day that has no cell any more.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    first: Option<Day>,
    /// The last day that has no cell any more.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    last: Option<Day>,
    /// The last [`KEPT_DAYS`] days, sorted.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    cells: Vec<Cell>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Series {
    /// Counts `count` more, with `amount` in all, on `day`. Both may be negative: what was counted is taken back.
    pub fn add(&mut self, day: Day, count: i64, amount: i64, today: Day) {
        self.count = self.count.saturating_add(count);
        self.amount = self.amount.saturating_add(amount);
        if day > today.saturating_sub(KEPT_DAYS) {
            self.add_cell(Cell(day, count, amount));
        } else if count > 0 {
            self.fold_day(day);
        }
    }

    fn add_cell(&mut self, Cell(day, count, amount): Cell) {
        match self.cells.binary_search_by_key(&day, |cell| cell.0) {
            Ok(at) => {
                if let Some(cell) = self.cells.get_mut(at) {
                    cell.1 = cell.1.saturating_add(count);
                    cell.2 = cell.2.saturating_add(amount);
                    if (cell.1, cell.2) == (0, 0) {
                        self.cells.remove(at);
                    }
                }
            }
            Err(at) if (count, amount) != (0, 0) => self.cells.insert(at, Cell(day, count, amount)),
            Err(_) => {}
        }
    }

    fn fold_day(&mut self, day: Day) {
        self.first = Some(self.first.map_or(day, |first| first.min(day)));
        self.last = Some(self.last.map_or(day, |last| last.max(day)));
    }

    /// Lets go of the cells that no window reaches any more. What windows tell does not change.
    pub fn fold(&mut self, today: Day) {
        let kept = self.cells.partition_point(|cell| cell.0 <= today.saturating_sub(KEPT_DAYS));
        for Cell(day, count, _) in self.cells.drain(..kept).collect::<Vec<_>>() {
            if count > 0 {
                self.fold_day(day);
            }
        }
    }

    /// Adds all that `other` has counted. Commutative and associative.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.amount = self.amount.saturating_add(other.amount);
        for day in [other.first, other.last].into_iter().flatten() {
            self.fold_day(day);
        }
        for cell in &other.cells {
            self.add_cell(*cell);
        }
    }

    /// Whether nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.amount == 0 && self.cells.is_empty()
    }

    /// Count and amount of the `days` days that end with `today`; of all time without `days`.
    pub fn window(&self, days: Option<Day>, today: Day) -> (i64, i64) {
        let Some(days) = days else { return (self.count, self.amount) };
        self.within(days, today).fold((0, 0), |sum, cell| (sum.0.saturating_add(cell.1), sum.1.saturating_add(cell.2)))
    }

    /// The days of the window on which something was counted.
    pub fn within(&self, days: Day, today: Day) -> impl Iterator<Item = &Cell> {
        let after = today.saturating_sub(days);
        self.cells.iter().skip_while(move |cell| cell.0 <= after)
    }

    /// The next day after `today` on which a window of `days` days tells something else, with no event.
    pub fn next_change(&self, days: Day, today: Day) -> Option<Day> {
        self.within(days, today).next().map(|cell| cell.0.saturating_add(days))
    }

    /// The first day on which something was counted.
    pub fn first_day(&self) -> Option<Day> {
        self.first.into_iter().chain(self.counted_days().next()).min()
    }

    /// The last day on which something was counted.
    pub fn last_day(&self) -> Option<Day> {
        self.last.into_iter().chain(self.counted_days().next_back()).max()
    }

    /// The days, of the last year, on which something was counted.
    pub fn counted_days(&self) -> impl DoubleEndedIterator<Item = Day> {
        self.cells.iter().filter(|cell| cell.1 > 0).map(|cell| cell.0)
    }
}
