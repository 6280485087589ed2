//! A check of values against a JSON schema: the keywords that our schema uses, and a panic for any other, so that none is
//! ever passed over.

use serde_json::Value;

/// What is wrong with `value`, with the place of each complaint.
pub(super) fn complaints(schema: &Value, value: &Value) -> Vec<String> {
    let mut all = Vec::new();
    check(schema, value, "$", &mut all);
    all
}

fn check(schema: &Value, value: &Value, place: &str, all: &mut Vec<String>) {
    let schema = match schema {
        Value::Bool(true) => return,
        Value::Bool(false) => return all.push(format!("{place}: nothing may stand here")),
        Value::Object(schema) => schema,
        other => panic!("{other} is not a schema"),
    };
    for (keyword, argument) in schema {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" => true,
            "type" => has_type(argument, value),
            "enum" => argument.as_array().expect("a list").contains(value),
            "minimum" => value.as_i64().is_none_or(|number| number >= argument.as_i64().expect("a number")),
            "minLength" => length(value).is_none_or(|length| length >= argument.as_u64().expect("a number")),
            "maxLength" => length(value).is_none_or(|length| length <= argument.as_u64().expect("a number")),
            "pattern" => value.as_str().is_none_or(|text| matches(argument.as_str().expect("a pattern"), text)),
            "anyOf" => argument.as_array().expect("a list").iter().any(|choice| complaints(choice, value).is_empty()),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(argument, item, &format!("{place}[{index}]"), all);
                }
                true
            }
            "required" => {
                let names = argument.as_array().expect("a list").iter().map(|name| name.as_str().expect("a name"));
                value.as_object().is_none_or(|object| names.into_iter().all(|name| object.contains_key(name)))
            }
            "propertyNames" => {
                for name in value.as_object().into_iter().flat_map(|object| object.keys()) {
                    check(argument, &Value::from(name.as_str()), &format!("{place}.{name}"), all);
                }
                true
            }
            "properties" => {
                for (name, schema) in argument.as_object().expect("an object") {
                    if let Some(value) = value.get(name) {
                        check(schema, value, &format!("{place}.{name}"), all);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (name, value) in value.as_object().into_iter().flatten() {
                    if !known.is_some_and(|known| known.contains_key(name)) {
                        check(argument, value, &format!("{place}.{name}"), all);
                    }
                }
                true
            }
            other => panic!("the check does not know `{other}`"),
        };
        if !holds {
            all.push(format!("{place}: {value} against {keyword} {argument}"));
        }
    }
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        other => panic!("the check does not know the type `{other}`"),
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

/// Whole-text matching for the few constructs that our patterns use: groups, alternatives, classes, `*`, `+`, `?`.
/// Follows every way through the pattern at once, as sets of places in the text.
fn matches(pattern: &str, text: &str) -> bool {
    let inner =
        pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$')).expect("a pattern for the whole text");
    let mut pattern = inner.chars().peekable();
    let alternatives = alternatives(&mut pattern);
    assert!(pattern.next().is_none(), "{inner}");
    let text: Vec<char> = text.chars().collect();
    ends(&Node::Any(alternatives), &text, 0).contains(&text.len())
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

enum Node {
    Any(Vec<Vec<Node>>),
    Class { negated: bool, ranges: Vec<(char, char)> },
    Repeat(Box<Node>, usize, usize),
}

fn alternatives(rest: &mut Rest<'_>) -> Vec<Vec<Node>> {
    let mut all = vec![Vec::new()];
    while let Some(&c) = rest.peek() {
        match c {
            ')' => break,
            '|' => {
                rest.next();
                all.push(Vec::new());
            }
            _ => {
                let one = atom(rest);
                let repeated = match rest.peek() {
                    Some('*') => Node::Repeat(Box::new(one), 0, usize::MAX),
                    Some('+') => Node::Repeat(Box::new(one), 1, usize::MAX),
                    Some('?') => Node::Repeat(Box::new(one), 0, 1),
                    _ => {
                        all.last_mut().expect("one").push(one);
                        continue;
                    }
                };
                rest.next();
                all.last_mut().expect("one").push(repeated);
            }
        }
    }
    all
}

fn atom(rest: &mut Rest<'_>) -> Node {
    match rest.next().expect("an atom") {
        '(' => {
            let inner = alternatives(rest);
            assert_eq!(rest.next(), Some(')'));
            Node::Any(inner)
        }
        '[' => class(rest),
        '\\' => Node::Class { negated: false, ranges: escaped(rest.next().expect("an escape")) },
        c => Node::Class { negated: false, ranges: vec![(c, c)] },
    }
}

fn class(rest: &mut Rest<'_>) -> Node {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        match rest.next().expect("the end of the class") {
            ']' => return Node::Class { negated, ranges },
            '\\' => ranges.extend(escaped(rest.next().expect("an escape"))),
            from => {
                let mut ahead = rest.clone();
                match (ahead.next(), ahead.next()) {
                    (Some('-'), Some(to)) if to != ']' => {
                        rest.next();
                        rest.next();
                        ranges.push((from, to));
                    }
                    _ => ranges.push((from, from)),
                }
            }
        }
    }
}

fn escaped(c: char) -> Vec<(char, char)> {
    match c {
        's' => vec![('\t', '\r'), (' ', ' '), ('\u{a0}', '\u{a0}')],
        c if c.is_ascii_alphanumeric() => panic!("the check does not know `\\{c}`"),
        c => vec![(c, c)],
    }
}

fn ends(node: &Node, text: &[char], start: usize) -> Vec<usize> {
    match node {
        Node::Class { negated, ranges } => match text.get(start) {
            Some(c) if ranges.iter().any(|(from, to)| (from..=to).contains(&c)) != *negated => vec![start + 1],
            _ => vec![],
        },
        Node::Any(alternatives) => {
            let mut all = Vec::new();
            for sequence in alternatives {
                let mut places = vec![start];
                for part in sequence {
                    places = places.iter().flat_map(|place| ends(part, text, *place)).collect();
                    places.sort_unstable();
                    places.dedup();
                }
                all.extend(places);
            }
            all
        }
        Node::Repeat(inner, least, most) => {
            let mut all = Vec::new();
            let mut places = vec![start];
            let mut times = 0;
            while !places.is_empty() && times <= text.len() && times <= *most {
                if times >= *least {
                    all.extend(&places);
                }
                places = places.iter().flat_map(|place| ends(inner, text, *place)).collect();
                places.sort_unstable();
                places.dedup();
                times += 1;
            }
            all
        }
    }
}

#[test]
fn the_check_itself_can_refuse() {
    assert!(matches("^([0-9]+h)?([0-9]+m)?$", "1h30m") && !matches("^([0-9]+h)?([0-9]+m)?$", "30m1h"));
    assert!(matches(r"^[A-Za-z._*:\[\]-]+$", "[a]:*-b") && !matches(r"^[A-Za-z._*:\[\]-]+$", "a/b"));
    assert!(matches(r"^(\*|[^=*\s]+\*?)$", "LC_*") && !matches(r"^(\*|[^=*\s]+\*?)$", "A B"));
    let schema = serde_json::json!({ "type": "array", "items": { "enum": ["a"] } });
    assert!(complaints(&schema, &serde_json::json!(["a"])).is_empty());
    assert_eq!(complaints(&schema, &serde_json::json!(["b"])).len(), 1);
}
