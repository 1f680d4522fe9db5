//! Calls from a component: to other systems, to other components, and to where it may not.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::Response;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::support::Setup;

/// Another system, which answers each request with its path and its `traceparent`.
async fn other_system() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(async |request: http::Request<_>| {
                let trace = request.headers().get("traceparent").map_or("none", |trace| trace.to_str().unwrap());
                Ok::<_, Infallible>(Response::new(format!("{} {trace}", request.uri().path())))
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

#[tokio::test]
async fn a_component_reaches_what_it_is_allowed_to_and_nothing_else() {
    let (allowed, forbidden) = (other_system().await, other_system().await);
    let host = Setup::new().flags(["--variable", &format!("elsewhere=http://{allowed}")]).start();
    let reply = host.get(&format!("/fetch?http://{allowed}/tea")).await.ok();
    assert!(reply.starts_with("200 /tea "), "{reply}");
    for address in [
        format!("http://{forbidden}/tea"),
        format!("https://{allowed}/tea"),
        format!("http://localhost:{}/tea", allowed.port()),
        "http://example.com/".to_owned(),
    ] {
        let reply = host.get(&format!("/fetch?{address}")).await;
        assert!(reply.status == 500 && reply.body.contains("HttpRequestDenied"), "{address}: {reply:?}");
    }
    // The component `other` is allowed nothing at all.
    let reply = host.get(&format!("/other/fetch?http://{allowed}/tea")).await;
    assert!(reply.body.contains("HttpRequestDenied"), "{reply:?}");
}

#[tokio::test]
async fn a_system_that_is_not_there_is_an_error_and_not_a_trap() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let host = Setup::new().flags(["--variable", &format!("elsewhere=http://{nobody}")]).start();
    let reply = host.get(&format!("/fetch?http://{nobody}/")).await;
    assert!(reply.status == 500 && reply.body.contains("ConnectionRefused"), "{reply:?}");
}

#[tokio::test]
async fn components_reach_each_other_by_name_where_allowed() {
    let host = Setup::new().start();
    assert_eq!(host.get("/fetch?http://private.spin.internal/hello").await.ok(), "200 hello\n");
    for address in ["http://other.spin.internal/hello", "http://nobody.spin.internal/hello", "http://self.alt/hello"] {
        let reply = host.get(&format!("/fetch?{address}")).await;
        assert!(reply.status == 500 && reply.body.contains("HttpRequestDenied"), "{address}: {reply:?}");
    }
}

#[tokio::test]
async fn a_component_that_calls_itself_for_ever_is_stopped() {
    let host = Setup::new().replacing("\"http://private.spin.internal\"", "\"http://*.spin.internal\"").start();
    // Each level fetches the next; twenty are more than the host goes.
    let mut address = "http://guest.spin.internal/hello".to_owned();
    for _ in 0..20 {
        address = format!("http://guest.spin.internal/fetch?{address}");
    }
    let reply = host.get(&format!("/fetch?{address}")).await;
    assert!(reply.body.contains("LoopDetected"), "{reply:?}");
    assert_eq!(host.get("/hello").await.ok(), "hello\n");
}

#[tokio::test]
async fn a_trace_goes_on_through_the_components_and_out() {
    let system = other_system().await;
    let host = Setup::new().flags(["--variable", &format!("elsewhere=http://{system}")]).start();
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let sent = format!("00-{trace_id}-b7ad6b7169203331-01");
    let call = async |path: String| {
        let request = http::Request::get(host.client().address_of(&path)).header("traceparent", &sent);
        host.client().request(request.body(String::new()).unwrap()).await.ok()
    };
    for path in [
        "/headers".to_owned(),
        "/fetch?http://private.spin.internal/headers".to_owned(),
        format!("/fetch?http://{system}/"),
    ] {
        let reply = call(path.clone()).await;
        let start = reply.find(&format!("00-{trace_id}-")).unwrap_or_else(|| panic!("{path}: {reply}"));
        // The trace is the same one; the span is another.
        assert_ne!(&reply[start..start + sent.len()], sent, "{path}");
    }
    // Without one from the client, the host begins a trace.
    assert!(host.get("/headers").await.ok().contains("traceparent: 00-"));
}
