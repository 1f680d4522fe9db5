//! A file as it comes in: its header checked, its rows sealed one by one.

use super::ROW;
use super::columns::{self, Column, Kind};
use kit::{Vault, VaultError};
use serde_json::json;
use std::collections::BTreeMap;

/// How many rows a file has at the most: bigger ones come in parts.
pub const MOST_ROWS: usize = 10_000;

/// A file that can be worked off.
pub struct File {
    /// The keyed hash of the whole.
    pub digest: String,
    /// What its columns hold.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Sealed>,
}

/// A row, sealed.
pub struct Sealed {
    /// Its number as a spreadsheet counts: the header is row 1. Blank lines do not count.
    pub row: i64,
    /// The keyed hash of kind and row, whatever the order of columns.
    pub digest: String,
    /// Its cells.
    pub sealed: Vec<u8>,
}

/// Why a file is not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is not UTF-8.
    Encoding,
    /// Its columns do not fit: what to change.
    Header(Vec<String>),
    /// It has no rows.
    Empty,
    /// It has more rows than are taken at a time.
    TooMany,
    /// It cannot be sealed.
    Vault(VaultError),
}

impl From<VaultError> for Unusable {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

/// Reads a file: UTF-8, with or without a byte order mark, cells quoted as of RFC 4180.
///
/// # Errors
/// [`Unusable`].
pub fn read(vault: &Vault, kind: Kind, body: &[u8]) -> Result<File, Unusable> {
    let text = std::str::from_utf8(body).map_err(|_| Unusable::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| Unusable::Encoding)?.clone();
    let columns = columns::header(kind, header.iter()).map_err(Unusable::Header)?;
    let mut rows = Vec::new();
    for (record, row) in reader.records().zip(2..) {
        if rows.len() == MOST_ROWS {
            return Err(Unusable::TooMany);
        }
        let cells: Vec<String> = record.map_err(|_| Unusable::Encoding)?.iter().map(str::to_owned).collect();
        let sealed = vault.seal(ROW, json!(cells).to_string().as_bytes())?;
        rows.push(Sealed { row, digest: digest(vault, kind, &columns, &cells)?, sealed });
    }
    if rows.is_empty() {
        return Err(Unusable::Empty);
    }
    Ok(File { digest: vault.hash("import", text)?, columns, rows })
}

/// What makes two rows one: the same kind, and the same values in the same columns.
fn digest(vault: &Vault, kind: Kind, columns: &[Column], cells: &[String]) -> Result<String, VaultError> {
    let named: BTreeMap<_, _> = if columns.len() == cells.len() {
        let pairs = columns.iter().zip(cells).map(|(column, cell)| (column.name(), cell.trim()));
        pairs.filter(|(_, cell)| !cell.is_empty()).collect()
    } else {
        // It will be refused; until then it is told apart by its places.
        cells.iter().zip(0..).map(|(cell, place): (_, i64)| (place.to_string(), cell.as_str())).collect()
    };
    vault.hash("import row", &json!([kind, named]).to_string())
}

/// The cells of a sealed row.
///
/// # Errors
/// Why it cannot be opened.
pub fn open(vault: &Vault, sealed: &[u8]) -> Result<Vec<String>, String> {
    let open = vault.open(ROW, sealed).map_err(|error| error.to_string())?;
    serde_json::from_slice(&open).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kit::Variables;
    use proptest::prelude::*;

    fn vault() -> Vault {
        Vault::new(&Variables::from_pairs([("data_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")])).unwrap()
    }

    fn read(body: &[u8]) -> Result<Vec<(i64, Vec<String>)>, Unusable> {
        let vault = vault();
        let file = super::read(&vault, Kind::Customers, body)?;
        Ok(file.rows.iter().map(|row| (row.row, open(&vault, &row.sealed).unwrap())).collect())
    }

    #[test]
    fn quotes_line_ends_and_the_byte_order_mark_are_understood() {
        let body = "\u{feff}card,name\r\nM-1,\"王, \"\"小\"\"\n花\"\r\n\r\nM-2\n";
        let cells = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        assert_eq!(read(body.as_bytes()), Ok(vec![(2, cells(&["M-1", "王, \"小\"\n花"])), (3, cells(&["M-2"]))]));
    }

    #[test]
    fn what_cannot_be_read_is_not_taken() {
        assert_eq!(read(b"card\n\xff\xfe"), Err(Unusable::Encoding));
        assert_eq!(read(b"card\n"), Err(Unusable::Empty));
        assert!(matches!(read(b""), Err(Unusable::Header(_))));
        assert!(matches!(read(b"nonsense\nx"), Err(Unusable::Header(_))));
        let many = format!("card\n{}", "M-1\n".repeat(MOST_ROWS + 1));
        assert_eq!(read(many.as_bytes()), Err(Unusable::TooMany));
    }

    proptest! {
        /// The order of columns does not make a row another; a value does.
        #[test]
        fn a_row_is_known_by_what_it_says(card in "[A-Z]{1,6}", name in "[a-z]{1,6}", other in "[a-z]{1,6}") {
            let digest = |body: String| super::read(&vault(), Kind::Customers, body.as_bytes()).unwrap().rows[0].digest.clone();
            let one = digest(format!("card,name,store\n{card},{name},"));
            prop_assert_eq!(&one, &digest(format!("name,member_card\n {name} ,{card}")));
            prop_assert_eq!(one == digest(format!("card,name\n{card},{other}")), name == other);
        }
    }
}
