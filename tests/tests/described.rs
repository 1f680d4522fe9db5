//! The description is true: schemathesis, which others have written, sends what it makes of the OpenAPI document, right and wrong, to the running
//! application. No answer is of a status, a type or a form that the document does not tell of, and none is an error of ours.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test as a whole")]

use siyu_tests::host::{Setup, root};
use siyu_tests::kuaidi100::{self, RETURN};
use siyu_tests::python::python;
use siyu_tests::system::{API_TOKEN, System};
use std::path::Path;
use std::process::Command;

/// What is asked of each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,allow_header_conformance";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_to_right_and_wrong_requests_is_as_described() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis");
    let Some(python) = python(&folder, &root().join("tests/python/schemathesis.txt")) else { return };
    let watcher = kuaidi100::Server::start().await.unwrap();
    let with_return = |setup: Setup| RETURN.iter().fold(setup, |setup, (name, value)| setup.variable(name, *value));
    let system = System::start_with(|setup| with_return(watcher.known_to(setup))).await.unwrap();
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.arg("run").arg(system.host.at("/v1/openapi.json"));
    command.args(["--header", &format!("Authorization: Bearer {API_TOKEN}")]);
    command.args(["--phases", "coverage,fuzzing", "--max-examples", "3", "--seed", "1", "--no-shrink"]);
    command.args(["--checks", CHECKS, "--continue-on-failure", "--warnings", "off", "--no-color"]);
    let scratch = tempfile::tempdir().unwrap();
    command.current_dir(&scratch).env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
