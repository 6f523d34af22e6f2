//! docs/translation.md: the hand-written rules of `head.md`, then a table a pair,
//! written from the same rows by which requests are refused.

use std::fmt::Write;
use std::path::Path;

use pillion::llm::translate::fate::{Fate, Row};
use pillion::llm::translate::{Pair, Speech};

use crate::bless;

#[test]
fn the_tables_are_written_down() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/translation.md");
    bless::check(&path, &document());
}

fn document() -> String {
    let mut document = include_str!("head.md").to_owned();
    for pair in Pair::ALL {
        let (client, upstream) = (name(pair.client()), name(pair.upstream()));
        write!(document, "\n## {client} to {upstream}\n\n").unwrap();
        document += "| field | what becomes of it | how, or why |\n|---|---|---|\n";
        pair.fields().iter().for_each(|row| document += &line(row));
    }
    document
}

const fn name(speech: Speech) -> &'static str {
    match speech {
        Speech::Chat => "Chat completions",
        Speech::Responses => "Responses",
        Speech::Messages => "Messages",
    }
}

fn line(row: &Row) -> String {
    let (fate, words) = match row.fate {
        Fate::Carried(name) if name == row.field => ("carried", String::new()),
        Fate::Carried(name) => ("carried", format!("as `{name}`")),
        Fate::Approximated(how) => ("approximated", how.to_owned()),
        Fate::Dropped(why) => ("dropped", why.to_owned()),
        Fate::Refused { why, unless: [] } => ("refused", why.to_owned()),
        Fate::Refused { why, unless } => {
            let unless: Vec<String> = unless.iter().map(|value| format!("`{value}`")).collect();
            ("refused", format!("{why} ({} passes)", unless.join(" or ")))
        }
    };
    format!("| `{}` | {fate} | {} |\n", row.field, words.replace('|', "\\|"))
}

#[test]
fn rows_are_told_in_words() {
    let row = |fate| line(&Row { field: "n", fate });
    assert_eq!(row(Fate::Carried("n")), "| `n` | carried |  |\n");
    assert_eq!(row(Fate::Carried("count")), "| `n` | carried | as `count` |\n");
    assert_eq!(row(Fate::Dropped("a | b")), "| `n` | dropped | a \\| b |\n");
    let refused = Fate::Refused { why: "one only", unless: &["1", "[]"] };
    assert_eq!(row(refused), "| `n` | refused | one only (`1` or `[]` passes) |\n");
}
