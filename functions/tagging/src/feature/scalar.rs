//! Features that stand alone: no window, no dimension.

/// A feature that stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Days between two orders on average.
    OrderInterval,
    /// Days in a row on which something happened, up to today or yesterday.
    StreakNow,
    /// The longest such row within a year.
    StreakLongest,
    /// The hour at which the customer is most active.
    BestHour,
    /// The weekday on which the customer is most active.
    BestWeekday,
    /// Score of recency, 1 to 5; 0 without an order.
    RfmRecency,
    /// Score of frequency, 1 to 5; 0 without an order in a year.
    RfmFrequency,
    /// Score of money, 1 to 5; 0 without money in a year.
    RfmMonetary,
    /// The three scores together, 0 to 15.
    RfmTotal,
    /// Province of the newest order.
    Province,
    /// City of the newest order.
    City,
    /// Channel of the first touch.
    FirstChannel,
    /// Channel of the last touch.
    LastChannel,
    /// Source of the first touch.
    FirstSource,
    /// Source of the last touch.
    LastSource,
    /// Month of the birthday, 1 to 12.
    BirthdayMonth,
    /// Day of the birthday, 1 to 31.
    BirthdayDay,
    /// Accounts followed and not left.
    FollowsNow,
}

impl Scalar {
    /// Every one, in the order of the catalogue.
    pub const ALL: [Self; 18] = [
        Self::OrderInterval,
        Self::StreakNow,
        Self::StreakLongest,
        Self::BestHour,
        Self::BestWeekday,
        Self::RfmRecency,
        Self::RfmFrequency,
        Self::RfmMonetary,
        Self::RfmTotal,
        Self::Province,
        Self::City,
        Self::FirstChannel,
        Self::LastChannel,
        Self::FirstSource,
        Self::LastSource,
        Self::BirthdayMonth,
        Self::BirthdayDay,
        Self::FollowsNow,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderInterval => "orders.interval",
            Self::StreakNow => "streak.now",
            Self::StreakLongest => "streak.longest",
            Self::BestHour => "hour.best",
            Self::BestWeekday => "weekday.best",
            Self::RfmRecency => "rfm.recency",
            Self::RfmFrequency => "rfm.frequency",
            Self::RfmMonetary => "rfm.monetary",
            Self::RfmTotal => "rfm.total",
            Self::Province => "region.province",
            Self::City => "region.city",
            Self::FirstChannel => "channel.first",
            Self::LastChannel => "channel.last",
            Self::FirstSource => "source.first",
            Self::LastSource => "source.last",
            Self::BirthdayMonth => "birthday.month",
            Self::BirthdayDay => "birthday.day",
            Self::FollowsNow => "follows.now",
        }
    }
}
