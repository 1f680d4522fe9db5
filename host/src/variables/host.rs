//! The guest's side of `spin:variables@3.0.0`.

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::{Accessor, HasSelf, Linker};

use super::check_name;
use crate::bindings::spin::variables::variables::{self, Error, Host, HostWithStore};

/// One instance's variables: its component's, from [`super::Resolver::component`].
pub struct VariablesState(pub Arc<BTreeMap<String, String>>);

/// Gives guests of `linker` the interface `spin:variables/variables@3.0.0`; `state` finds the instance's part in the
/// store's data.
///
/// # Errors
/// The linker's, where it already has the interface.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    state: fn(&mut T) -> &mut VariablesState,
) -> wasmtime::Result<()> {
    variables::add_to_linker::<T, HasSelf<VariablesState>>(linker, state)
}

impl Host for VariablesState {}

impl<T: Send> HostWithStore<T> for HasSelf<VariablesState> {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        if let Err(problem) = check_name(&name) {
            return Ok(Err(Error::InvalidName(format!("{name:?}: {problem}"))));
        }
        let value = accessor.with(|mut access| access.get().0.get(&name).cloned());
        Ok(value.ok_or_else(|| Error::Undefined(format!("the component has no variable {name:?}"))))
    }
}
