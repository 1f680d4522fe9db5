//! Requests in, answers out: routes, bodies, both WASI versions, variables, stores, TLS.

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;

use crate::support::{Setup, eventually};

#[tokio::test]
async fn components_of_both_wasi_versions_answer_on_their_routes() {
    let host = Setup::new().start();
    assert_eq!(host.get("/hello").await.ok(), "hello\n");
    assert_eq!(host.get("/other/hello").await.ok(), "hello\n");
    let reply = host.post("/p2/a/path?with=query", "and a body").await.ok();
    assert_eq!(reply, "Method::Post /p2/a/path?with=query\nand a body");
}

#[tokio::test]
async fn what_has_no_public_route_is_not_found() {
    let host = Setup::new().replacing("\"/...\"", "\"/only/...\"").start();
    assert_eq!(host.get("/only/hello").await.ok(), "hello\n");
    // The component `private` answers inside the application only, whatever the Host header says.
    let request = Request::get(host.client().address_of("/hello")).header("host", "private.spin.internal");
    for reply in [host.get("/hello").await, host.client().request(request.body(String::new()).unwrap()).await] {
        reply.is_problem(404);
    }
}

#[tokio::test]
async fn a_component_learns_how_it_was_reached() {
    let host = Setup::new().start();
    let request = Request::get(host.client().address_of("/other/headers?a=b")).header("x-own", "kept");
    let lines = host.client().request(request.body(String::new()).unwrap()).await.ok();
    let own = format!("{}", host.address());
    let expected = [
        format!("GET http://{own}/other/headers?a=b"),
        "x-own: kept".to_owned(),
        "spin-path-info: /headers".to_owned(),
        "spin-matched-route: /other/...".to_owned(),
        "spin-raw-component-route: /other/...".to_owned(),
        "spin-component-route: /other".to_owned(),
        "spin-base-path: /".to_owned(),
        format!("spin-full-url: http://{own}/other/headers?a=b"),
    ];
    for line in expected {
        assert!(lines.lines().any(|found| found == line), "{line} is missing in\n{lines}");
    }
    assert!(lines.contains("spin-client-addr: 127.0.0.1:"), "{lines}");
}

#[tokio::test]
async fn a_large_body_goes_through_both_ways() {
    let host = Setup::new().start();
    let body: String = (0..300_000).map(|number| format!("{number:010}")).collect();
    for path in ["/echo", "/p2/echo"] {
        let reply = host.post(path, body.clone()).await.ok();
        // The guest of WASI 0.2 puts a line before it.
        assert!(reply.ends_with(&body), "{path}: {} of {} bytes", reply.len(), body.len());
    }
}

#[tokio::test]
async fn a_body_streams_through_as_it_comes() {
    let host = Setup::new().start();
    let (sender, mut receiver) = mpsc::channel::<&'static str>(1);
    let frames = futures_util::stream::poll_fn(move |context| {
        let part = std::task::ready!(receiver.poll_recv(context));
        std::task::Poll::Ready(part.map(|part| Ok::<_, std::io::Error>(Frame::data(Bytes::from(part)))))
    });
    sender.send("one").await.unwrap();
    let request = Request::post(host.client().address_of("/echo")).body(StreamBody::new(frames));
    let mut body = host.client().open(request.unwrap()).await.into_body();
    // The second part is sent only once the first has come back.
    for part in ["one", "two", "three"] {
        if part != "one" {
            sender.send(part).await.unwrap();
        }
        let frame = tokio::time::timeout(crate::support::PATIENCE, body.frame()).await.unwrap();
        assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), part);
    }
    drop(sender);
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn an_instance_serves_requests_at_the_same_time() {
    let host = Setup::new().start();
    // Each waits in the guest until the other is there.
    let (one, two) = tokio::join!(host.get("/meet"), host.get("/meet"));
    let mut both = [one.ok(), two.ok()];
    both.sort();
    assert_eq!(both, ["first\n", "second\n"]);
}

#[tokio::test]
async fn variables_and_environment_are_the_components_own() {
    let host = Setup::new()
        .flags(["--variable", "token=from the flag"])
        .environment("SPIN_VARIABLE_GREETING", "good morning")
        .environment("SPIN_VARIABLE_TOKEN", "from the environment")
        .start();
    assert_eq!(host.get("/variable?welcome").await.ok(), "good morning, from the flag");
    assert_eq!(host.get("/environment").await.ok(), "PLACE=the guest's\n");
    assert_eq!(host.get("/other/environment").await.ok(), "");
    // An application's variable is no component's until the component takes it.
    let reply = host.get("/variable?token").await;
    assert!(reply.status == 500 && reply.body.contains("Undefined"), "{reply:?}");
    let reply = host.get("/variable?Token").await;
    assert!(reply.status == 500 && reply.body.contains("InvalidName"), "{reply:?}");
}

#[tokio::test]
async fn a_key_value_store_keeps_what_it_is_given() {
    let host = Setup::new().start();
    let client = host.client();
    client.send("PUT", "/kv/default/b", "tea").await.ok();
    client.send("PUT", "/kv/default/a", "").await.ok();
    client.send("PUT", "/kv/default/b", "green tea").await.ok();
    assert_eq!(host.get("/kv/default/b").await.ok(), "green tea");
    assert_eq!(host.get("/kv/default").await.ok(), "a\nb");
    assert_eq!(client.send("DELETE", "/kv/default/a", "").await.ok(), "true\n");
    assert_eq!(client.send("DELETE", "/kv/default/a", "").await.ok(), "false\n");
    assert_eq!(host.get("/kv/default/a").await.status, 404);
    let again = host.kill().start();
    assert_eq!(again.get("/kv/default/b").await.ok(), "green tea");
}

#[tokio::test]
async fn stores_lie_where_the_runtime_configuration_says() {
    let setup = Setup::new()
        .replacing("key_value_stores = [\"default\"]", "key_value_stores = [\"default\", \"cache\"]")
        .replacing("sqlite_databases = [\"default\"]\nallowed", "sqlite_databases = [\"books\"]\nallowed");
    let folder = tempfile::tempdir().unwrap();
    let books = folder.path().join("new/books.db");
    let config = format!(
        "[sqlite_database.books]\ntype = \"spin\"\npath = {books:?}\n\
         [key_value_store.cache]\ntype = \"spin\"\npath = \"cache.db\"\n"
    );
    let config_file = folder.path().join("runtime.toml");
    std::fs::write(&config_file, config).unwrap();
    let host = setup.flags(["--runtime-config-file", config_file.to_str().unwrap()]).start();
    host.post("/script/books", "sync create table t (x)").await.ok();
    host.client().send("PUT", "/kv/cache/key", "value").await.ok();
    assert!(books.is_file());
    assert!(folder.path().join("cache.db").is_file());
    assert_eq!(host.get("/kv/default").await.ok(), "");
}

#[tokio::test]
async fn the_host_says_that_it_is_up() {
    let host = Setup::new().replacing("\"/...\"", "\"/only/...\"").start();
    assert_eq!(host.get("/healthz").await.ok(), "OK");
    assert_eq!(host.get("/.well-known/spin/health").await.ok(), "OK");
    // An application's own route goes before the host's.
    let host = Setup::new().start();
    assert_eq!(host.get("/healthz").await.status, 404);
}

#[tokio::test]
async fn tls_serves_http_2_and_the_component_knows() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let setup = Setup::new();
    let cert = setup.file("cert.pem", &made.cert.pem());
    let key = setup.file("key.pem", &made.signing_key.serialize_pem());
    let host = setup.flags(["--tls-cert", &cert, "--tls-key", &key]).start();
    let reply = host.get("/headers").await;
    assert_eq!(reply.version, Version::HTTP_2);
    let url = format!("spin-full-url: https://{}/headers", host.address());
    assert!(reply.body.contains(&url), "{}", reply.body);
}

#[tokio::test]
async fn statements_of_the_flag_run_before_the_first_request() {
    let setup = Setup::new();
    let file = setup.file("setup.sql", "create table t (x); insert into t values (1), (2);");
    let host = setup.flags(["--sqlite", &format!("@{file}"), "--sqlite", "insert into t values (3)"]).start();
    assert_eq!(host.script("sync select sum(x) from t").await, "6\n");
}

#[tokio::test]
async fn what_a_component_does_after_its_answer_is_done() {
    let host = Setup::new().start();
    assert_eq!(host.get("/afterwards?http://private.spin.internal/tick").await.ok(), "answered\n");
    let ticks = "/fetch?http://private.spin.internal/ticks";
    eventually(async || (host.get(ticks).await.ok() == "200 1 1\n").then_some(())).await;
}
