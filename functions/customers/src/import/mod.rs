//! Imports.
use domain::{CustomerImported, ImportId};
use kit::consume::ConsumeError;
use kit::events::Logged;
use kit::{App, Tx};
/// Stub.
pub fn take(_app: &App, _tx: &Tx<'_>, _logged: &Logged, _row: &CustomerImported) -> Result<(), ConsumeError> {
    Ok(())
}
/// Stub.
pub fn step(_app: &App, _tx: &Tx<'_>, _logged: &Logged, _id: ImportId) -> Result<(), ConsumeError> {
    Ok(())
}
