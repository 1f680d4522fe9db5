//! The Wasm engine: how components are compiled, where instances get their memory, and the clock that interrupts them.

use std::path::Path;
use std::time::Duration;

use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result};

use crate::limits::Limits;

/// How often a computing guest lets others run.
pub const EPOCH: Duration = Duration::from_millis(10);

/// The pool has room for this many instances; each reserves address space, not memory.
const POOLED_INSTANCES: u32 = 256;

/// The engine with `limits`, which keeps what it compiles in `cache` for the next start.
///
/// Instances come from a pool, which makes a new one in microseconds. Where the system does not give the address space
/// for a pool, they are allocated one by one.
///
/// # Errors
/// The cache's folder cannot be made or is not absolute, or the machine is not one that wasmtime supports.
pub fn engine(limits: &Limits, cache: &Path) -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.epoch_interruption(true);
    let mut stored = CacheConfig::new();
    stored.with_directory(cache);
    config.cache(Some(Cache::new(stored)?));
    config.allocation_strategy(pool(limits));
    let engine = Engine::new(&config).or_else(|error| {
        tracing::warn!(%error, "no memory pool for instances: allocating them one by one");
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    })?;
    tick(&engine)?;
    Ok(engine)
}

fn pool(limits: &Limits) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(POOLED_INSTANCES)
        .total_core_instances(POOLED_INSTANCES * 8)
        .total_memories(POOLED_INSTANCES)
        .total_tables(POOLED_INSTANCES * 4)
        .total_stacks(POOLED_INSTANCES * 8)
        .max_memory_size(limits.memory)
        .max_unused_warm_slots(16);
    InstanceAllocationStrategy::Pooling(pool)
}

/// Starts the thread that moves the epoch on, until the engine is gone. A thread, since a computing guest may hold the
/// runtime's own.
fn tick(engine: &Engine) -> Result<()> {
    let weak = engine.weak();
    std::thread::Builder::new().name("epoch".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(EPOCH);
            match weak.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    })?;
    Ok(())
}
