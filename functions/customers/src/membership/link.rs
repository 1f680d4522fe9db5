//! Links by which somebody claims a member card: what they say, signed, and for how long.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Identity, UnixMs};
use kit::{Vault, VaultError};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// How many hexadecimal digits of the mark are in a code: 128 bits.
const MARK: usize = 32;

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Makes the link its own; who claims a card by a link without identity is known by this.
    #[serde(rename = "n")]
    pub nonce: String,
    /// From when on it is void.
    #[serde(rename = "e")]
    pub expires_at: UnixMs,
    /// Who it was given to.
    #[serde(rename = "i", skip_serializing_if = "Option::is_none", default)]
    pub identity: Option<Identity>,
    /// The channel that it was given out by.
    #[serde(rename = "c", skip_serializing_if = "Option::is_none", default)]
    pub channel: Option<String>,
    /// The store (`/east/shanghai-01`).
    #[serde(rename = "s", skip_serializing_if = "Option::is_none", default)]
    pub store: Option<String>,
}

impl Link {
    /// Who may have the card again that was claimed by this link: who has its identity, or whoever has the link.
    pub fn claim(&self) -> String {
        match &self.identity {
            Some(Identity { kind, scope, value }) => {
                serde_json::json!([kind.as_str(), scope.as_deref().unwrap_or_default(), value]).to_string()
            }
            None => format!("link {}", self.nonce),
        }
    }

    /// The code of the link, for its URL: what it says, a dot, and the mark.
    ///
    /// # Errors
    /// None in practice: see [`Vault::hash`].
    pub fn code(&self, vault: &Vault) -> Result<String, VaultError> {
        let says = URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).map_err(|_| VaultError)?);
        let mark = mark(vault, &says)?;
        Ok(format!("{says}.{mark}"))
    }

    /// Reads a code. None when this application has not made it.
    ///
    /// # Errors
    /// As [`Link::code`].
    pub fn read(vault: &Vault, code: &str) -> Result<Option<Self>, VaultError> {
        let Some((says, told)) = code.split_once('.') else { return Ok(None) };
        let mark = mark(vault, says)?;
        if !bool::from(mark.as_bytes().ct_eq(told.as_bytes())) {
            return Ok(None);
        }
        Ok(URL_SAFE_NO_PAD.decode(says).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

fn mark(vault: &Vault, says: &str) -> Result<String, VaultError> {
    let hash = vault.hash("member.link", says)?;
    Ok(hash.get(..MARK).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::card;
    use kit::Variables;

    fn vault(key: &str) -> Vault {
        Vault::new(&Variables::from_pairs([(kit::DATA_KEY, key)])).unwrap()
    }

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OTHER: &str = "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn a_code_reads_back_and_a_changed_one_does_not() {
        let link = Link {
            nonce: "0011223344556677".to_owned(),
            expires_at: "2026-02-14T01:30:00Z".parse().unwrap(),
            identity: None,
            channel: Some("poster".to_owned()),
            store: Some("/east/shanghai-01".to_owned()),
        };
        let code = link.code(&vault(KEY)).unwrap();
        assert_eq!(Link::read(&vault(KEY), &code), Ok(Some(link)));
        assert_eq!(Link::read(&vault(OTHER), &code), Ok(None));
        for place in 0..code.len() {
            let mut changed = code.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(Link::read(&vault(KEY), &changed), Ok(None), "{changed}");
        }
        for wrong in ["", ".", "x", &code[..code.len() - 1], &format!("{code}0")] {
            assert_eq!(Link::read(&vault(KEY), wrong), Ok(None), "{wrong}");
        }
    }

    #[test]
    fn a_qr_is_read_only_where_it_was_made() {
        let number = card::number([7; 8]);
        let text = card::qr_text(&vault(KEY), &number).unwrap();
        assert_eq!(card::from_qr(&vault(KEY), &text), Ok(Some(number.clone())));
        assert_eq!(card::from_qr(&vault(OTHER), &text), Ok(None));
        for wrong in ["", "SIYU1", number.as_str(), &text[..text.len() - 1], "SIYU1卡卡卡卡卡卡卡卡"] {
            assert_eq!(card::from_qr(&vault(KEY), wrong), Ok(None), "{wrong}");
        }
    }
}
