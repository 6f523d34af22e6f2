//! Which version of an object runs after an edit: a world before, a world after, what is held, and
//! where calls go.

use super::*;
use crate::compile::hold::{Onto, compile_onto};

const PROVIDER: &str = "
ProviderSecret a/p:
  provider: Custom
  auth: { type: None }
  endpoints: [{ api: OpenAiChat, baseUrl: http://one/v1 }]
";

/// A header that no provider may set.
const BAD_PROVIDER: &str = "
ProviderSecret a/p:
  provider: Custom
  auth: { type: None }
  endpoints: [{ api: OpenAiChat, baseUrl: http://two/v1 }]
  headers: { set: { host: x } }
";

const GOOD_PROVIDER: &str = "
ProviderSecret a/p:
  provider: Custom
  auth: { type: None }
  endpoints: [{ api: OpenAiChat, baseUrl: http://three/v1 }]
";

const ROUTE: &str = "
LlmRoute a/r:
  rules: [{ name: first, targets: [{ provider: { name: p } }] }]
";

const GOOD_ROUTE: &str = "
LlmRoute a/r:
  rules: [{ name: second, targets: [{ provider: { name: p } }] }]
";

/// The most common of bad edits.
const TYPO: &str = "
LlmRoute a/r:
  rules: [{ name: typo, targets: [{ provider: { name: pp } }] }]
";

const OTHER: &str = "
LlmRoute a/other:
  rules: [{ name: other, matches: [{ model: other }], targets: [{ provider: { name: p } }] }]
";

/// The table's rules: `RULE -> UPSTREAM`, or `RULE refuses`.
fn rules(onto: &Onto) -> Vec<String> {
    let dump: serde_json::Value =
        serde_json::from_str(&crate::table::dump::text(&onto.compiled.table)).unwrap();
    let candidates = dump["candidates"].as_array().unwrap().iter();
    let mut rules: Vec<_> = candidates
        .map(|candidate| {
            let rule = candidate["rule"].as_str().unwrap();
            match candidate["targets"][0]["upstream"].as_str() {
                Some(upstream) => format!("{rule} -> {upstream}"),
                None => format!("{rule} refuses"),
            }
        })
        .collect();
    rules.sort();
    rules.dedup();
    rules
}

#[track_caller]
fn check_onto(before: Option<&World>, after: &[&str], held: &[&str], expected: &[&str]) -> World {
    let onto = compile_onto(world(&after.concat()), before);
    assert_eq!(onto.held.iter().map(ToString::to_string).collect::<Vec<_>>(), held);
    assert_eq!(rules(&onto), expected);
    assert_eq!(onto.compiled.table.version, crate::compile::version_of(&onto.world));
    // What is wrong with an edit is told, also while it is not what runs.
    let bad = onto.compiled.faults.iter().filter(|fault| fault.keeps_last_good());
    let bad: Vec<String> = bad.map(|fault| fault.object.to_string()).collect();
    assert!(held.iter().all(|held| bad.iter().any(|bad| bad == held)), "{bad:?}");
    onto.world
}

#[test]
fn fault_34_each_object_keeps_its_own_last_good_version() {
    let (p, r) = ("ProviderSecret a/p", "LlmRoute a/r");
    let good = [PROVIDER, ROUTE, OTHER];
    let served = ["first -> one", "other -> one"];
    for (after, held, expected) in [
        (&[PROVIDER, ROUTE, OTHER][..], &[][..], &served[..]),
        (&[BAD_PROVIDER, ROUTE, OTHER], &[p], &served),
        (&[PROVIDER, TYPO, OTHER], &[r], &served),
        // The other objects move on.
        (&[GOOD_PROVIDER, TYPO, OTHER], &[r], &["first -> three", "other -> three"]),
        (&[BAD_PROVIDER, GOOD_ROUTE, OTHER], &[p], &["other -> one", "second -> one"]),
        (&[GOOD_PROVIDER, GOOD_ROUTE], &[], &["second -> three"]),
        // Two bad ones.
        (&[BAD_PROVIDER, TYPO, OTHER], &[r, p], &served),
        // Deleted is deleted, whoever still names it, edited or not.
        (&[ROUTE, OTHER], &[], &["first refuses", "other refuses"]),
        (&[GOOD_ROUTE, OTHER], &[], &["other refuses", "second refuses"]),
        (&[TYPO, OTHER], &[], &["other refuses", "typo refuses"]),
        (&[PROVIDER, OTHER], &[], &["other -> one"]),
        (&[], &[], &[]),
    ] {
        let before = world(&good.concat());
        check_onto(Some(&before), after, held, expected);
    }
}

#[test]
fn without_a_world_before_what_is_wrong_refuses() {
    check_onto(None, &[PROVIDER, TYPO, OTHER], &[], &["other -> one", "typo refuses"]);
    check_onto(None, &[BAD_PROVIDER, ROUTE], &[], &["first refuses"]);
}

#[test]
fn a_bad_edit_may_be_followed_by_any_other() {
    let before = check_onto(None, &[PROVIDER, ROUTE], &[], &["first -> one"]);
    let held = check_onto(Some(&before), &[PROVIDER, TYPO], &["LlmRoute a/r"], &["first -> one"]);
    // Held over a second bad edit, and let go by a good one.
    let held = check_onto(
        Some(&held),
        &[BAD_PROVIDER, TYPO],
        &["LlmRoute a/r", "ProviderSecret a/p"],
        &["first -> one"],
    );
    let mended = check_onto(Some(&held), &[GOOD_PROVIDER, GOOD_ROUTE], &[], &["second -> three"]);
    check_onto(Some(&mended), &[GOOD_PROVIDER, TYPO], &["LlmRoute a/r"], &["second -> three"]);
}

#[test]
fn a_bad_version_is_never_held() {
    let bad = check_onto(None, &[PROVIDER, TYPO], &[], &["typo refuses"]);
    let other_typo = TYPO.replace("pp", "ppp").replace("typo", "again");
    check_onto(Some(&bad), &[PROVIDER, &other_typo], &[], &["again refuses"]);
}

#[test]
fn fault_32_a_key_that_is_taken_away_is_no_bad_edit() {
    let keyed = "
ProviderSecret a/p:
  provider: OpenAi
  keys: [{ name: main, secretRef: { name: s, key: k } }]
";
    let edited = "
ProviderSecret a/p:
  provider: OpenAi
  keys: [{ name: main, secretRef: { name: s, key: k } }]
  headers: { set: { host: x } }
";
    let secret = "Secret a/s: { k: sk-1 }\n";
    let before = check_onto(None, &[keyed, ROUTE, secret], &[], &["first -> api.openai.com"]);
    check_onto(Some(&before), &[keyed, ROUTE], &[], &["first refuses"]);
    // Nor does a bad edit bring it back.
    let held = ["ProviderSecret a/p"];
    check_onto(Some(&before), &[edited, ROUTE], &held, &["first refuses"]);
}
