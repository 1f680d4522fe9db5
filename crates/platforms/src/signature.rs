//! What TOP (Taobao), JOS (JD) and their kind sign: the parameters sorted by name, each as name and value, all joined.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

/// The parameters of a call, which a map of this kind keeps sorted by the bytes of their names.
pub type Parameters = BTreeMap<&'static str, String>;

/// Names and values in order, without anything between them.
pub fn joined(parameters: &Parameters) -> String {
    parameters.iter().flat_map(|(name, value)| [*name, value.as_str()]).collect()
}

/// MD5 over secret, `text` and secret again, in upper-case hex.
pub fn md5_between_secrets(secret: &str, text: &str) -> String {
    hex::encode_upper(Md5::new().chain_update(secret).chain_update(text).chain_update(secret).finalize())
}

/// The parameters as the body of a form.
pub fn form(parameters: &Parameters) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

#[cfg(test)]
mod tests {
    use super::{Parameters, form, joined, md5_between_secrets};

    #[test]
    fn parameters_are_joined_by_the_bytes_of_their_names() {
        let parameters = Parameters::from([("b", "2".to_owned()), ("a", "茶&".to_owned()), ("360", "x".to_owned())]);
        assert_eq!(joined(&parameters), "360xa茶&b2");
        assert_eq!(form(&parameters), "360=x&a=%E8%8C%B6%26&b=2");
    }

    /// From a public implementation's suite (protocols: JD).
    #[test]
    fn the_vector_of_two_parameters_signs() {
        let parameters = Parameters::from([("b", "2".to_owned()), ("a", "1".to_owned())]);
        assert_eq!(md5_between_secrets("secret", &joined(&parameters)), "EF16F26C937CF52AE6F85DF2FD08B24A");
    }
}
