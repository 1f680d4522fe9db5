//! A guest for the host's tests: a component of WASI 0.2, which serves one request per instance.

use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::StreamError;

struct Guest;

wasip2::http::proxy::export!(Guest);

impl wasip2::exports::http::incoming_handler::Guest for Guest {
    /// Answers with the request's method and path and, after them, its body.
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let response = OutgoingResponse::new(Fields::new());
        let body = response.body();
        ResponseOutparam::set(out, Ok(response));
        let Ok(body) = body else { return };
        let written = body.write().map_err(|()| StreamError::Closed).and_then(|stream| {
            let path = request.path_with_query().unwrap_or_default();
            stream.blocking_write_and_flush(format!("{:?} {path}\n", request.method()).as_bytes())?;
            copy(&request, &stream)
        });
        if written.is_ok() {
            // Nobody is left to tell of a failure: the connection has gone.
            let _ = OutgoingBody::finish(body, None);
        }
    }
}

/// Copies the request's body to its end.
fn copy(request: &IncomingRequest, to: &wasip2::io::streams::OutputStream) -> Result<(), StreamError> {
    let body = request.consume().map_err(|()| StreamError::Closed)?;
    let from = body.stream().map_err(|()| StreamError::Closed)?;
    loop {
        // A write takes 4 KiB at most.
        match from.blocking_read(4096) {
            Ok(part) => to.blocking_write_and_flush(&part)?,
            Err(StreamError::Closed) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
