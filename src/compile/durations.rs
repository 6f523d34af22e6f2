//! Durations as the Gateway API writes them (GEP-2257): `1h30m`, `500ms`.

use std::time::Duration;

use thiserror::Error;

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum DurationError {
    /// One to four numbers of at most five digits, each with its unit.
    #[error("it is not a duration")]
    Syntax,
    /// Nothing can happen in no time, and `0s` does not mean "never" here.
    #[error("it must be longer than zero")]
    Zero,
}

/// Reads `([0-9]{1,5}(h|m|s|ms)){1,4}`.
pub(super) fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    for _ in 0..4 {
        let (part, after) = part(rest).ok_or(DurationError::Syntax)?;
        total += part;
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    match (rest.is_empty(), total.is_zero()) {
        (false, _) => Err(DurationError::Syntax),
        (true, true) => Err(DurationError::Zero),
        (true, false) => Ok(total),
    }
}

fn part(text: &str) -> Option<(Duration, &str)> {
    let (digits, rest) = split(text, |b| b.is_ascii_digit());
    let (unit, rest) = split(rest, |b| b.is_ascii_lowercase());
    let number: u64 = match digits.len() {
        1..=5 => digits.parse().ok()?,
        _ => return None,
    };
    let part = match unit {
        "h" => Duration::from_secs(number * 3600),
        "m" => Duration::from_secs(number * 60),
        "s" => Duration::from_secs(number),
        "ms" => Duration::from_millis(number),
        _ => return None,
    };
    Some((part, rest))
}

fn split(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|b| !belongs(b));
    text.split_at(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gep_2257() {
        for (text, millis) in [
            ("5s", 5_000),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            ("1m1s1ms", 61_001),
            ("1s1s", 2_000),
            ("99999h", 359_996_400_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["", "5", "s", "1.5s", "-1s", "1d", "123456s", "1s ", " 1s", "1h1m1s1ms1s", "5S"]
        {
            assert_eq!(parse(text), Err(DurationError::Syntax), "{text}");
        }
        assert_eq!(parse("0s"), Err(DurationError::Zero));
    }
}
