//! Values that must not leak: secrets, which never show, and personal data, which shows masked.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that is never printed or serialised: keys, tokens, clear personal data on its way to encryption.
///
/// It can be read from JSON, and then only by [`Secret::expose`], which is easy to find in review.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Do not log what this returns.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T> Serialize for Secret<T> {
    /// Writes a placeholder: a secret that strays into a serialised struct stays one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

/// Personal data that people see masked: `138****0001`, `张*`, `浙江省杭州市****`.
///
/// The clear value stays inside and is reached only by [`Masked::expose`]; Debug, Display and JSON give the masked form.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked<K> {
    clear: String,
    kind: K,
}

impl<K: Mask + Default> Masked<K> {
    /// Wraps a clear value.
    pub fn new(clear: impl Into<String>) -> Self {
        Self { clear: clear.into(), kind: K::default() }
    }
}

impl<K> Masked<K> {
    /// The clear value. Do not log what this returns.
    pub fn expose(&self) -> &str {
        &self.clear
    }
}

impl<K: Mask> fmt::Display for Masked<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind.mask(&self.clear))
    }
}

impl<K: Mask> fmt::Debug for Masked<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Mask> Serialize for Masked<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a kind of personal data is masked.
pub trait Mask {
    /// What may be shown of `clear`. Reveals no more of short values than of long ones.
    fn mask(&self, clear: &str) -> String;
}

/// Phone numbers: the first three and last four characters of eleven or more stay, of shorter ones nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phone;

impl Mask for Phone {
    fn mask(&self, clear: &str) -> String {
        let characters: Vec<char> = clear.chars().collect();
        match characters.as_slice() {
            [first, second, third, hidden @ .., a, b, c, d] if hidden.len() >= 4 => {
                let stars = "*".repeat(hidden.len());
                format!("{first}{second}{third}{stars}{a}{b}{c}{d}")
            }
            _ => "*".repeat(characters.len()),
        }
    }
}

/// Names: the first character (in Chinese, the family name) and one star, whatever the length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Name;

impl Mask for Name {
    fn mask(&self, clear: &str) -> String {
        let mut characters = clear.chars();
        match (characters.next(), characters.next()) {
            (None, _) => String::new(),
            (Some(_), None) => "*".to_owned(),
            (Some(first), Some(_)) => format!("{first}*"),
        }
    }
}

/// Addresses: up to the first city (市), county (县) or district (区), then four stars; without one, four stars only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address;

impl Mask for Address {
    fn mask(&self, clear: &str) -> String {
        let coarse = clear.find(['市', '县', '区']).and_then(|start| {
            let mark = clear.get(start..)?.chars().next()?;
            clear.get(..start + mark.len_utf8())
        });
        format!("{}****", coarse.unwrap_or_default())
    }
}

const HIDDEN: &str = "[hidden]";

#[cfg(test)]
mod tests {
    use super::{Address, Masked, Name, Phone, Secret};

    #[test]
    fn a_secret_shows_in_no_way() {
        let secret: Secret<String> = serde_json::from_str("\"whsec_invented\"").unwrap();
        assert_eq!(secret.expose(), "whsec_invented");
        for shown in [
            format!("{secret}"),
            format!("{secret:?}"),
            format!("{:#?}", Some(&secret)),
            serde_json::to_string(&secret).unwrap(),
        ] {
            assert!(!shown.contains("invented"), "{shown}");
        }
    }

    #[test]
    fn personal_data_shows_masked_everywhere() {
        let phone = Masked::<Phone>::new("13800000001");
        assert_eq!(phone.expose(), "13800000001");
        assert_eq!(
            format!("{phone} {phone:?} {}", serde_json::to_string(&phone).unwrap()),
            "138****0001 138****0001 \"138****0001\""
        );
    }

    #[test]
    fn masks_reveal_no_more_of_short_values() {
        for (clear, shown) in [("+8613800000001", "+86*******0001"), ("12345678", "********"), ("", "")] {
            assert_eq!(Masked::<Phone>::new(clear).to_string(), shown);
        }
        for (clear, shown) in [("张三", "张*"), ("欧阳小明", "欧*"), ("张", "*"), ("", "")] {
            assert_eq!(Masked::<Name>::new(clear).to_string(), shown);
        }
        for (clear, shown) in [("浙江省杭州市西湖区虚构路1号", "浙江省杭州市****"), ("虚构路1号", "****"), ("", "****")]
        {
            assert_eq!(Masked::<Address>::new(clear).to_string(), shown);
        }
    }
}
