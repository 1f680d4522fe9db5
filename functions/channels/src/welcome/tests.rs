use super::text::{LONGEST_VALUE, Part, parts};
use super::*;
use proptest::prelude::*;

fn welcome(json: &str) -> Welcome {
    serde_json::from_str(json).unwrap()
}

fn facts(at: &str) -> Facts<'static> {
    let at = format!("{at}+08:00").parse().unwrap();
    Facts { at, customer: Familiarity::New, stage: None, store: Some("/east/shanghai-01") }
}

const WELCOME: &str = r#"{
    "variants": [
        {"when": {"customer": "returning", "stages": ["loyal", "repeat_buyer"]}, "message": {"text": "old friend"}},
        {"when": {"hours": [{"days": ["friday"], "from": "22:00", "until": "02:00"}]}, "message": {"text": "night"}},
        {"when": {"stores": ["/west", "/east"], "stages": ["stranger", "lead"]}, "message": {"text": "east"}}
    ],
    "default": {"text": "hello"}
}"#;

#[test]
fn the_first_variant_that_fits_is_said() {
    let welcome = welcome(WELCOME);
    let said = |facts| welcome.choose(facts).unwrap().unwrap().text.as_str();
    let day = facts("2026-02-13T12:00:00");
    assert_eq!(said(day), "east", "a stranger");
    assert_eq!(said(facts("2026-02-14T01:59:59")), "night", "Friday's night");
    assert_eq!(said(facts("2026-02-14T02:00:00")), "east");
    assert_eq!(said(Facts { store: Some("/eastern"), ..day }), "hello");
    assert_eq!(said(Facts { store: None, ..day }), "hello");
    assert_eq!(said(Facts { stage: Some(Stage::Contact), ..day }), "hello");
    let loyal = Facts { customer: Familiarity::Returning, stage: Some(Stage::Loyal), ..facts("2026-02-14T01:00:00") };
    assert_eq!(said(loyal), "old friend", "before the night's");
    assert_eq!(said(Facts { customer: Familiarity::New, ..loyal }), "night");
    assert_eq!(Welcome { default: None, ..welcome.clone() }.choose(Facts { store: None, ..day }), Ok(None));
    assert_eq!(welcome.check(false), Ok(()));
    assert_eq!(self::welcome(&serde_json::to_string(&welcome).unwrap()), welcome);
}

#[test]
fn variables_are_filled_once_and_the_customer_s_stays() {
    let variables = Variables { staff: "小李{customer}{code}", store: "东店", code: "门口" };
    assert_eq!(
        fill("{customer}，我是{store}的{staff}（{code}）", variables),
        "{customer}，我是东店的小李customercode（门口）"
    );
    assert_eq!(fill("{{staff}} {staff {store}", variables), "{小李customercode} {staff 东店");
    let long = "长".repeat(50);
    let filled = fill("{staff}", Variables { staff: &long, ..variables });
    assert_eq!(filled, "长".repeat(33), "100 bytes, at a character's end");
}

#[test]
fn what_wecom_would_refuse_is_refused_in_words() {
    let text = |text: &str| format!(r#"{{"default": {{"text": "{text}"}}}}"#);
    let attached = |attachment: &str| format!(r#"{{"default": {{"attachments": [{attachment}]}}}}"#);
    let link = |title: &str, url: &str| attached(&format!(r#"{{"kind": "link", "title": "{title}", "url": "{url}"}}"#));
    let mini = |title: &str, app: &str| {
        attached(&format!(
            r#"{{"kind": "mini_program", "title": "{title}", "app_id": "{app}", "page": "p", "picture_media_id": "m"}}"#
        ))
    };
    let pictures =
        |count: usize| attached(&vec![r#"{"kind": "image", "url": "https://a.example/p.png"}"#; count].join(","));
    let app = "wx0123456789abcdef";
    for (json, path) in [
        (text(&"a".repeat(4000)), None),
        (text(&"a".repeat(4001)), Some("default.text")),
        (text(&format!("{}{{staff}}", "a".repeat(3900))), None),
        (text(&format!("{}{{staff}}", "a".repeat(3901))), Some("default.text")),
        (text("{nickname}"), Some("default.text")),
        (text("a } b { c"), None),
        (text("  "), Some("default")),
        (pictures(9), None),
        (pictures(10), Some("default.attachments")),
        (link(&"a".repeat(128), "https://a.example"), None),
        (link(&"a".repeat(129), "https://a.example"), Some("default.attachments[0].title")),
        (link("a", "javascript:alert(1)"), Some("default.attachments[0].url")),
        (link("a", "https://"), Some("default.attachments[0].url")),
        (link("a", "https://a.example/a b"), Some("default.attachments[0].url")),
        (mini(&"a".repeat(64), app), None),
        (mini(&"a".repeat(65), app), Some("default.attachments[0].title")),
        (mini("a", "wx1"), Some("default.attachments[0].app_id")),
        (
            attached(r#"{"kind": "coupon_link", "title": "", "url": "https://a.example"}"#),
            Some("default.attachments[0].title"),
        ),
        (WELCOME.replace("02:00", "22:00"), Some("variants[1].when.hours[0]")),
        (
            r#"{"variants": [{"message": {"text": "a"}}], "default": {"text": "b"}}"#.to_owned(),
            Some("variants[0].when"),
        ),
        (r#"{"variants": [{"message": {"text": "a"}}]}"#.to_owned(), None),
    ] {
        assert_eq!(welcome(&json).check(false).map_err(|mistake| mistake.path).err().as_deref(), path, "{json}");
    }
    for unreadable in
        [text("a").replace("text", "words"), WELCOME.replace("/west", "west"), WELCOME.replace("lead", "lord")]
    {
        assert!(serde_json::from_str::<Welcome>(&unreadable).is_err(), "{unreadable}");
    }
}

#[test]
fn an_account_sends_no_picture_by_its_address() {
    let picture = r#"{"text": "a", "attachments": [{"kind": "image", "url": "https://a.example/a.png"}]}"#;
    for (json, path) in [
        (format!(r#"{{"default": {picture}}}"#), "default.attachments[0]"),
        (
            format!(r#"{{"variants": [{{"when": {{"customer": "new"}}, "message": {picture}}}]}}"#),
            "variants[0].message.attachments[0]",
        ),
    ] {
        assert_eq!(welcome(&json).check(false), Ok(()), "WeCom does");
        assert_eq!(welcome(&json).check(true).unwrap_err().path, path);
    }
}

#[test]
fn what_an_account_cannot_send_is_refused_in_words() {
    let attached = |count: usize, text: &str| {
        let link = r#"{"kind": "link", "title": "a", "url": "https://a.example"}"#;
        format!(r#"{{"default": {{"text": "{text}", "attachments": [{}]}}}}"#, vec![link; count].join(","))
    };
    for (json, path) in [
        (attached(2, "a"), None),
        (attached(3, "a"), Some("default.attachments")),
        (attached(1, ""), Some("default.text")),
        (attached(1, " {customer} "), Some("default.text")),
        (attached(0, "{store}"), None),
        (attached(0, "{customer}，你好"), None),
        (attached(0, "我是{staff}"), Some("default.text")),
        (attached(0, &"a".repeat(2048)), None),
        (attached(0, &"a".repeat(2049)), Some("default.text")),
        (attached(0, &format!("{}{{code}}", "a".repeat(1949))), Some("default.text")),
    ] {
        assert_eq!(welcome(&json).check(true).map_err(|mistake| mistake.path).err().as_deref(), path, "{json}");
        let by_wecom = json.replace("[]", r#"[{"kind": "image", "url": "https://a.example/a.png"}]"#);
        assert_eq!(welcome(&by_wecom).check(false), Ok(()), "WeCom does");
    }
}

proptest! {
    #[test]
    fn a_text_is_the_sum_of_its_parts(text in "[a{}]{0,20}") {
        let joined: String = parts(&text).into_iter().map(|part| match part {
            Part::Text(text) => text.to_owned(),
            Part::Variable(name) => format!("{{{name}}}"),
        }).collect();
        prop_assert_eq!(joined, text);
    }

    /// What was let through stays within WeCom's 4000 bytes, whatever the names are.
    #[test]
    fn a_filled_text_fits(words in prop::collection::vec(0..5_usize, 0..60), name in "\\PC{0,200}") {
        let text: String = words.into_iter().map(|word| ["{staff}", "{store}", "{code}", "{customer}", "字字字字"][word]).collect();
        let message = Message { text: text.clone(), attachments: Vec::new() };
        let filled = fill(&text, Variables { staff: &name, store: &name, code: &name });
        if message.check("", false).is_ok() {
            let sent = filled.replace("{customer}", &"c".repeat(LONGEST_VALUE));
            prop_assert!(sent.len() <= 4000);
        }
    }
}
