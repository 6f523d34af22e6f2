//! What unquoted scalars are.
//!
//! Reads them as kubectl does (YAML 1.1: `yes` is a boolean, `010` is eight), because a file must
//! mean the same to both.

use saphyr_parser::{ScalarStyle, Tag};
use serde_json::{Number, Value};

use super::{Data, Position, SyntaxError, error};

/// What a scalar is: text where it is quoted or tagged so, else what it looks like.
pub(super) fn scalar(
    text: String,
    style: ScalarStyle,
    tag: Option<&Tag>,
    at: Position,
) -> Result<Data, SyntaxError> {
    match tag {
        None if style == ScalarStyle::Plain => Ok(plain(text)),
        None => Ok(Data::Text(text)),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => Ok(Data::Text(text)),
            "int" | "float" | "bool" | "null" => Ok(plain(text)),
            _ => Err(error(at, "this tag is not supported")),
        },
        Some(_) => Err(error(at, "tags of one's own are not supported")),
    }
}

/// An unquoted scalar, as kubectl reads it.
fn plain(text: String) -> Data {
    let value = match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        other => match integer(other).or_else(|| float(other)) {
            Some(number) => Value::Number(number),
            None => return Data::Text(text),
        },
    };
    Data::Plain(value)
}

/// An integer in one of YAML 1.1's bases; underscores are allowed between digits.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if !digits.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let digits = digits.replace('_', "");
    let (digits, base) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'b' | b'B', ..] => (&digits[2..], 2),
        [b'0', b'o' | b'O', ..] => (&digits[2..], 8),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits.as_str(), 10),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, base).ok()?;
    let value = if negative { -magnitude } else { magnitude };
    let signed = i64::try_from(value).map(Number::from);
    signed.or_else(|_| u64::try_from(value).map(Number::from)).ok()
}

/// A float of YAML 1.1 that JSON can say: `.inf` and `.nan` stay text, and so fail as a number.
fn float(text: &str) -> Option<Number> {
    let is_float = |byte: u8| byte.is_ascii_digit() || b"+-.eE_".contains(&byte);
    let unsigned = text.trim_start_matches(['-', '+']);
    let begins = unsigned.bytes().find(|byte| *byte != b'.').is_some_and(|b| b.is_ascii_digit());
    if !begins || !text.bytes().all(is_float) || text.len() - unsigned.len() > 1 {
        return None;
    }
    let value = text.replace('_', "").parse::<f64>().ok()?;
    // JSON has one kind of number, so `1e2` is the integer 100.
    match value.fract() == 0.0 && value.abs() < 9e15 {
        true => Some(Number::from(value as i64)),
        false => Number::from_f64(value),
    }
}
