//! Which of an instance's calls the guest works on: an instance serves many at once, and what it writes or sends
//! belongs to one of them.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::GuestTaskId;

use super::{CurrentCall, Guest};
use crate::call::Call;

/// The calls of one instance by the guest's task. The map is as large as the most calls at one time: a task's number is
/// used again after its end, and the entry with it, so that work after the response still has its call.
pub struct Calls {
    by_task: HashMap<GuestTaskId, Arc<Call>>,
    current: CurrentCall,
}

impl Calls {
    pub(super) fn new(current: CurrentCall) -> Self {
        Self { by_task: HashMap::new(), current }
    }

    /// Notes that `task` works on `call`.
    pub fn started(&mut self, task: GuestTaskId, call: Arc<Call>) {
        self.by_task.insert(task, call);
    }

    /// Notes that `task` works on `call`, and that the instance has no other.
    pub fn started_alone(&mut self, task: GuestTaskId, call: Arc<Call>) {
        self.current.set(Some(call.clone()));
        self.started(task, call);
    }

    /// The call whose task runs in `store` now.
    pub fn running(store: &mut StoreContextMut<'_, Guest>) -> Option<Arc<Call>> {
        // The last task of the stack is the one that the host called.
        let task = store.async_call_stack().ok()?.last()?;
        store.data().calls.by_task.get(&task).cloned()
    }

    /// Makes the running call the current one, for a host function that the guest has just called.
    pub fn attribute(store: &mut StoreContextMut<'_, Guest>) {
        let call = Self::running(store);
        store.data().calls.current.set(call);
    }
}
