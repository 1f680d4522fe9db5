//! What the host keeps for one instance of a component: its view of the world, its limits and the calls in it.

mod attribution;
mod linker;
mod output;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

pub use attribution::Calls;
pub use linker::linker;

use crate::call::Call;
use crate::engine::EPOCH;
use crate::key_value::{KeyValueHost, KeyValueState};
use crate::limits::Limits;
use crate::outbound::Outbound;
use crate::sqlite::{SqliteHost, SqliteState};
use crate::variables::VariablesState;
use output::{Channel, Output};

/// The call that the guest works on at this moment, shared with what acts for it.
#[derive(Clone, Debug, Default)]
pub struct CurrentCall(Arc<Mutex<Option<Arc<Call>>>>);

impl CurrentCall {
    /// The call, if the guest works on one.
    #[must_use]
    pub fn get(&self) -> Option<Arc<Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the call.
    pub fn set(&self, call: Option<Arc<Call>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = call;
    }
}

/// The services that all components of an application share.
pub struct Services {
    /// The databases.
    pub sqlite: SqliteHost,
    /// The key-value stores.
    pub key_value: KeyValueHost,
}

/// What every instance of a component is given.
pub struct Template {
    /// The component's id.
    pub id: Arc<str>,
    /// The process environment, by name.
    pub environment: Vec<(String, String)>,
    /// Its way to other systems and components.
    pub outbound: Outbound,
    /// Its variables, by name.
    pub variables: Arc<BTreeMap<String, String>>,
    /// The labels of the databases that it may open.
    pub databases: Arc<BTreeSet<String>>,
    /// The labels of the key-value stores that it may open.
    pub stores: Arc<BTreeSet<String>>,
    /// Where the labels lead.
    pub services: Arc<Services>,
    /// Bytes of linear memory.
    pub memory: usize,
    /// Epochs that it may compute without a pause.
    pub busy_epochs: u32,
}

/// The data of one instance's store.
pub struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    outbound: Outbound,
    sqlite: SqliteState,
    key_value: KeyValueState,
    variables: VariablesState,
    limits: StoreLimits,
    /// Which task works on which call.
    pub calls: Calls,
    /// Epochs since the instance last came to its event loop.
    epochs: u32,
}

impl Template {
    /// The number of epochs that `limits` let a guest compute without a pause.
    #[must_use]
    pub fn busy_epochs(limits: &Limits) -> u32 {
        let epochs = limits.busy_timeout.as_millis() / EPOCH.as_millis();
        u32::try_from(epochs).unwrap_or(u32::MAX).max(1)
    }

    /// The store for a new instance.
    #[must_use]
    pub fn store(&self, engine: &Engine) -> Store<Guest> {
        let current = CurrentCall::default();
        let output = |channel| Output::new(channel, self.id.clone(), current.clone());
        let mut wasi = WasiCtx::builder();
        wasi.envs(&self.environment).stdout(output(Channel::Stdout)).stderr(output(Channel::Stderr));
        let guest = Guest {
            wasi: wasi.build(),
            table: ResourceTable::new(),
            http: WasiHttpCtx::new(),
            outbound: self.outbound.with_current(current.clone()),
            sqlite: self.services.sqlite.instance(self.databases.clone()),
            key_value: self.services.key_value.instance(self.stores.clone()),
            variables: VariablesState(self.variables.clone()),
            limits: StoreLimitsBuilder::new().memory_size(self.memory).build(),
            calls: Calls::new(current),
            epochs: 0,
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.limits);
        store.set_epoch_deadline(1);
        let busy_epochs = self.busy_epochs;
        // Each epoch the guest lets others run; one that never comes back to its event loop is ended.
        store.epoch_deadline_callback(move |mut store| {
            store.data_mut().epochs += 1;
            if store.data().epochs <= busy_epochs {
                return Ok(UpdateDeadline::Yield(1));
            }
            if let Some(call) = Calls::running(&mut store) {
                call.mark_ran_away();
            }
            Ok(UpdateDeadline::Interrupt)
        });
        store
    }
}

impl Guest {
    /// The instance has come to its event loop: it is not running away.
    pub fn paused(&mut self) {
        self.epochs = 0;
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}
