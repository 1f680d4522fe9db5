//! W3C Trace Context: the `traceparent` header that ties one piece of work together across processes.
//!
//! Only version 00 is written; a later version is read by its first four fields, as the recommendation asks.
//! <https://www.w3.org/TR/trace-context/>

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header's name.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The place of one request in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The whole trace's id; never zero.
    pub trace_id: u128,
    /// This request's own id in the trace; never zero.
    pub span_id: u64,
    /// Bit 0: the caller may have recorded the trace.
    pub flags: u8,
}

impl TraceContext {
    /// The context of a request with `headers`: a new span in the caller's trace, or in a new trace where the
    /// caller sent no valid `traceparent`.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        headers
            .get(TRACEPARENT)
            .and_then(|value| value.to_str().ok())
            .and_then(Self::parse)
            .map_or_else(Self::root, Self::child)
    }

    /// The first span of a new trace.
    #[must_use]
    pub fn root() -> Self {
        Self { trace_id: fastrand::u128(1..), span_id: fastrand::u64(1..), flags: 1 }
    }

    /// A new span in the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span_id: fastrand::u64(1..), ..self }
    }

    /// Reads the value of a `traceparent` header; `None` where it is not valid.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('-');
        let mut hex = |length: usize| {
            let field = fields.next()?;
            let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            (field.len() == length && field.bytes().all(lower)).then_some(field)
        };
        let version = u8::from_str_radix(hex(2)?, 16).ok()?;
        let trace_id = u128::from_str_radix(hex(32)?, 16).ok()?;
        let span_id = u64::from_str_radix(hex(16)?, 16).ok()?;
        let flags = u8::from_str_radix(hex(2)?, 16).ok()?;
        let ends = version != 0 || fields.next().is_none();
        let valid = version != 0xff && trace_id != 0 && span_id != 0 && ends;
        valid.then_some(Self { trace_id, span_id, flags })
    }

    /// The value of the `traceparent` header that makes this span the parent.
    #[must_use]
    pub fn header(self) -> Option<HeaderValue> {
        let (trace, span, flags) = (self.trace_hex(), self.span_hex(), Hex::<2>::of(self.flags.into()));
        let text = ["00-", trace.as_str(), "-", span.as_str(), "-", flags.as_str()].concat();
        HeaderValue::try_from(text).ok()
    }

    /// The trace's id, as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_hex(self) -> Hex<32> {
        Hex::of(self.trace_id)
    }

    /// The request's own id, as 16 hexadecimal digits.
    #[must_use]
    pub fn span_hex(self) -> Hex<16> {
        Hex::of(self.span_id.into())
    }
}

/// The last `N` hexadecimal digits of a number, ready to be copied: each request has several of them.
#[derive(Clone, Copy, Debug)]
pub struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Hex<N> {
    fn of(mut number: u128) -> Self {
        let mut digits = [b'0'; N];
        for digit in digits.iter_mut().rev() {
            *digit = b"0123456789abcdef"[usize::from(number.to_le_bytes()[0] & 15)];
            number >>= 4;
        }
        Self(digits)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // They are ASCII.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_header_is_read_and_written_back() {
        let context = TraceContext::parse(VALID).unwrap();
        assert_eq!(context.span_id, 0x00f0_67aa_0ba9_02b7);
        assert_eq!(context.header().unwrap(), VALID);
    }

    #[test]
    fn a_later_version_is_read_by_its_first_fields() {
        let later = VALID.replacen("00", "cc", 1) + "-more";
        assert_eq!(TraceContext::parse(&later), TraceContext::parse(VALID));
    }

    #[test]
    fn what_the_recommendation_forbids_is_not_read() {
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_request_joins_its_callers_trace_with_a_span_of_its_own() {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_static(VALID));
        let (caller, own) = (TraceContext::parse(VALID).unwrap(), TraceContext::from_headers(&headers));
        assert_eq!(own.trace_id, caller.trace_id);
        assert_ne!(own.span_id, caller.span_id);
        let alone = TraceContext::from_headers(&HeaderMap::new());
        assert_ne!(alone.trace_id, caller.trace_id);
    }
}
