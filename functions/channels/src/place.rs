//! The store that is nearest to somebody.
//!
//! Both the person's coordinates and the stores' must be of one datum: what WeChat's `getLocation` gives with `gcj02` and what Chinese maps show
//! is GCJ-02, what a browser or a bare GPS receiver gives is WGS-84, and in China the two lie up to 700 m apart.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::f64::consts::PI;
use utoipa::ToSchema;

/// The half axis in metres and the squared eccentricity of Krasovsky's ellipsoid, by which GCJ-02 is reckoned.
const KRASOVSKY_M: f64 = 6_378_245.0;
const KRASOVSKY_E2: f64 = 0.006_693_421_622_965_943;
/// The mean radius of the earth in metres (IUGG).
const EARTH_M: f64 = 6_371_008.8;

/// A place on the map. Distances are no money: floats will do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Degrees north, -90 to 90.
    #[schema(minimum = -90, maximum = 90)]
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    #[schema(minimum = -180, maximum = 180)]
    pub longitude: f64,
}

impl Place {
    /// What is wrong with it, if something is. Latitude and longitude that were swapped are noticed where they can be.
    pub fn fault(self) -> Option<&'static str> {
        // What is no number lies in no range.
        let is_place = (-90.0..=90.0).contains(&self.latitude) && (-180.0..=180.0).contains(&self.longitude);
        (!is_place).then_some("write latitude -90 to 90 and longitude -180 to 180, in degrees; are the two swapped?")
    }

    /// Of a place in WGS-84, the same in GCJ-02: by the published formula, within a few metres. Outside of China the two are one.
    #[must_use]
    pub fn to_gcj02(self) -> Self {
        let Self { latitude, longitude } = self;
        if !(0.8293..=55.8271).contains(&latitude) || !(72.004..=137.8347).contains(&longitude) {
            return self;
        }
        let (x, y) = (longitude - 105.0, latitude - 35.0);
        let waves = |of: f64, [long, longer]: [f64; 2]| {
            let wave = |height: f64, times: f64| height * (of * times * PI).sin();
            wave(20.0, 1.0) + wave(40.0, 1.0 / 3.0) + wave(long, 1.0 / 12.0) + wave(longer, 1.0 / 30.0)
        };
        let both = 20.0 * (6.0 * x * PI).sin() + 20.0 * (2.0 * x * PI).sin();
        let (slope, root) = (0.1 * x * y, x.abs().sqrt());
        let north = (both + waves(y, [160.0, 320.0])) * 2.0 / 3.0 - 100.0
            + 2.0 * x
            + 3.0 * y
            + 0.2 * y * y
            + slope
            + 0.2 * root;
        let east =
            (both + waves(x, [150.0, 300.0])) * 2.0 / 3.0 + 300.0 + x + 2.0 * y + 0.1 * x * x + slope + 0.1 * root;
        let radians = latitude.to_radians();
        let flat = 1.0 - KRASOVSKY_E2 * radians.sin().powi(2);
        let metres_north = KRASOVSKY_M * (1.0 - KRASOVSKY_E2) / (flat * flat.sqrt());
        let metres_east = KRASOVSKY_M / flat.sqrt() * radians.cos();
        Self {
            latitude: latitude + (north / metres_north).to_degrees(),
            longitude: longitude + (east / metres_east).to_degrees(),
        }
    }

    /// How far another place is, in metres, on a sphere: off by less than 0.6 %.
    pub fn metres_to(self, other: Self) -> f64 {
        let (latitude, other_latitude) = (self.latitude.to_radians(), other.latitude.to_radians());
        let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
        let across = half(other.longitude - self.longitude) * latitude.cos() * other_latitude.cos();
        let haversine = half(other.latitude - self.latitude) + across;
        2.0 * EARTH_M * haversine.clamp(0.0, 1.0).sqrt().asin()
    }
}

/// Which of some stores is the nearest, counted from 0, and how far it is in metres; of two that are as near the first by name. Nothing where none lies
/// within `within_m` metres, or where the place is none.
pub fn nearest<'a>(
    from: Place,
    stores: impl IntoIterator<Item = (&'a str, Place)>,
    within_m: f64,
) -> Option<(usize, f64)> {
    if from.fault().is_some() {
        return None;
    }
    let far = stores.into_iter().enumerate().filter(|(_, (_, place))| place.fault().is_none());
    let far = far.map(|(number, (name, place))| (number, name, from.metres_to(place)));
    let near = far.filter(|(_, _, metres)| *metres <= within_m).min_by(|(_, name, metres), (_, other, others)| {
        metres.partial_cmp(others).unwrap_or(Ordering::Equal).then(name.cmp(other))
    });
    near.map(|(number, _, metres)| (number, metres))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn place(latitude: f64, longitude: f64) -> Place {
        Place { latitude, longitude }
    }

    const PEOPLES_SQUARE: Place = place(31.2304, 121.4737);

    #[test]
    fn distances_are_those_of_the_map() {
        for (one, other, metres) in [
            (PEOPLES_SQUARE, PEOPLES_SQUARE, 0.0),
            // A degree of latitude.
            (place(0.0, 0.0), place(1.0, 0.0), 111_195.0),
            // Shanghai to Beijing.
            (PEOPLES_SQUARE, place(39.9042, 116.4074), 1_067_300.0),
            // Over the date line, and to the other end of the world.
            (place(0.0, 179.5), place(0.0, -179.5), 111_195.0),
            (place(0.0, 0.0), place(0.0, 180.0), 20_015_114.0),
        ] {
            let found = one.metres_to(other);
            assert!((found - metres).abs() <= metres * 0.001, "{found} {metres}");
        }
    }

    #[test]
    fn the_nearest_store_and_of_two_the_first_by_name() {
        let near = place(31.2310, 121.4740);
        let stores = [("far", place(31.3, 121.5)), ("b", near), ("a", near), ("nowhere", place(f64::NAN, 0.0))];
        let (number, metres) = nearest(PEOPLES_SQUARE, stores, 5_000.0).unwrap();
        assert_eq!(number, 2, "a");
        assert!((60.0..90.0).contains(&metres), "{metres}");
        assert_eq!(nearest(PEOPLES_SQUARE, stores, 50.0), None, "nothing within 50 m");
        assert_eq!(nearest(place(121.4737, 31.2304), stores, f64::MAX), None, "swapped");
        assert_eq!(nearest(PEOPLES_SQUARE, [], f64::MAX), None);
    }

    #[test]
    fn what_a_browser_tells_is_brought_to_what_chinese_maps_show() {
        let tower = place(39.9087, 116.3975).to_gcj02();
        assert!(tower.metres_to(place(39.9101, 116.4037)) < 20.0, "{tower:?}");
        for abroad in [place(51.5007, -0.1246), place(-33.8568, 151.2153), place(f64::NAN, 0.0)] {
            let same = abroad.to_gcj02();
            assert!(same == abroad || abroad.latitude.is_nan() && same.latitude.is_nan(), "{same:?}");
        }
    }

    proptest! {
        #[test]
        fn a_way_is_as_long_in_both_directions(
            (a, b) in (-90.0..=90.0_f64, -180.0..=180.0_f64), (c, d) in (-90.0..=90.0_f64, -180.0..=180.0_f64),
        ) {
            let there = place(a, b).metres_to(place(c, d));
            prop_assert!((there - place(c, d).metres_to(place(a, b))).abs() < 0.01);
            prop_assert!((0.0..=20_015_115.0).contains(&there));
        }
    }
}
