//! The JSON schema of a policy document, for editors: made from the table of keys.

use serde_json::{Map, Value, json};

use crate::guarantee::Guarantee;
use crate::keys::{KeyInfo, Section, ValueType};

/// The schema, JSON Schema draft 2020-12. It accepts at least every document that bailiwick accepts.
pub fn schema() -> Value {
    let mut properties = Map::new();
    for section in Section::ALL {
        let keys: Map<String, Value> = section.keys().map(|info| (info.name.to_owned(), key(info))).collect();
        match section {
            Section::Top => properties.extend(keys),
            section => {
                let table = json!({
                    "description": section.meaning(),
                    "type": "object",
                    "properties": keys,
                    "additionalProperties": false,
                });
                properties.insert(section.name().to_owned(), table);
            }
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bailiwick policy",
        "description": "What a sandboxed coding agent may do. What is not allowed is refused.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn key(info: &KeyInfo) -> Value {
    let mut schema = value(info.value);
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), json!(format!("{} Default: {}.", info.meaning, info.default)));
    }
    schema
}

/// A host, an address or a range, with or without a port.
const HOST: &str = r"^[A-Za-z0-9._*:\[\]-]+(/[0-9]+(:[0-9]+)?)?$";
/// The same with methods in front and a path behind.
const HOST_RULE: &str = r"^([A-Z][A-Z,-]* )?[A-Za-z0-9._*:\[\]-]+(/([^/?#\s][^?#\s]*)?)?$";

/// A closed table with these keys.
fn table(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

fn value(value: ValueType) -> Value {
    let list = |items: Value| json!({ "type": "array", "items": items });
    let path = json!({ "type": "string", "minLength": 1, "maxLength": 4095 });
    let size = json!({ "type": "string", "pattern": "^[0-9]+ ?([kKmMgGtT][iI]?)?[bB]?$" });
    match value {
        ValueType::Profiles => {
            list(json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$" }))
        }
        ValueType::Paths | ValueType::Globs => list(path),
        ValueType::Hosts => list(json!({ "type": "string", "pattern": HOST })),
        ValueType::HostRules => list(json!({ "anyOf": [
            { "type": "string", "pattern": HOST_RULE },
            table(&["host"], json!({
                "host": { "type": "string", "pattern": HOST_RULE },
                "inspect": { "type": "boolean" },
                "opaque": { "type": "boolean" },
                "addresses": list(json!({ "type": "string", "pattern": "^[0-9A-Fa-f.:\\[\\]]+(/[0-9]+)?$" })),
            })),
        ] })),
        ValueType::Credentials => list(table(
            &["host", "header", "from"],
            json!({
                "host": { "type": "string", "pattern": HOST },
                "header": { "type": "string", "minLength": 1, "maxLength": 64 },
                "prefix": { "type": "string", "maxLength": 256 },
                "from": { "anyOf": [
                    table(&["env"], json!({ "env": { "type": "string", "pattern": "^[^=*\\s]+$" } })),
                    table(&["file"], json!({ "file": path })),
                    table(&["command"], json!({ "command": list(json!({ "type": "string" })) })),
                ] },
            }),
        )),
        ValueType::Variables => list(json!({ "type": "string", "pattern": "^(\\*|\\*?[^=*\\s]+|[^=*\\s]+\\*)$" })),
        ValueType::Assignments => json!({
            "type": "object",
            "propertyNames": { "pattern": "^[^=*\\s]+$" },
            "additionalProperties": { "type": "string" },
        }),
        ValueType::Duration => {
            json!({ "type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "minLength": 2 })
        }
        ValueType::Size => json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, size] }),
        ValueType::Count => json!({ "type": "integer", "minimum": 1 }),
        ValueType::Flag => json!({ "type": "boolean" }),
        ValueType::Word(words) => json!({ "enum": words }),
        ValueType::Guarantees => list(json!({ "enum": Guarantee::ALL.map(Guarantee::name) })),
    }
}

#[cfg(test)]
mod tests;
