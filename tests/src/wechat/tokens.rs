//! Access tokens: one for every secret, the same to all who ask while it is good.

use std::collections::BTreeMap;

/// How long the one before lives on when a token is renewed gently, in ms.
pub(crate) const OVERLAP: i64 = 5 * 60_000;

/// All tokens that were ever issued.
#[derive(Debug)]
pub struct Tokens {
    /// How long a token is good, in ms.
    life: i64,
    issued: u32,
    fetches: usize,
    /// The token that is handed out, by what it was asked with.
    current: BTreeMap<String, String>,
    /// When a token dies, Unix ms.
    dies: BTreeMap<String, i64>,
}

/// What is wrong with a call's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    Missing,
    Unknown,
    Expired,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        Self { life: 7_200_000, issued: 0, fetches: 0, current: BTreeMap::new(), dies: BTreeMap::new() }
    }

    pub(crate) fn set_life(&mut self, seconds: i64) {
        self.life = seconds * 1000;
    }

    /// How often a token was asked for with success.
    pub(crate) fn fetches(&self) -> usize {
        self.fetches
    }

    /// The token for a secret, and how many seconds it is good for: the one of before while that is good.
    pub(crate) fn fetch(&mut self, secret: &str, now: i64) -> (String, i64) {
        let good = self.current.get(secret).filter(|token| self.dies.get(*token).is_some_and(|dies| now < *dies));
        match good.cloned() {
            Some(token) => {
                self.fetches += 1;
                let left = (self.dies.get(&token).copied().unwrap_or(now) - now) / 1000;
                (token, left)
            }
            None => self.renew(secret, now, OVERLAP),
        }
    }

    /// A new token for a secret; the one before dies within `overlap` ms.
    pub(crate) fn renew(&mut self, secret: &str, now: i64, overlap: i64) -> (String, i64) {
        self.fetches += 1;
        if let Some(dies) = self.current.get(secret).and_then(|before| self.dies.get_mut(before)) {
            *dies = (*dies).min(now + overlap);
        }
        self.issued += 1;
        let token = format!("token-{}-of-the-simulated-platform", self.issued);
        self.current.insert(secret.to_owned(), token.clone());
        self.dies.insert(token.clone(), now + self.life);
        (token, self.life / 1000)
    }

    /// The platform ends the life of all tokens early.
    pub(crate) fn expire(&mut self) {
        self.dies.values_mut().for_each(|dies| *dies = i64::MIN);
    }

    pub(crate) fn check(&self, token: Option<&String>, now: i64) -> Result<(), Bad> {
        let token = token.filter(|token| !token.is_empty()).ok_or(Bad::Missing)?;
        let dies = self.dies.get(token).ok_or(Bad::Unknown)?;
        if now < *dies { Ok(()) } else { Err(Bad::Expired) }
    }
}
