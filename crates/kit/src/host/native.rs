//! Outside Wasm, on tokio.

use std::time::Duration;

/// Sleeps.
pub async fn sleep(length: Duration) {
    tokio::time::sleep(length).await;
}

/// Runs a future in the background.
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
