//! Variables in texts: `{staff}`.

/// The variables that a text may have.
pub const VARIABLES: [&str; 4] = ["customer", "staff", "store", "code"];
/// The longest value of a variable, in bytes of UTF-8. What is longer is cut.
pub const LONGEST_VALUE: usize = 100;

/// The values of variables. The customer's nickname is personal and not kept: who sends the message fills it in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Variables<'a> {
    /// What the member of staff is called.
    pub staff: &'a str,
    /// What the store is called.
    pub store: &'a str,
    /// The name of the code.
    pub code: &'a str,
}

/// A text with its variables filled in, except for `{customer}`, which stays as it is.
///
/// Values are taken as they are: a brace in one makes no variable, and `{customer}` in a member of staff's name is not the customer's.
pub fn fill(text: &str, variables: Variables<'_>) -> String {
    let mut filled = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Variable("staff") => filled.push_str(&value(variables.staff)),
            Part::Variable("store") => filled.push_str(&value(variables.store)),
            Part::Variable("code") => filled.push_str(&value(variables.code)),
            Part::Variable(name) => filled.extend(["{", name, "}"]),
            Part::Text(text) => filled.push_str(text),
        }
    }
    filled
}

fn value(value: &str) -> String {
    let plain: String = value.chars().filter(|letter| !matches!(letter, '{' | '}')).collect();
    let end = plain.floor_char_boundary(LONGEST_VALUE);
    plain.get(..end).unwrap_or_default().to_owned()
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// What is said as it is.
    Text(&'a str),
    /// The name between two braces.
    Variable(&'a str),
}

/// The pieces of a text, in order. A brace without its fellow is text.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, later)) = after.split_once('}') else { break };
        // The innermost pair counts: `{{staff}` is a brace and a variable.
        let opened = name.rfind('{').map_or(0, |brace| brace + 1);
        let (_, name) = name.split_at(opened);
        parts.push(Part::Text(rest.get(..before.len() + opened).unwrap_or_default()));
        parts.push(Part::Variable(name));
        rest = later;
    }
    parts.push(Part::Text(rest));
    parts.retain(|part| *part != Part::Text(""));
    parts
}
