use super::*;
use crate::builtin::BUILTINS;
use crate::document::Document;
use crate::keys::KEYS;
use crate::origin::{Layer, Source};

mod check;

use check::complaints;

/// A TOML document as JSON.
fn json_of(text: &str) -> Value {
    fn convert(value: &toml::de::DeValue<'_>) -> Value {
        use toml::de::DeValue;
        match value {
            DeValue::String(text) => json!(text),
            DeValue::Integer(number) => {
                json!(i64::from_str_radix(number.as_str(), number.radix()).expect("a small number"))
            }
            DeValue::Boolean(flag) => json!(flag),
            DeValue::Array(list) => list.iter().map(|item| convert(item.get_ref())).collect(),
            DeValue::Table(table) => Value::Object(
                table.iter().map(|(key, value)| (key.get_ref().to_string(), convert(value.get_ref()))).collect(),
            ),
            other => panic!("{other:?} has no place in a policy"),
        }
    }
    let table = toml::de::DeTable::parse(text).expect("TOML");
    convert(&toml::de::DeValue::Table(table.into_inner()))
}

fn understood(text: &str) -> bool {
    Document::parse(text, Source::Profile("test".into()), Layer::User).is_ok()
}

#[test]
fn every_profile_in_the_repository_fits() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("profiles") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a profile");
        assert_eq!(complaints(&schema(), &json_of(&text)), Vec::<String>::new(), "{}", path.display());
        assert!(understood(&text), "{}", path.display());
        files += 1;
    }
    assert_eq!(files, BUILTINS.len(), "every file is a built-in profile, and every built-in profile a file");
}

#[test]
fn every_example_fits_and_is_understood() {
    for info in &KEYS {
        let text = match info.section {
            Section::Top => format!("{} = {}", info.name, info.example),
            section => format!("[{}]\n{} = {}", section.name(), info.name, info.example),
        };
        assert_eq!(complaints(&schema(), &json_of(&text)), Vec::<String>::new(), "{text}");
        assert!(understood(&text), "{text}");
    }
}

#[test]
fn every_form_of_a_rule_about_hosts_fits() {
    let forms = [
        "['*', '**.a.org', '*.a.org:8443', '[2001:db8::1]:443', '::1', '10.0.0.0/8', '10.0.0.0/8:5432', '[2001:db8::]/32:443']",
        "['GET,M-SEARCH a.org:80/v1/**', 'a.org:80/', 'GET *.a.org:80']",
        "[{ host = 'GET a.org/%41*/~', inspect = true }, { host = 'a.org', inspect = true, opaque = false }]",
        "[{ host = 'a.org:9418', opaque = true, addresses = ['10.0.0.0/8', '[2001:db8::]/32', '::1'] }]",
    ];
    for form in forms {
        let text = format!("[network]\nallow = {form}");
        assert_eq!(complaints(&schema(), &json_of(&text)), Vec::<String>::new(), "{text}");
        assert!(understood(&text), "{text}");
    }
}

#[test]
fn the_schema_and_the_parser_refuse_the_same_slips() {
    let slips = [
        "raed = []",
        "files = []",
        "[files]\nreads = ['/a']",
        "[files]\nread = '/a'",
        "[files]\nread = [1]",
        "[files]\nread = ['']",
        "[files]\nsearch_limit = 0",
        "[network]\nallow = ['https://example.org/']",
        "[network]\nallow = ['münchen.de']",
        "[network]\nallow = ['GET a.org/x?y']",
        "[network]\nallow = [{ inspect = true }]",
        "[network]\nallow = [{ host = 'a.org', inspct = true }]",
        "[network]\nallow = [{ host = 'a.org', opaque = 'yes' }]",
        "[network]\nallow = [{ host = 'a.org', addresses = ['x'] }]",
        "[network]\ndeny = ['a.org/x']",
        "[network]\ndeny = [{ host = 'a.org' }]",
        "[network]\ncredential = ['a.org']",
        "[[network.credential]]\nhost = 'a.org'\nfrom = { env = 'A' }",
        "[[network.credential]]\nhost = 'a.org'\nheader = 'x'\nfrom = { env = 'A', file = '/b' }",
        "[[network.credential]]\nhost = 'a.org'\nheader = 'x'\nfrom = { vault = 'A' }",
        "[environment]\npass = ['A=B']",
        "[environment]\npass = ['A*B*']",
        "[environment]\nset = { A = 1 }",
        "[environment]\nset = { 'A*' = '1' }",
        "[limits]\ntime = 30",
        "[limits]\ntime = '30'",
        "[limits]\ntime = '5m1h'",
        "[limits]\nmemory = 'much'",
        "[limits]\nmemory = -1",
        "[workspace]\nmode = 'both'",
        "[isolation]\ntier = 'none'",
        "[isolation]\naccept = ['everything']",
        "[isolation]\ntrace = 'yes'",
        "extends = ['../evil']",
    ];
    for text in slips {
        assert!(!complaints(&schema(), &json_of(text)).is_empty(), "the schema accepts {text}");
        assert!(!understood(text), "the parser accepts {text}");
    }
}

#[test]
fn every_table_is_closed() {
    let schema = schema();
    assert_eq!(schema["additionalProperties"], json!(false));
    for section in Section::ALL.into_iter().filter(|section| *section != Section::Top) {
        assert_eq!(schema["properties"][section.name()]["additionalProperties"], json!(false), "{section:?}");
    }
}
