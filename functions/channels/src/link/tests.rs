use super::*;
use proptest::prelude::*;

fn given(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn utm() -> Utm {
    Utm { source: Some("store a".to_owned()), campaign: Some("春".to_owned()), ..Utm::default() }
}

#[test]
fn parameters_of_the_visit_win_and_the_code_s_own_fill_in() {
    for (url, visit, merged) in [
        ("https://a.example", vec![], "https://a.example?utm_source=store+a&utm_campaign=%E6%98%A5"),
        (
            "https://a.example/p?id=5&utm_source=paper#top",
            vec![],
            "https://a.example/p?id=5&utm_source=paper&utm_campaign=%E6%98%A5#top",
        ),
        (
            "https://a.example/p?id=5&utm_source=paper#top",
            vec![("utm_source", "bus"), ("utm_term", "t")],
            "https://a.example/p?id=5&utm_source=bus&utm_term=t&utm_campaign=%E6%98%A5#top",
        ),
        // What the merchant wrote stays, byte for byte.
        (
            "https://a.example/?b=%7e&a=1&&sign=x%2B",
            vec![("a", "2"), ("c", "&#"), ("c", "3"), ("", "4")],
            "https://a.example/?b=%7e&a=1&sign=x%2B&c=%26%23&utm_source=store+a&utm_campaign=%E6%98%A5",
        ),
        (
            "weixin://dl/business/?t=1",
            vec![("%74", "2")],
            "weixin://dl/business/?t=1&%2574=2&utm_source=store+a&utm_campaign=%E6%98%A5",
        ),
    ] {
        assert_eq!(merge(url, &given(&visit), &utm()), merged);
    }
    assert_eq!(merge("https://a.example/?#x", &[], &Utm::default()), "https://a.example/#x");
}

#[test]
fn an_address_does_not_grow_beyond_its_limit() {
    let long = "x".repeat(3000);
    assert_eq!(
        merge("https://a.example", &given(&[("a", &long), ("b", "1")]), &Utm::default()),
        "https://a.example?b=1"
    );
}

#[test]
fn scripts_files_and_disguised_hosts_are_refused() {
    for good in [
        "https://a.example",
        "HTTPS://a.example:8443/p?q=a@b#c",
        "http://127.0.0.1/x",
        "weixin://dl/business/?t=1",
        "tbopen://m.taobao.com/x",
        "openapp.jdmobile://virtual",
        "https://[::1]/",
    ] {
        assert_eq!(check_address(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "a.example",
        "//a.example",
        "javascript:alert(1)",
        "javascript://a.example/%0aalert(1)",
        "JavaScript://x",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://a.example",
        "https://",
        "https://:443",
        "https:///path",
        "https://a.example@b.example",
        "https://a.example\\@b.example",
        "https://a.example/a b",
        "java\nscript://x",
        " https://a.example",
        "https://a.exa\tmple",
        "unknown://x",
        "https://a.example/\\b.example",
    ] {
        assert!(check_address(bad).is_err(), "{bad:?}");
    }
    assert!(check_address(&format!("https://a.example/{}", "x".repeat(2048))).is_err());
}

#[test]
fn each_device_is_led_to_its_own_address() {
    let target: Target = serde_json::from_str(
        r#"{"url": "https://a.example", "devices": {"wechat": "weixin://dl/business/?t=1", "android": "taobao://m.taobao.com"}}"#,
    )
    .unwrap();
    assert_eq!(target.check(), Ok(()));
    for (agent, device, url) in [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 MicroMessenger/8.0.50 wxwork/4.1 Language/zh",
            Device::Wecom,
            "https://a.example",
        ),
        ("Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50(0x2800)", Device::Wechat, "weixin://dl/business/?t=1"),
        ("Mozilla/5.0 (Windows NT 10.0) WindowsWechat MicroMessenger/7.0", Device::Wechat, "weixin://dl/business/?t=1"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Safari/604.1", Device::Ios, "https://a.example"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/130", Device::Android, "taobao://m.taobao.com"),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0) ArkWeb/4.1", Device::Android, "taobao://m.taobao.com"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/605", Device::Desktop, "https://a.example"),
        ("", Device::Desktop, "https://a.example"),
    ] {
        assert_eq!(Device::of(agent), device, "{agent}");
        assert_eq!(target.on(device), url);
    }
    for (json, path) in [
        (r#"{"url": "weixin://dl"}"#, "url"),
        (r#"{"url": "javascript:x"}"#, "url"),
        (r#"{"url": "https://a.example", "devices": {"ios": "file:///x"}}"#, "devices.ios"),
        (r#"{"url": "https://a.example", "devices": {"wechat": "taobao://x"}}"#, "devices.wechat"),
        (r#"{"url": "https://a.example", "devices": {"wecom": "weixin://x"}}"#, "devices.wecom"),
    ] {
        let target: Target = serde_json::from_str(json).unwrap();
        assert_eq!(target.check().map_err(|mistake| mistake.path), Err(path.to_owned()));
    }
    assert!(
        serde_json::from_str::<Target>(r#"{"url": "https://a.example", "devices": {"fridge": "https://a.example"}}"#)
            .is_err()
    );
}

#[test]
fn utm_values_are_short_and_plain() {
    assert_eq!(utm().check(), Ok(()));
    for wrong in [String::new(), "x".repeat(101), "a\nb".to_owned()] {
        let wrong = Utm { term: Some(wrong), ..Utm::default() };
        assert_eq!(wrong.check().map_err(|mistake| mistake.path), Err("utm.term".to_owned()));
    }
}

proptest! {
    /// Whatever is given, the address stays one that may be led to, at the same host, with the merchant's own parameters first.
    #[test]
    fn a_visitor_cannot_lead_elsewhere(visit in prop::collection::vec(("\\PC{0,8}", "\\PC{0,8}"), 0..8)) {
        let merged = merge("https://a.example/p?id=5#f", &visit, &utm());
        prop_assert_eq!(check_address(&merged), Ok(()));
        prop_assert!(merged.starts_with("https://a.example/p?id=5&"), "{}", merged);
        prop_assert!(merged.ends_with("#f"));
        let query = merged.split_once('?').unwrap().1.rsplit_once('#').unwrap().0;
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        for (name, value) in &visit {
            let first = visit.iter().find(|(other, _)| other == name).map(|(_, value)| value) == Some(value);
            if first && !name.is_empty() && name != "id" {
                prop_assert!(pairs.contains(&(name.clone(), value.clone())), "{:?} in {}", name, merged);
            }
        }
    }
}
