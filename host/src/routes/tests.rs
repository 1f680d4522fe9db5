//! Spin's rules of routing, as tables.

use std::collections::BTreeMap;

use super::*;
use crate::manifest::HttpTrigger;

/// A router with each route leading to a component of the same name; a route in brackets is private.
fn router(routes: &[&str]) -> Result<Router, RouteError> {
    let triggers = routes.iter().map(|&route| HttpTrigger {
        component: route.to_owned(),
        route: match route.strip_prefix('[') {
            Some(_) => Route::Private,
            None => Route::Path(route.to_owned()),
        },
    });
    let app = App {
        name: "tea".to_owned(),
        components: BTreeMap::new(),
        triggers: triggers.collect(),
        variables: BTreeMap::new(),
    };
    Router::new(&app)
}

#[test]
fn the_most_exact_route_answers() {
    let routes =
        ["/", "/shop", "/shop/...", "/shop/:item", "/shop/:item/photo", "/shop/tea/...", "/a/...", "[/private]"];
    let cases = [
        ("/", Some("/")),
        ("/shop", Some("/shop")),
        ("/shop/", Some("/shop")),
        ("/shop/cup", Some("/shop/:item")),
        // A literal segment goes before a name, even where a wildcard follows it.
        ("/shop/tea", Some("/shop/tea/...")),
        ("/shop/cup/photo", Some("/shop/:item/photo")),
        ("/shop/tea/green", Some("/shop/tea/...")),
        ("/shop/tea/green/leaf", Some("/shop/tea/...")),
        ("/shop/cup/price", Some("/shop/...")),
        ("/a", Some("/a/...")),
        ("/a/", Some("/a/...")),
        ("/a/b/c", Some("/a/...")),
        ("/ab", None),
        ("/elsewhere", None),
        ("/private", None),
    ];
    let reversed: Vec<_> = routes.iter().rev().copied().collect();
    for order in [&routes[..], &reversed] {
        let router = router(order).unwrap();
        for (path, expected) in cases {
            assert_eq!(router.find(path).map(|found| found.component()), expected, "{path}");
        }
    }
}

#[test]
fn of_two_equal_routes_the_later_one_answers() {
    let trigger = |component: &str, route: &str| HttpTrigger {
        component: component.to_owned(),
        route: Route::Path(route.to_owned()),
    };
    let app = App {
        name: "tea".to_owned(),
        components: BTreeMap::new(),
        triggers: vec![trigger("first", "/shop"), trigger("second", "/shop/")],
        variables: BTreeMap::new(),
    };
    assert_eq!(Router::new(&app).unwrap().find("/shop").unwrap().component(), "second");
}

#[test]
fn a_component_is_told_how_it_was_reached() {
    let router = router(&["/shop/:item_id/...", "/", "/exact"]).unwrap();
    let client = HeaderValue::from_static("127.0.0.1:4711");
    let header = |found: RouteMatch<'_>, name: &str| {
        let mut headers = HeaderMap::new();
        found.tell(&mut headers, "http://example.com/x?y", &client);
        headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let cases = [
        ("/shop/7", "spin-path-info", ""),
        ("/shop/7/", "spin-path-info", "/"),
        ("/shop/7/a/b", "spin-path-info", "/a/b"),
        ("/shop/7/a/b/", "spin-path-info", "/a/b/"),
        ("/shop/7/a", "spin-path-match-item-id", "7"),
        ("/shop/7/a", "spin-matched-route", "/shop/:item_id/..."),
        ("/shop/7/a", "spin-raw-component-route", "/shop/:item_id/..."),
        ("/shop/7/a", "spin-component-route", "/shop/:item_id"),
        ("/shop/7/a", "spin-full-url", "http://example.com/x?y"),
        ("/shop/7/a", "spin-client-addr", "127.0.0.1:4711"),
        ("/shop/7/a", "spin-base-path", "/"),
        ("/exact", "spin-path-info", ""),
        ("/", "spin-component-route", "/"),
    ];
    for (path, name, value) in cases {
        let found = router.find(path).unwrap();
        assert_eq!(header(found, name).as_deref(), Some(value), "{path} {name}");
    }
    let chained = || RouteMatch::chained("pump", "/consume");
    assert_eq!(chained().component(), "pump");
    assert_eq!(header(chained(), "spin-path-info").as_deref(), Some("/consume"));
    assert_eq!(header(chained(), "spin-matched-route").as_deref(), Some("/..."));
}

#[test]
fn a_route_that_cannot_be_matched_is_refused_with_its_component() {
    let Err(error) = router(&["/a/*named"]) else { panic!("a wildcard with a name was taken") };
    assert!(error.to_string().contains("\"/a/*named\""), "{error}");
}
