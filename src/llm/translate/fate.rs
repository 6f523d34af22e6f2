//! What becomes of each field of a request, pair by pair: the table by which requests are refused,
//! `explain` speaks and docs/translation.md is written.

use std::collections::HashSet;

use super::Refused;
use super::conversation::Conversation;

/// One field of the caller's dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// As the dialect's reference calls it: `response_format`, `messages[].content[].image_url`.
    pub field: &'static str,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It arrives, under this name.
    Carried(&'static str),
    /// It arrives as something near: how.
    Approximated(&'static str),
    /// It is left out, which is harmless: why.
    Dropped(&'static str),
    /// 400: why, and what to do instead. The values that change nothing pass: null, and these.
    Refused {
        /// For the caller.
        why: &'static str,
        /// JSON texts: `1`, `false`, `[]`.
        unless: &'static [&'static str],
    },
}

/// Settles what has no place in a conversation: refused fields are errors, carried ones stay in
/// `others` for the writer to copy as they are, the rest go. Of one that is given twice, nobody
/// knows which one counts.
///
/// # Errors
/// [`Refused`].
pub(super) fn apply(table: &'static [Row], said: &mut Conversation) -> Result<(), Refused> {
    let mut seen = HashSet::new();
    for (name, value) in &said.others {
        if !seen.insert(name) {
            return Err(Refused::new(name.clone(), "it is given twice; send it once"));
        }
        if let Some(Fate::Refused { why, unless }) = fate(table, name)
            && !unless.contains(&value.get())
        {
            return Err(Refused::new(name.clone(), why));
        }
    }
    said.others.retain(|(name, _)| is_copied(table, name));
    Ok(())
}

/// Is it copied under the same name? What no table knows is not: it may mean something else there.
fn is_copied(table: &[Row], name: &str) -> bool {
    matches!(fate(table, name), Some(Fate::Carried(same)) if same == name)
}

fn fate(table: &[Row], name: &str) -> Option<Fate> {
    table.iter().find(|row| row.field == name).map(|row| row.fate)
}
