//! What travels with a scan: short, opaque, of letters that every platform and every URL takes.

use kit::random;

/// Letters and digits without those that look alike.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A new state of sixteen letters, 80 random bits: far below WeCom's 30 characters and the 64 of a QR scene, and not to be guessed.
pub fn short_state() -> String {
    let bytes: [u8; 10] = random();
    let mut bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1));
    let letter = |bits: &mut dyn Iterator<Item = u8>| {
        let index = bits.take(5).fold(0_usize, |sum, bit| sum << 1 | usize::from(bit));
        ALPHABET.get(index).copied().map_or('a', char::from)
    };
    (0..16).map(|_| letter(&mut bits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn states_are_short_and_never_the_same() {
        let states: BTreeSet<String> = (0..1000).map(|_| short_state()).collect();
        assert_eq!(states.len(), 1000);
        assert!(states.iter().all(|state| state.len() == 16 && state.bytes().all(|byte| ALPHABET.contains(&byte))));
        let letters: BTreeSet<char> = states.iter().flat_map(|state| state.chars()).collect();
        assert_eq!(letters.len(), 32);
    }
}
