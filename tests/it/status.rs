//! `docs/status.md` says each condition and reason that there is, as the code says them.

use std::fmt::Write;
use std::path::Path;

use pillion::api::conditions::ConditionType;

const BEFORE: &str = "\
# Status

What the controller says of an LlmRoute and of a ProviderSecret, and what to do about it. `kubectl
get llmroutes,providersecrets` shows the essence, `-o wide` adds one line of why, `kubectl describe`
shows it whole; `pillion status` shows the same for people, with the remedies, and ends with exit
code 1 if anything is not well.

All conditions are positive: `True` is good. `observedGeneration` says which `metadata.generation`
was judged; while it is not the object's own, the controller has not seen the last change yet. A
message has one line for each fault, the first eight: the field, what is wrong, and `Remedy:`.

";

const AFTER: &str = "
## Who is counted

`status.sidecars` counts sidecars that are connected and whose pod the route selects. One is
`programmed` when it has applied the bundle that its pod is to have now and does not hold the route
back. With several replicas of the controller it is the holder of the lease that writes; the others
report their sidecars to it, and a pod counts once, whichever of them it is connected to. What a
replica said last counts for five seconds after it has gone. For 15 seconds after another replica
has begun to write, fewer sidecars than an object tells of are not written: they are on their way.

## Who writes, and when

The replica that holds the Lease `pillion-controller` in the controller's namespace; at most 20
objects a second, and an object only where something other than its date would change. Conditions of
other writers are left alone: server-side apply, field manager `pillion-controller`. A replica that
ends gives the lease back, and the next one has it within two seconds; one that is killed is
succeeded after 15 seconds. Sidecars are served by all replicas all the time: routing does not wait
for a lease.

Events tell what somebody must act on, once for each change of reason: `Invalid`, `Undecodable`, every
reason of `ResolvedRefs` that is `False`, `Rejected`; and on the Lease `WatchForbidden`, when RBAC does
not let the controller watch something.

What the controller must be allowed for this: `patch` on `llmroutes/status` and
`providersecrets/status`; `get` on both, for objects that cannot be read otherwise; `create` and
`patch` on `events.events.k8s.io`; `get`, `create` and `update` on `leases.coordination.k8s.io` in
its own namespace.
";

#[test]
fn the_page_has_every_condition_and_reason() {
    let mut page = BEFORE.to_owned();
    for of in ConditionType::ALL {
        writeln!(page, "## {}\n\n{}\n", of.as_str(), of.question()).unwrap();
        writeln!(page, "| reason | status | meaning | what to do |\n|---|---|---|---|").unwrap();
        for words in of.reasons() {
            let (reason, status, meaning) = (words.reason, words.status, words.meaning.trim());
            writeln!(page, "| `{reason}` | {status} | {meaning} | {} |", words.remedy).unwrap();
        }
        page.push('\n');
    }
    let page = page.trim_end().to_owned() + "\n" + AFTER;
    super::bless::check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/status.md"), &page);
}

#[test]
fn reasons_are_words_of_their_own() {
    let mut seen = std::collections::BTreeSet::new();
    for words in ConditionType::ALL.iter().flat_map(|of| of.reasons()) {
        assert!(seen.insert(words.reason), "{} stands in two lists", words.reason);
        assert!(words.meaning.trim().ends_with('.') && !words.remedy.ends_with('.'));
        let good = words.status == "True";
        assert!(good || words.status == "False", "{}", words.reason);
    }
}
