//! XML and JSON of the WeChat family, read alike: both become a JSON value.
//!
//! DTDs are refused, nothing is ever fetched, and XML's fields are all text, so numbers are to be read leniently.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

/// The ciphertext of a callback's body, whichever of the two envelopes it comes in.
pub fn encrypted(body: &[u8]) -> Option<String> {
    let envelope = read(std::str::from_utf8(body).ok()?)?;
    ["Encrypt", "encrypt"].iter().find_map(|name| envelope.get(name)?.as_str()).map(str::to_owned)
}

/// Reads a message: JSON if it begins with a brace, else XML.
pub fn read(text: &str) -> Option<Value> {
    let text = text.trim();
    if text.starts_with('{') {
        return serde_json::from_str(text).ok();
    }
    if is_crowded(text) {
        return None;
    }
    // A callback has a few dozen elements; a body made of nothing but tags is not for us to hold.
    let document = Document::parse_with_options(text, ParsingOptions { nodes_limit: NODES, ..Default::default() });
    value(document.ok()?.root_element(), DEPTH)
}

/// Whether an element has more attributes than a callback has: the parser compares each with all others, which takes seconds for those
/// of a whole body, and nobody has signed it yet. Comments, instructions and CDATA are skipped as the parser does.
fn is_crowded(text: &str) -> bool {
    const SKIPPED: [(&str, &str); 3] = [("![CDATA[", "]]>"), ("!--", "-->"), ("?", "?>")];
    let mut rest = text;
    while let Some((_, tag)) = rest.split_once('<') {
        rest = tag;
        if let Some((inside, end)) = SKIPPED.iter().find_map(|(start, end)| Some((tag.strip_prefix(start)?, *end))) {
            let Some((_, after)) = inside.split_once(end) else { return false };
            rest = after;
        } else if tag.split('<').next().is_some_and(|tag| tag.matches(['"', '\'']).count() > 2 * ATTRIBUTES) {
            return true;
        }
    }
    false
}

const ATTRIBUTES: usize = 100;
const NODES: u32 = 10_000;
const DEPTH: u8 = 8;

/// An element without children is its text; one with children an object; what is repeated becomes a list.
fn value(element: Node<'_, '_>, depth: u8) -> Option<Value> {
    let mut fields = Map::new();
    for child in element.children().filter(Node::is_element) {
        let value = value(child, depth.checked_sub(1)?)?;
        match fields.get_mut(child.tag_name().name()) {
            None => drop(fields.insert(child.tag_name().name().to_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    if !fields.is_empty() {
        return Some(Value::Object(fields));
    }
    Some(Value::String(element.children().filter_map(|node| node.text()).collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn xml_and_json_read_alike() {
        let xml = "<xml><Event><![CDATA[a<b]]></Event><CreateTime>17</CreateTime>\n <Empty/><List><Id>1</Id><Id>2</Id><Id>3</Id></List></xml>";
        let value = json!({"Event": "a<b", "CreateTime": "17", "Empty": "", "List": {"Id": ["1", "2", "3"]}});
        assert_eq!(read(xml), Some(value.clone()));
        assert_eq!(read(&format!("\n {value}")), Some(value));
    }

    #[test]
    fn attributes_are_passed_over_and_quotes_in_text_are_text() {
        let quotes = "\"'<!--".repeat(1_000);
        let xml =
            format!("<?xml version=\"1.0\"?><!-- '' --><xml a=\"1\"><b c='2>'>x</b><d><![CDATA[{quotes}]]></d></xml>");
        assert_eq!(read(&xml), Some(json!({"b": "x", "d": quotes})));
    }

    #[test]
    fn crowds_of_attributes_are_refused_before_they_are_compared() {
        let crowd: String = (0..100_000).map(|number| format!(" a{number:x}=''")).collect();
        let spaces: String = (0..50_000).map(|number| format!(" xmlns:a{number:x} = \"u>\"")).collect();
        for text in [
            format!("<xml{crowd}/>"),
            format!("<xml{spaces}/>"),
            format!("<!--<![CDATA[--><xml{crowd}/><!--]]>-->"),
            format!("<!--><?--><xml{crowd}/><?a?>"),
            format!("<?a <![CDATA[?><xml><![CDATA[]]><b{crowd}/></xml>"),
        ] {
            assert_eq!(read(&text), None, "{}", &text[..30]);
        }
    }

    #[test]
    fn bombs_and_nonsense_are_refused() {
        let deep = format!("<xml>{}{}</xml>", "<a>".repeat(5000), "</a>".repeat(5000));
        let wide = format!("<xml>{}</xml>", "<a/>".repeat(20_000));
        let entities = r#"<!DOCTYPE x [<!ENTITY a "aaaa">]><xml>&a;</xml>"#;
        let external = r#"<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml/>"#;
        for text in ["", "{", "[", "<xml>", "text", &deep, &wide, entities, external] {
            assert_eq!(read(text), None, "{}", &text[..text.len().min(40)]);
        }
    }
}
