//! Plain text tables for people: left column names, further columns figures.

use std::fmt;

/// Rows under a heading; the first column is set left, the others right.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this heading.
    pub fn new(heading: &[&str]) -> Self {
        let mut table = Self::default();
        table.row(heading);
        table
    }

    /// Add a row.
    pub fn row<T: ToString>(&mut self, cells: &[T]) {
        self.rows.push(cells.iter().map(ToString::to_string).collect());
    }

    /// The same as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            text.push_str(&format!("| {} |\n", row.join(" | ")));
            if index == 0 {
                let rules = row.iter().enumerate().map(|(column, _)| if column == 0 { "---" } else { "---:" });
                text.push_str(&format!("| {} |\n", rules.collect::<Vec<_>>().join(" | ")));
            }
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, row) in self.rows.iter().enumerate() {
            for (column, cell) in row.iter().enumerate() {
                let width = self.width(column);
                if column == 0 {
                    write!(f, "  {cell:<width$}")?;
                } else {
                    write!(f, "  {cell:>width$}")?;
                }
            }
            writeln!(f)?;
            if index == 0 {
                let columns = row.len();
                let width: usize = (0..columns).map(|column| self.width(column) + 2).sum();
                writeln!(f, "  {}", "-".repeat(width.saturating_sub(2)))?;
            }
        }
        Ok(())
    }
}

/// Fen as yuan with two decimals and thousands apart: 1234567 is `12,345.67`.
pub fn yuan(fen: i64) -> String {
    let (whole, rest) = (fen.unsigned_abs() / 100, fen.unsigned_abs() % 100);
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{rest:02}", thousands(whole))
}

/// A count with thousands apart.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_counts_are_set_apart_by_thousands() {
        assert_eq!(yuan(1_234_567), "12,345.67");
        assert_eq!(yuan(-5), "-0.05");
        assert_eq!(yuan(100_000), "1,000.00");
        assert_eq!(thousands(999), "999");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["what", "n"]);
        table.row(&["requests", "12"]);
        assert_eq!(table.to_string(), "  what       n\n  ------------\n  requests  12\n");
        assert_eq!(table.markdown(), "| what | n |\n| --- | ---: |\n| requests | 12 |\n");
    }
}
