//! The merchant of the tests: a tea chain, made up, with a live room on Doudian and stores with tills.

/// A merchant's or a platform's own books, against which the system's answers are held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Orders by status, in the system's words.
    pub orders: std::collections::BTreeMap<String, u64>,
    /// All that was paid, fen.
    pub paid: i64,
    /// All that went back, fen.
    pub refunded: i64,
}

impl Books {
    /// Take in an order that ended as `status` and for which `paid` fen were paid.
    pub fn order(&mut self, status: &str, paid: i64) {
        *self.orders.entry(status.to_owned()).or_default() += 1;
        self.paid += paid;
    }

    /// What remains with the merchant, fen.
    pub fn revenue(&self) -> i64 {
        self.paid - self.refunded
    }

    /// Add other books to these.
    pub fn add(&mut self, other: &Self) {
        for (status, count) in &other.orders {
            *self.orders.entry(status.clone()).or_default() += count;
        }
        self.paid += other.paid;
        self.refunded += other.refunded;
    }
}
