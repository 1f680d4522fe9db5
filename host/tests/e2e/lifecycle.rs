//! Hosts and instances from their beginning to their end.

use std::time::{Duration, Instant};

use crate::support::{Host, Setup, eventually};

/// The number of the instance that answers.
async fn instance(host: &Host) -> String {
    host.get("/instance").await.ok().split(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn one_instance_serves_until_it_has_served_its_number() {
    let host = Setup::new().flags(["--max-requests-per-instance", "3"]).start();
    let mut instances = Vec::new();
    for _ in 0..6 {
        instances.push(instance(&host).await);
    }
    let (first, second) = instances.split_at(3);
    assert!(first.iter().all(|number| *number == first[0]), "{instances:?}");
    assert!(second.iter().all(|number| *number == second[0]), "{instances:?}");
    assert_ne!(first[0], second[0]);
}

#[tokio::test]
async fn an_instance_that_is_idle_is_dropped() {
    let host = Setup::new().flags(["--idle-timeout", "300ms"]).start();
    let first = instance(&host).await;
    assert_eq!(instance(&host).await, first);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_ne!(instance(&host).await, first);
}

#[tokio::test]
async fn a_replaced_instance_finishes_what_it_has() {
    let host = Setup::new().flags(["--max-requests-per-instance", "2"]).start();
    let (sleeping, next) = tokio::join!(host.get("/sleep?2500"), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut instances = Vec::new();
        for _ in 0..3 {
            instances.push(instance(&host).await);
        }
        instances
    });
    assert_eq!(sleeping.ok(), "slept\n");
    // The first of these was the old instance's second and last request.
    assert_ne!(next[0], next[1]);
    assert_eq!(next[1], next[2]);
}

#[tokio::test]
async fn the_clock_calls_again_only_when_the_call_before_has_ended() {
    let setup = || {
        Setup::new().replacing("[component.other]", "[component.other.tool.siyu]\ntick = \"/tick\"\n[component.other]")
    };
    let host = setup().flags(["--tick", "50ms"]).start();
    // A call takes 250 ms, so that five would have begun in the time of the first.
    let calls = eventually(async || {
        let ticks = host.get("/other/ticks").await.ok();
        let (ended, at_once) = ticks.trim().split_once(' ').unwrap();
        (ended.parse::<u32>().unwrap() >= 3).then(|| at_once.to_owned())
    });
    assert_eq!(calls.await, "1");
    let host = setup().flags(["--tick", "0"]).start();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(host.get("/other/ticks").await.ok(), "0 0\n");
}

#[tokio::test]
async fn a_shutdown_finishes_requests_and_takes_no_more() {
    let mut host = Setup::new().start();
    let client = host.client();
    let sleeping = tokio::spawn(async move { client.get("/sleep?3000").await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    host.terminate();
    let address = host.address();
    eventually(async || tokio::net::TcpStream::connect(address).await.is_err().then_some(())).await;
    assert!(!sleeping.is_finished(), "the request was over before the listener was closed");
    assert_eq!(sleeping.await.unwrap().ok(), "slept\n");
    assert!(host.ended().await.success());
}

#[tokio::test]
async fn a_shutdown_waits_for_work_after_the_answer() {
    let mut host = Setup::new().start();
    // The work: a call that takes 250 ms and then is counted, and logged by the guest only if it fails.
    host.get("/afterwards?http://private.spin.internal/output").await.ok();
    host.get("/afterwards?http://private.spin.internal/tick").await.ok();
    host.terminate();
    assert!(host.ended().await.success());
    let failed = |line: &serde_json::Value| line["message"] == "the call after the answer failed";
    assert!(!host.log().iter().any(failed), "{:?}", host.log());
    assert!(host.log().iter().any(|line| line["message"] == "a line on stdout"));
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let mut host = Setup::new().flags(["--shutdown-timeout", "500ms"]).start();
    host.client().abandon("GET", "/hang", "", Duration::from_millis(200)).await;
    let start = Instant::now();
    host.terminate();
    host.ended().await;
    assert!(start.elapsed() < Duration::from_secs(5), "it took {:?}", start.elapsed());
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_its_name() {
    let cases = [
        (Setup::new().replacing("[component.p2]", "[component.p2]\nfiles = [\"a\"]"), "component.p2.files"),
        (
            Setup::new().replacing("[[trigger.http]]\nroute = \"/p2/...\"", "[[trigger.redis]]\nchannel = \"a\""),
            "trigger.redis",
        ),
        (Setup::new().replacing("default = \"hello\"", "required = true"), "greeting"),
        (Setup::new().flags(["--variable", "greting=hello"]), "greting"),
        (
            Setup::new().replacing("sqlite_databases = [\"default\"]", "sqlite_databases = [\"books\"]"),
            "[sqlite_database.books]",
        ),
        (Setup::new().replacing("\"P2\"", "\"missing.wasm\""), "missing.wasm"),
        (Setup::new().flags(["--sqlite", "selec 1"]), "selec"),
        (Setup::new().flags(["--variable", "elsewhere=not a host"]), "component.guest.allowed_outbound_hosts"),
        (Setup::new().flags(["--tls-cert", "missing.pem", "--tls-key", "missing.pem"]), "missing.pem"),
    ];
    for (setup, name) in cases {
        let (status, said) = setup.fail();
        assert!(!status.success(), "{name}");
        assert!(said.contains(name), "{name}: {said}");
    }
}

#[tokio::test]
async fn a_component_that_imports_what_the_host_does_not_have_is_refused_with_both_names() {
    // A component of one import, in the binary format: a preamble, the type `func()`, and a function of that type by name.
    let name = "launch-missiles";
    let import = format!("\u{1}\0\u{f}{name}\u{1}\0");
    let component = format!(
        "\0asm\r\0\u{1}\0\u{7}\u{5}\u{1}@\0\u{1}\0\n{}{import}",
        char::from(u8::try_from(import.len()).unwrap())
    );
    let setup = Setup::new();
    let file = setup.file("missiles.wasm", &component);
    let (status, said) = setup.replacing("\"P2\"", &format!("{file:?}")).fail();
    assert!(!status.success(), "{said}");
    assert!(said.contains("component.p2") && said.contains(name), "{said}");
}

#[tokio::test]
async fn several_threads_serve_the_same_application() {
    let flags = ["--threads", "3", "--instances", "2", "--max-requests-in-flight", "4", "--sqlite"];
    let host = Setup::new().flags(flags).flags(["pragma journal_mode = wal; create table t (x)"]).start();
    let requests = (0..60).map(async |number| match number % 4 {
        0 => assert_eq!(host.get("/hello").await.ok(), "hello\n"),
        1 => assert_eq!(host.get("/other/hello").await.ok(), "hello\n"),
        2 => assert_eq!(host.get("/sleep?50").await.ok(), "slept\n"),
        _ => {
            let script = "async begin immediate\nsync insert into t values (1)\nasync commit";
            assert_eq!(host.script(script).await, "");
        }
    });
    futures_util::future::join_all(requests).await;
    assert_eq!(host.script("sync select count(*) from t").await, "15\n");
    // An instance that computes holds up one thread; another one serves the rest.
    let (computing, served) = tokio::join!(host.get("/other/loop"), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let start = Instant::now();
        host.get("/hello").await.ok();
        start.elapsed()
    });
    computing.is_problem(504);
    assert!(served < Duration::from_secs(3), "{served:?}");
}
