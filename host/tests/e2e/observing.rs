//! What an operator sees: the log and the figures.

use serde_json::Value;

use crate::support::{Client, Setup, eventually};

#[tokio::test]
async fn each_request_has_a_line_in_the_log() {
    let host = Setup::new().start();
    host.get("/sleep?30").await.ok();
    let line = host.log_line(|line| line["target"] == "request" && line["path"] == "/sleep").await;
    assert_eq!(line["method"], "GET");
    assert_eq!(line["component"], "guest");
    assert_eq!(line["status"], 200);
    assert_eq!(line["bytes"], 6);
    assert!(line["duration_ms"].as_f64().unwrap() >= 30.0, "{line}");
    assert_eq!(line["request"].as_str().unwrap().len(), 16, "{line}");
    // What is in the query may be personal.
    assert!(!line.to_string().contains("sleep?"), "{line}");
}

#[tokio::test]
async fn what_a_guest_writes_is_logged_with_its_component_and_request() {
    let host = Setup::new().start();
    for (path, component) in [("/output", "guest"), ("/other/output", "other")] {
        host.get(path).await.ok();
        let request = host.log_line(|line| line["target"] == "request" && line["path"] == path).await;
        for stream in ["stdout", "stderr"] {
            let line = host.log_line(|line| line["stream"] == stream && line["component"] == component).await;
            assert_eq!(line["message"], format!("a line on {stream}"));
            assert_eq!(line["request"], request["request"], "{line}");
        }
    }
}

#[tokio::test]
async fn the_log_has_no_secret() {
    let host = Setup::new().flags(["--variable", "token=hush"]).start();
    host.get("/variable?welcome").await.ok();
    host.get("/trap").await;
    host.log_line(|line| line["path"] == "/trap").await;
    // What a route names may be the unguessable end of an address.
    host.get("/hook/hush").await;
    host.log_line(|line| line["path"] == "/hook/:secret").await;
    let log = host.log().iter().map(Value::to_string).collect::<String>();
    assert!(!log.contains("hush"), "{log}");
}

#[tokio::test]
async fn the_figures_count_requests_and_instances() {
    // Port 0 would be chosen by the host, which does not say which.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let host = Setup::new().flags(["--metrics-listen", &address]).start();
    host.get("/hello").await.ok();
    host.get("/hello").await.ok();
    host.get("/other/nothing").await;
    host.get("/trap").await;
    let metrics = Client::new().at(&format!("http://{address}"));
    let expected = [
        "siyu_requests_total{component=\"guest\",status=\"2xx\"} 2",
        "siyu_requests_total{component=\"guest\",status=\"5xx\"} 1",
        "siyu_requests_total{component=\"other\",status=\"4xx\"} 1",
        "siyu_instances{component=\"guest\"} 0",
        "siyu_instances{component=\"other\"} 1",
        "siyu_instance_start_seconds_count{component=\"guest\"} 1",
        "siyu_instances_ended_total{component=\"guest\",cause=\"trapped\"} 1",
    ];
    eventually(async || {
        let text = metrics.get("/metrics").await.ok();
        expected.iter().all(|line| text.lines().any(|found| found == *line)).then_some(())
    })
    .await;
    assert_eq!(metrics.get("/").await.status, 404);
    // They are not for the public.
    assert_eq!(host.get("/metrics").await.status, 404);
}
