//! Quantities as Kubernetes writes them: `250m`, `64Mi`, `1e3`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::fault::Bad;

/// More than nothing, in the spelling that was given.
#[derive(Debug, Clone)]
pub struct Quantity {
    text: String,
    value: f64,
}

/// Letters behind the digits, and what they multiply by.
const SUFFIXES: [(&str, f64); 16] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("", 1.0),
];

// === impl Quantity ===

impl Quantity {
    /// Is it more than the other?
    pub(super) fn exceeds(&self, other: &Self) -> bool {
        self.value > other.value
    }
}

/// The value of a text of the right form.
fn value(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let dots = digits.bytes().filter(|byte| *byte == b'.').count();
    if dots > 1 || digits.len() == dots {
        return None;
    }
    let number: f64 = digits.parse().ok()?;
    if let Some((_, factor)) = SUFFIXES.iter().find(|(name, _)| *name == suffix) {
        return Some(number * factor);
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let exponent: i32 = exponent.parse().ok().filter(|it: &i32| it.abs() < 100)?;
    Some(number * 10f64.powi(exponent))
}

impl FromStr for Quantity {
    type Err = Bad;

    fn from_str(text: &str) -> Result<Self, Bad> {
        match value(text) {
            Some(value) if value > 0.0 => Ok(Self { text: text.to_owned(), value }),
            _ => {
                Err("is no quantity above zero: write for example 100m (CPU) or 64Mi (memory)"
                    .into())
            }
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Quantity {}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// YAML takes `cpu: 1` for a number.
impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text,
            serde_json::Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_kubernetes_are_read() {
        for (text, expected) in [
            ("1", 1.0),
            ("0.5", 0.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("100m", 0.1),
            ("64Mi", 67_108_864.0),
            ("128974848", 128_974_848.0),
            ("129e6", 129e6),
            ("1E3", 1e3),
            ("12E", 12e18),
            ("1e-2", 0.01),
        ] {
            let quantity: Quantity = text.parse().unwrap();
            assert!((quantity.value / expected - 1.0).abs() < 1e-9, "{text}");
            assert_eq!(quantity.to_string(), text);
        }
        for text in
            ["", "0", "0m", "-1", "+1", "Mi", ".", "1..2", "1 Mi", "1mi", "1MB", "1e", "1e999", "x"]
        {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }
}
