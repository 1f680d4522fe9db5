//! Guests that a host has to survive, and clients too. Each test fails without the protection that it is about.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::support::{PATIENCE, Setup, eventually};

#[tokio::test]
async fn an_endless_loop_is_interrupted_and_the_rest_goes_on() {
    let host = Setup::new().flags(["--busy-timeout", "3s"]).start();
    host.get("/hello").await.ok();
    host.get("/other/hello").await.ok();
    let (looping, meanwhile) = tokio::join!(host.get("/loop"), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let start = Instant::now();
        host.get("/other/hello").await.ok();
        start.elapsed()
    });
    looping.is_problem(504);
    assert!(meanwhile < Duration::from_millis(1500), "another component waited {meanwhile:?}");
    assert_eq!(host.get("/hello").await.ok(), "hello\n");
}

#[tokio::test]
async fn a_memory_hog_is_stopped_at_its_limit() {
    let host = Setup::new().flags(["--max-memory", "32M"]).start();
    host.get("/memory").await.is_problem(503);
    assert_eq!(host.get("/hello").await.ok(), "hello\n");
    assert!(host.peak_memory() < 256 << 20, "the host took {} bytes", host.peak_memory());
}

#[tokio::test]
async fn a_response_without_end_is_sent_as_it_is_read_and_ends_with_its_reader() {
    let host = Setup::new().flags(["--max-requests-in-flight", "1", "--request-timeout", "2s"]).start();
    let request = Request::get(host.client().address_of("/huge")).body(String::new()).unwrap();
    let mut body = host.client().open(request).await.into_body();
    let mut bytes = 0;
    while bytes < 64 << 20 {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap();
        bytes += frame.into_data().unwrap().len();
    }
    // A reader that stops makes the guest wait, rather than the host keep what it says.
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(body);
    assert!(host.peak_memory() < 256 << 20, "the host took {} bytes", host.peak_memory());
    assert_eq!(host.get("/hello").await.ok(), "hello\n");
}

#[tokio::test]
async fn a_trap_is_answered_503_and_the_next_request_is_served() {
    let host = Setup::new().start();
    let (sleeping, trapping) = tokio::join!(host.get("/sleep?5000"), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        host.get("/trap").await
    });
    // A trap takes everything in its instance with it: those others are told to come again, too.
    for lost in [sleeping, trapping] {
        lost.is_problem(503);
        assert_ne!(lost.header("retry-after"), "");
    }
    assert_eq!(host.get("/hello").await.ok(), "hello\n");
}

#[tokio::test]
async fn a_request_that_hangs_is_answered_504_and_the_others_are_finished() {
    let host = Setup::new().flags(["--request-timeout", "3s"]).start();
    host.get("/hello").await.ok();
    let (hanging, sleeping) = tokio::join!(host.get("/hang"), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        // In the instance of the one that hangs, and not ready when that one is given up.
        host.get("/sleep?1800").await
    });
    hanging.is_problem(504);
    assert_eq!(sleeping.ok(), "slept\n");
    assert_eq!(host.get("/hello").await.ok(), "hello\n");
}

#[tokio::test]
async fn clients_that_go_away_do_not_leave_the_instance_full() {
    let host = Setup::new().flags(["--max-requests-in-flight", "2", "--request-timeout", "1s"]).start();
    let client = host.client();
    let leave = || client.abandon("GET", "/hang", "", Duration::from_millis(300));
    tokio::join!(leave(), leave(), leave(), leave());
    assert_eq!(host.get("/hello").await.ok(), "hello\n");
}

#[tokio::test]
async fn requests_beyond_the_queue_are_told_to_come_again() {
    let host = Setup::new().flags(["--max-requests-in-flight", "1", "--max-queue", "1"]).start();
    let (one, two, three) = tokio::join!(
        host.get("/sleep?3000"),
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            host.get("/hello").await
        },
        async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            host.get("/hello").await
        }
    );
    assert_eq!(one.ok(), "slept\n");
    assert_eq!(two.ok(), "hello\n");
    three.is_problem(503);
    assert_ne!(three.header("retry-after"), "");
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_announced_or_not() {
    let host = Setup::new().flags(["--max-body", "1M"]).start();
    let fits = "x".repeat(1 << 20);
    assert_eq!(host.post("/echo", fits.clone()).await.ok(), fits);
    let put = || Request::put(host.client().address_of("/kv/default/key"));
    let announced = put().header("content-length", (1 << 20) + 1).body(StreamBody::new(unended(Vec::new())));
    host.client().request(announced.unwrap()).await.is_problem(413);
    let unannounced = put().body(StreamBody::new(unended(vec![Bytes::from(fits), Bytes::from("x")])));
    host.client().request(unannounced.unwrap()).await.is_problem(413);
    assert_eq!(host.get("/kv/default/key").await.status, 404);
}

#[tokio::test]
async fn a_client_that_sends_all_of_a_long_body_first_reads_the_answer_all_the_same() {
    let host = Setup::new().flags(["--max-body", "1M"]).start();
    let (size, address) = (32 << 20, host.address());
    for (head, chunk) in [(format!("content-length: {size}"), size), ("transfer-encoding: chunked".to_owned(), 1 << 20)]
    {
        let head = format!("PUT /kv/default/key HTTP/1.1\r\nhost: test\r\n{head}\r\n\r\n");
        // It blocks in writing, as simple clients do.
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            let part = vec![b'x'; chunk];
            for _ in 0..size / chunk {
                if chunk < size {
                    stream.write_all(format!("{chunk:x}\r\n").as_bytes()).unwrap();
                }
                stream.write_all(&part).unwrap();
                if chunk < size {
                    stream.write_all(b"\r\n").unwrap();
                }
            }
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        });
        assert_eq!(answer.await.unwrap(), "HTTP/1.1 413");
    }
}

#[tokio::test]
async fn a_short_body_that_does_not_come_keeps_no_instance() {
    let host = Setup::new().flags(["--request-timeout", "1s"]).start();
    let request = Request::put(host.client().address_of("/kv/default/key")).header("content-length", 10);
    let reply = host.client().request(request.body(StreamBody::new(unended(Vec::new()))).unwrap()).await;
    reply.is_problem(408);
    // No instance has seen the request: the first one is the next request's.
    assert!(host.get("/instance").await.ok().ends_with(" 1\n"));
}

/// The parts of a body of which more is to come, and never does.
fn unended(parts: Vec<Bytes>) -> impl Stream<Item = std::io::Result<Frame<Bytes>>> + Send {
    let parts = parts.into_iter().map(|part| Ok(Frame::data(part)));
    stream::iter(parts).chain(stream::pending())
}

#[tokio::test]
async fn databases_and_stores_of_others_are_closed() {
    let host = Setup::new().start();
    let reply = host.post("/script/books", "sync select 1").await;
    assert!(reply.status == 500 && reply.body.contains("AccessDenied"), "{reply:?}");
    for path in ["/kv/books/key", "/other/kv/default/key"] {
        let reply = host.get(path).await;
        assert!(reply.status == 500 && reply.body.contains("AccessDenied"), "{path}: {reply:?}");
    }
    // Nor is there a way round by SQL.
    host.script("sync create table t (x)").await;
    let file = host.state_file("sqlite_key_value.db").display().to_string();
    let reply = host.post("/script/default", format!("sync attach '{file}' as other")).await;
    assert!(reply.status == 500 && reply.body.contains("not authorized"), "{reply:?}");
}

#[tokio::test]
async fn an_endless_statement_is_stopped() {
    let host = Setup::new().flags(["--busy-timeout", "500ms", "--request-timeout", "5s"]).start();
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let reply = host.post("/script/default", format!("sync {endless}")).await;
    assert!(reply.status == 500 && reply.body.contains("took too long"), "{reply:?}");
    // Off the thread it may run for as long as a request; the instance serves others meanwhile.
    let (slow, meanwhile) = tokio::join!(host.post("/script/default", format!("async {endless}")), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let start = Instant::now();
        host.get("/hello").await.ok();
        start.elapsed()
    });
    assert_ne!(slow.status, 200, "{slow:?}");
    assert!(meanwhile < Duration::from_secs(2), "the instance was held up for {meanwhile:?}");
    eventually(async || (host.get("/hello").await.body == "hello\n").then_some(())).await;
}
