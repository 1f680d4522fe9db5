//! What is personal in a profile, and how it is sealed, found and shown.

use crate::store::profile;
use domain::{CustomerId, UnixMs};
use kit::{DbError, Tx, Vault, VaultError};

/// The purpose under which names are sealed.
const NAME: &str = "customer.name";
/// The purpose under which free text of the profile is sealed.
const TEXT: &str = "customer.attribute";
/// The longest beginning of a name that it is found by, in characters.
const LONGEST_PREFIX: usize = 8;

/// Names a customer as of `at`, unless a newer name is known.
///
/// # Errors
/// [`DbError`] of the statements.
pub fn set_name(tx: &Tx<'_>, vault: &Vault, id: CustomerId, name: &str, at: UnixMs) -> Result<(), DbError> {
    let sealed = vault.seal(NAME, name.as_bytes()).map_err(shape)?;
    let ends = name.char_indices().map(|(at, letter)| at + letter.len_utf8()).take(LONGEST_PREFIX);
    let prefixes = ends.filter_map(|end| name.get(..end)).map(|prefix| prefix_hash(vault, prefix));
    profile::set_name(tx, id, sealed, at, &prefixes.collect::<Result<Vec<_>, _>>().map_err(shape)?)
}

/// The keyed hash by which the beginning of a name is found, whatever its case.
///
/// # Errors
/// None in practice.
pub fn prefix_hash(vault: &Vault, prefix: &str) -> Result<String, VaultError> {
    let prefix: String = prefix.trim().to_lowercase().chars().take(LONGEST_PREFIX).collect();
    vault.hash("name prefix", &prefix)
}

/// A name in clear.
///
/// # Errors
/// [`VaultError`] when another key has sealed it.
pub fn open_name(vault: &Vault, sealed: &[u8]) -> Result<String, VaultError> {
    vault.open(NAME, sealed).map(|clear| String::from_utf8_lossy(&clear).into_owned())
}

/// Seals free text of the profile.
///
/// # Errors
/// [`DbError::Shape`] where it is too long for the cipher.
pub fn seal_text(vault: &Vault, text: &str) -> Result<Vec<u8>, DbError> {
    vault.seal(TEXT, text.as_bytes()).map_err(shape)
}

/// Free text of the profile in clear.
///
/// # Errors
/// [`VaultError`] when another key has sealed it.
pub fn open_text(vault: &Vault, sealed: &[u8]) -> Result<String, VaultError> {
    vault.open(TEXT, sealed).map(|clear| String::from_utf8_lossy(&clear).into_owned())
}

fn shape(error: VaultError) -> DbError {
    DbError::Shape(error.to_string())
}
