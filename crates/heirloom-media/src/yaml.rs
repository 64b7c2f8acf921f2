//! YAML as JSON, as far as programs write it: mappings, lists and plain values.
//!
//! What YAML has beside that is refused: a name for a value elsewhere, with which a few lines become gigabytes.

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// How deep values lie in each other at most, and how many there are.
const DEPTH_LIMIT: usize = 32;
const VALUE_LIMIT: usize = 200_000;

/// A list or mapping that has not ended.
enum Open {
    List(Vec<Value>),
    /// With the name of the value that comes next.
    Mapping(Map<String, Value>, Option<String>),
}

/// Reads the one document of a text; `None` where it is broken, or more than this reads.
pub(crate) fn read(text: &str) -> Option<Value> {
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut count = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.ok()?;
        count = count.checked_add(1).filter(|count| *count < VALUE_LIMIT)?;
        let value = match event {
            Event::Scalar(text, style, ..) => Some(scalar(&text, style)),
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Mapping(Map::new(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop()? {
                Open::List(list) => Some(Value::Array(list)),
                Open::Mapping(mapping, _) => Some(Value::Object(mapping)),
            },
            Event::Alias(_) => return None,
            _ => None,
        };
        if open.len() > DEPTH_LIMIT {
            return None;
        }
        let Some(value) = value else { continue };
        match open.last_mut() {
            Some(Open::List(list)) => list.push(value),
            Some(Open::Mapping(mapping, name)) => match name.take() {
                Some(name) => {
                    mapping.insert(name, value);
                }
                None => *name = Some(name_of(value)?),
            },
            None if root.is_none() => root = Some(value),
            None => return None,
        }
    }
    root
}

fn name_of(value: Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is_true) => Some(is_true.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// A value by the core schema of YAML 1.2; what is quoted is text.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    let as_text = || Value::String(text.to_owned());
    if !matches!(style, ScalarStyle::Plain) {
        return as_text();
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match text.parse::<i64>() {
            Ok(number) => Value::Number(number.into()),
            Err(_)
                if text
                    .starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) =>
            {
                let number = text.parse::<f64>().ok().and_then(Number::from_f64);
                number.map_or_else(as_text, Value::Number)
            }
            Err(_) => as_text(),
        },
    }
}
