//! A verdict and a tally as conditions. Pure: the date is handed in.
//!
//! Invariants: the reason follows from what faults are about ([`Subject`]), never from their words;
//! `lastTransitionTime` changes exactly where `status` does; `observedGeneration` is that of the
//! object that was judged.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::message;
use super::tally::Tally;
use crate::api::conditions::{AcceptedReason, ProgrammedReason, ResolvedRefsReason, Words};
use crate::api::{LlmRouteStatus, ProviderSecretStatus, SidecarsStatus};
use crate::compile::{Fault, Severity, Subject};

/// What was said before, and the circumstances of saying it anew.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before<'a> {
    /// The conditions that the object has.
    pub(super) conditions: &'a [Condition],
    /// The generation that is judged.
    pub(super) generation: Option<i64>,
    /// The date.
    pub(super) now: &'a Time,
}

/// A condition without its dates.
struct Said {
    words: Words,
    message: String,
}

/// The status of a route.
pub(super) fn route(faults: &[Fault], tally: &Tally, before: Before<'_>) -> LlmRouteStatus {
    let said = [accepted(faults), resolved(faults), programmed(tally)];
    let fine = format!("{} of {} sidecars run it", tally.programmed, tally.total);
    LlmRouteStatus {
        summary: Some(summary(&said, fine)),
        conditions: said.into_iter().map(|said| said.dated(before)).collect(),
        sidecars: Some(SidecarsStatus::of(tally.programmed, tally.total)),
    }
}

/// The status of a provider.
pub(super) fn provider(
    faults: &[Fault],
    routes: usize,
    before: Before<'_>,
) -> ProviderSecretStatus {
    let said = [accepted(faults), resolved(faults)];
    let routes = u32::try_from(routes).unwrap_or(u32::MAX);
    let fine = match routes {
        0 => "no route names it".to_owned(),
        1 => "1 route names it".to_owned(),
        _ => format!("{routes} routes name it"),
    };
    ProviderSecretStatus {
        summary: Some(summary(&said, fine)),
        conditions: said.into_iter().map(|said| said.dated(before)).collect(),
        routes: Some(routes),
    }
}

/// The one condition of what cannot be read, and its summary.
pub(super) fn undecodable(message: &str, before: Before<'_>) -> (Condition, String) {
    let said = with_remedy(AcceptedReason::Undecodable.words(), message);
    let summary = summary(std::slice::from_ref(&said), String::new());
    (said.dated(before), summary)
}

fn accepted(faults: &[Fault]) -> Said {
    let about = |severity, subject| -> Vec<&Fault> {
        faults.iter().filter(|f| f.severity == severity && f.subject == subject).collect()
    };
    let errors = about(Severity::Error, Subject::Spec);
    let shadows = about(Severity::Warning, Subject::Shadow);
    let warnings = about(Severity::Warning, Subject::Spec);
    let (reason, told) = match (errors.is_empty(), shadows.is_empty()) {
        (false, _) => (AcceptedReason::Invalid, errors),
        (true, false) => (AcceptedReason::Shadowed, shadows),
        (true, true) => (AcceptedReason::Accepted, warnings),
    };
    let message = match told.is_empty() {
        true => "nothing is wrong with it".to_owned(),
        false => message::of_faults(&told),
    };
    Said { words: reason.words(), message }
}

fn resolved(faults: &[Fault]) -> Said {
    let errors = faults.iter().filter(|fault| fault.severity == Severity::Error);
    let mut told: Vec<(ResolvedRefsReason, &Fault)> =
        errors.filter_map(|fault| Some((unresolved(fault.subject)?, fault))).collect();
    // Of several reasons the one that comes first in the list is given, whatever the rules' order.
    told.sort_by_key(|(reason, _)| *reason);
    let reason = told.first().map_or(ResolvedRefsReason::ResolvedRefs, |(reason, _)| *reason);
    let faults: Vec<&Fault> = told.into_iter().map(|(_, fault)| fault).collect();
    let message = match faults.is_empty() {
        true => "everything that it names is there".to_owned(),
        false => message::of_faults(&faults),
    };
    Said { words: reason.words(), message }
}

fn unresolved(subject: Subject) -> Option<ResolvedRefsReason> {
    match subject {
        Subject::Provider => Some(ResolvedRefsReason::ProviderNotFound),
        Subject::Grant => Some(ResolvedRefsReason::RefNotPermitted),
        Subject::Dependency => Some(ResolvedRefsReason::ProviderNotUsable),
        Subject::Key => Some(ResolvedRefsReason::KeyNotUsable),
        Subject::Spec | Subject::Shadow => None,
    }
}

fn programmed(tally: &Tally) -> Said {
    let Tally { total, programmed, .. } = *tally;
    let ran = format!("{programmed} of {total} sidecars run it");
    if tally.rejected.count > 0 {
        let (count, first, why) = (tally.rejected.count, &tally.rejected.first, &tally.why);
        let what = format!("{ran}; {count} cannot read what was sent, such as pod {first}: {why}");
        return with_remedy(ProgrammedReason::Rejected.words(), &what);
    }
    if tally.held.count > 0 {
        let (count, first) = (tally.held.count, &tally.held.first);
        let what = format!("{ran}; {count} hold on to an earlier version, such as pod {first}");
        return with_remedy(ProgrammedReason::LastGoodKept.words(), &what);
    }
    match (total, tally.pending()) {
        (0, _) => with_remedy(
            ProgrammedReason::NoSidecars.words(),
            "no sidecar that the route selects is connected",
        ),
        (_, 0) => Said { words: ProgrammedReason::Programmed.words(), message: ran },
        (_, pending) => {
            let what = format!("{ran}; {pending} have not answered yet");
            with_remedy(ProgrammedReason::Pending.words(), &what)
        }
    }
}

fn with_remedy(words: Words, what: &str) -> Said {
    Said { words, message: message::with_remedy(what, words.remedy) }
}

/// The first thing that is wrong; else the first that is odd; else what is fine.
fn summary(said: &[Said], fine: String) -> String {
    let bad = said.iter().find(|said| said.words.status != "True");
    let shadowed = AcceptedReason::Shadowed.words().reason;
    let odd = || said.iter().find(|said| said.words.reason == shadowed);
    let text = match bad.or_else(odd) {
        Some(said) => {
            let line = said.message.lines().next().unwrap_or_default();
            format!("{}: {}", said.words.reason, message::parse(line).0)
        }
        None => fine,
    };
    message::cut(&text, message::SUMMARY)
}

// === impl Said ===

impl Said {
    fn dated(self, before: Before<'_>) -> Condition {
        let Words { of, reason, status, .. } = self.words;
        let mut same = before.conditions.iter().filter(|c| c.type_ == of.as_str());
        let same = same.find(|condition| condition.status == status);
        Condition {
            last_transition_time: same.map_or(before.now, |c| &c.last_transition_time).clone(),
            message: self.message,
            observed_generation: before.generation,
            reason: reason.to_owned(),
            status: status.to_owned(),
            type_: of.as_str().to_owned(),
        }
    }
}
