//! What a host has to survive.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::http::types::ErrorCode;

use crate::answer::{Answer, stream, text};

/// Computes for ever, and never asks the host for anything.
pub fn endless_loop() -> ! {
    let mut count = 0_u64;
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
}

/// Takes memory until there is none, and writes to all of it.
pub fn memory_hog() -> Answer {
    let mut hoard = Vec::new();
    loop {
        hoard.push(vec![1_u8; 1 << 20]);
        // Wasm's memory ends at 4 GiB: a host without a limit lets the guest get there, and hears of it.
        if hoard.len() == 3 << 10 {
            return text("took 3 GiB\n");
        }
    }
}

/// Answers without end, as fast as it is read.
pub fn huge_response() -> Answer {
    stream(Endless)
}

/// Fails.
pub fn trap() -> ! {
    std::process::abort()
}

/// Waits for what never comes.
pub async fn hang<T, E>() -> Result<T, E> {
    loop {
        wait_for(3_600_000_000_000).await;
    }
}

struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = ErrorCode;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
        static PART: [u8; 1 << 16] = [b'x'; 1 << 16];
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&PART)))))
    }
}
