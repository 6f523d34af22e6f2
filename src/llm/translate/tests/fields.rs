//! The tables against what happens: each field that a row says is refused, dropped or carried is
//! sent, and that becomes of it.

mod nested;
mod samples;

use serde_json::Value;

use super::super::fate::{Fate, Row};
use super::super::{Refused, Wishes};
use super::{Pair, text};

#[test]
fn every_row_is_true() {
    let mut wrong = Vec::new();
    for pair in Pair::ALL {
        for row in pair.fields().iter().filter(|row| is_top_level(row)) {
            let Some(value) = samples::of(pair.client(), row.field) else {
                wrong.push(format!("no sample of {} in {:?}", row.field, pair.client()));
                continue;
            };
            if let Err(why) = holds(pair, row, &value) {
                wrong.push(format!("{pair:?}: {} is {:?}: {why}", row.field, row.fate));
            }
        }
    }
    assert!(wrong.is_empty(), "{} rows\n{}", wrong.len(), wrong.join("\n"));
}

/// The same of the fields within others. What is carried is looked for under its new name, or as
/// a thing of that type; what becomes something near arrives as something.
#[test]
fn every_nested_row_is_true() {
    let mut wrong = Vec::new();
    for pair in Pair::ALL {
        for row in pair.fields().iter().filter(|row| !is_top_level(row)) {
            for field in nested::each(row.field) {
                let Some(requests) = nested::of(pair.client(), &field) else {
                    wrong.push(format!("no sample of {field} in {:?}", pair.client()));
                    continue;
                };
                if let Err(why) = nested_holds(pair, row, &requests) {
                    wrong.push(format!("{pair:?}: {field} is {:?}: {why}", row.fate));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} rows\n{}", wrong.len(), wrong.join("\n"));
}

fn nested_holds(pair: Pair, row: &Row, requests: &nested::Requests) -> Result<(), String> {
    let write = |request: &Value| {
        let body = pair.request(request.to_string().as_bytes(), &Wishes::default())?.body;
        Ok::<Value, Refused>(serde_json::from_slice(&body).unwrap())
    };
    let without = write(&requests.1).map_err(|why| format!("without it: {why}"))?;
    let (name, body) = match (row.fate, write(&requests.0)) {
        (Fate::Refused { .. }, Err(_)) => return Ok(()),
        (_, Err(refused)) => return Err(format!("refused: {refused}")),
        (Fate::Refused { .. }, Ok(body)) => return Err(format!("passes: {body}")),
        (Fate::Dropped(_), Ok(body)) if body == without => return Ok(()),
        (Fate::Dropped(_), Ok(body)) => return Err(format!("{body}, not {without}")),
        (Fate::Approximated(_), Ok(_)) => return Ok(()),
        (Fate::Carried(name), Ok(body)) => (name, body),
    };
    match has(&body, name.trim_end_matches("[]")) && body != without {
        true => Ok(()),
        false => Err(format!("no {name} in {body}, which is {without} without it")),
    }
}

/// Is there something at this path, in any item of its lists? A step may name a member, or the type
/// of an item.
fn has(value: &Value, path: &str) -> bool {
    if let Value::Array(items) = value {
        return items.iter().any(|item| has(item, path));
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    let step = step.trim_end_matches("[]");
    let goes_on =
        |inner: &Value| rest.is_empty() && !inner.is_null() || !rest.is_empty() && has(inner, rest);
    value.get(step).is_some_and(goes_on) || value["type"] == *step && goes_on(value)
}

#[test]
fn no_field_stands_twice_and_every_reason_is_said() {
    for pair in Pair::ALL {
        let fields: Vec<&str> = pair.fields().iter().map(|row| row.field).collect();
        assert!(fields.len() > 10, "{pair:?} has {} rows", fields.len());
        for (at, row) in pair.fields().iter().enumerate() {
            assert!(!fields[..at].contains(&row.field), "{pair:?}: {} twice", row.field);
            let (Fate::Carried(words) | Fate::Approximated(words) | Fate::Dropped(words)) =
                row.fate
            else {
                continue;
            };
            assert!(!words.is_empty(), "{pair:?}: {} without words", row.field);
        }
    }
}

fn is_top_level(row: &Row) -> bool {
    !row.field.contains(['.', '['])
}

fn holds(pair: Pair, row: &Row, value: &Value) -> Result<(), String> {
    let with = written(pair, row.field, Some(value));
    let without = written(pair, row.field, None).map_err(|why| why.to_string())?;
    match (row.fate, with) {
        (Fate::Refused { unless, .. }, Err(refused)) => {
            if !refused.field.starts_with(samples::key(row.field)) {
                return Err(format!("refused for {}", refused.field));
            }
            unless.iter().try_for_each(|same| passes(pair, row.field, same))
        }
        (_, Err(refused)) => Err(format!("refused: {refused}")),
        (Fate::Refused { .. }, Ok(body)) => Err(format!("passes: {body}")),
        (Fate::Dropped(_), Ok(body)) if body == without => Ok(()),
        (Fate::Dropped(_), Ok(body)) => Err(format!("{body}, not {without}")),
        (Fate::Carried(name), Ok(body)) => match find(&body, name) {
            Some(found) if !found.is_null() => Ok(()),
            _ => Err(format!("no {name} in {body}")),
        },
        (Fate::Approximated(_), Ok(_)) => Ok(()),
    }
}

/// A value that changes nothing is no reason to refuse.
fn passes(pair: Pair, field: &str, value: &str) -> Result<(), String> {
    let value = serde_json::from_str(value).map_err(|error| format!("{value}: {error}"))?;
    let passed = written(pair, field, Some(&value));
    passed.map(|_| ()).map_err(|refused| format!("{value} is refused: {refused}"))
}

fn written(pair: Pair, field: &str, value: Option<&Value>) -> Result<Value, Refused> {
    let mut request = samples::request(pair.client(), field);
    if let Some(value) = value {
        request[samples::key(field)] = value.clone();
    }
    let body = pair.request(request.to_string().as_bytes(), &Wishes::default())?.body;
    Ok(serde_json::from_slice(&body).unwrap())
}

/// `reasoning.effort`, `messages[].content`, `system`.
fn find<'a>(body: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(body, |value, name| {
        let found = value.get(name.trim_end_matches("[]"))?;
        if name.ends_with("[]") { found.get(0) } else { Some(found) }
    })
}

#[test]
fn paths_are_found() {
    let body = serde_json::json!({ "a": { "b": [{ "c": "x" }] } });
    assert_eq!(find(&body, "a.b[].c").map(text), Some("x"));
    assert_eq!(find(&body, "a.c"), None);
}
