//! The metrics page, read as a scraper reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Instant;

use super::GUARD;
use super::proxy::Proxy;

/// One page.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// Families that have both a HELP and a TYPE.
    pub(crate) families: BTreeMap<String, String>,
    pub(crate) all: Vec<Sample>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Samples {
    #[track_caller]
    pub(crate) fn of(page: &str) -> Self {
        let mut samples = Self::default();
        let mut helped = BTreeSet::new();
        for line in page.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, text) = help.split_once(' ').unwrap();
                assert!(!text.is_empty(), "{name} has no help");
                assert!(helped.insert(name), "{name} stands twice");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(helped.contains(name), "{name} has no HELP before its TYPE");
                samples.families.insert(name.to_owned(), kind.to_owned());
            } else {
                samples.all.push(Sample::of(line));
            }
        }
        samples
    }

    /// The sum of the series of this name that have all these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.all.iter().filter(|sample| sample.is(name, labels));
        found.map(|sample| sample.value).sum()
    }

    /// Every value that a label has on any series.
    pub(crate) fn values(&self, label: &str) -> BTreeSet<&str> {
        let values = self.all.iter().filter_map(|sample| sample.labels.get(label));
        values.map(String::as_str).collect()
    }

    /// The family that a series belongs to: a histogram has three endings.
    pub(crate) fn family(&self, sample: &Sample) -> Option<&str> {
        let endings = ["", "_bucket", "_sum", "_count"];
        let bare = endings.iter().filter_map(|end| sample.name.strip_suffix(end));
        let mut known = bare.filter_map(|name| self.families.get_key_value(name));
        known.next().map(|(name, _)| name.as_str())
    }
}

impl Sample {
    fn is(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        let has =
            |(label, value): &(&str, &str)| self.labels.get(*label).map(|v| &**v) == Some(*value);
        self.name == name && labels.iter().all(has)
    }

    #[track_caller]
    fn of(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
        let value = value.parse().unwrap_or_else(|_| panic!("{line:?}"));
        let Some((name, rest)) = series.split_once('{') else {
            let (name, labels) = (series.to_owned(), BTreeMap::new());
            return Self { name, labels, value };
        };
        Self { name: name.to_owned(), labels: labels(rest.strip_suffix('}').unwrap()), value }
    }
}

/// `a="b",c="d"`, where a value may hold `\"`, `\\` and `\n`.
fn labels(mut text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let mut value = String::new();
        let mut chars = rest.char_indices();
        let end = loop {
            match chars.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "{name} twice");
        text = rest[end + 1..].trim_start_matches(',');
    }
    assert_eq!(text, "");
    labels
}

/// Asks for the page until the sum of these series is `value`.
#[track_caller]
pub(crate) fn wait_sum(proxy: &Proxy, name: &str, labels: &[(&str, &str)], value: f64) {
    wait(proxy, (name, labels), |sum| sum == value);
}

/// Asks for the page until these series have counted something, however often.
#[track_caller]
pub(crate) fn wait_any(proxy: &Proxy, name: &str, labels: &[(&str, &str)]) {
    wait(proxy, (name, labels), |sum| sum > 0.0);
}

#[track_caller]
fn wait(proxy: &Proxy, (name, labels): (&str, &[(&str, &str)]), wanted: impl Fn(f64) -> bool) {
    let began = Instant::now();
    loop {
        let sum = Samples::of(&proxy.metrics()).sum(name, labels);
        if wanted(sum) {
            return;
        }
        assert!(began.elapsed() < GUARD, "{name}{labels:?} is {sum}");
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read() {
        let page = "# HELP a_total What.\n# TYPE a_total counter\na_total{x=\"1\",y=\"q\\\"\\\\\\n,}\"} 2\n\
                    a_total{x=\"1\"} 3\n# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nb 4\n";
        let samples = Samples::of(page);
        assert_eq!(samples.sum("a_total", &[("x", "1")]), 5.0);
        assert_eq!(samples.sum("a_total", &[("y", "q\"\\\n,}")]), 2.0);
        assert_eq!(samples.values("y").len(), 1);
        let families: Vec<_> = samples.all.iter().map(|sample| samples.family(sample)).collect();
        assert_eq!(families, [Some("a_total"), Some("a_total"), Some("h"), None]);
    }
}
