//! Sizes and times as people write them: `32Mi`, `500ms`, `1m30s`.

use std::time::Duration;

/// A size in bytes: a number, or one with Ki, Mi or Gi.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return Err(format!("`{unit}` is no unit of size: use Ki, Mi or Gi")),
    };
    let number: usize = number.parse().map_err(|_| "write a number such as 32Mi".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "that is too large".to_owned())
}

/// A time: numbers with ms, s, m or h.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let split = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(split);
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err("write a time such as 500ms, 30s or 1m30s".to_owned()),
        };
        let number: u64 = number.parse().map_err(|_| "write a time such as 30s".to_owned())?;
        let part = number.checked_mul(millis).ok_or_else(|| "that is too long".to_owned())?;
        sum += Duration::from_millis(part);
        rest = next;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("32Mi"), Ok(32 << 20));
        assert_eq!(size("7"), Ok(7));
        assert!(size("1MB").is_err() && size("").is_err() && size("99999999999Gi").is_err());
    }

    #[test]
    fn times() {
        assert_eq!(time("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert!(time("5").is_err() && time("s").is_err() && time("1d").is_err());
    }
}
