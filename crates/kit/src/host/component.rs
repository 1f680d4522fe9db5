//! Inside a component, on WASI 0.3.

use std::time::Duration;

/// Sleeps; other tasks of the instance go on.
pub async fn sleep(length: Duration) {
    let nanoseconds = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
    wasip3::clocks::monotonic_clock::wait_for(nanoseconds).await;
}

/// Runs a future beside the requests of this instance, also after the response.
pub fn spawn(task: impl Future<Output = ()> + 'static) {
    wasip3::spawn_local(task);
}
