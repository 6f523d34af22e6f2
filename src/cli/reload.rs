//! From manifests, or from bundles, to the running table, and what is said about it.
//!
//! The one rule for manifests: a reading with an error in it never replaces a good table. Only when
//! there is none yet does the part that is right begin to serve: a rule with an error refuses its
//! calls. Of a bundle, which is all that a controller has to say, each object is judged by itself:
//! one whose edit is bad goes on as it was.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::compile::hold::{Onto, compile_onto};
use crate::compile::{Fault, Severity, World, compile};
use crate::feed::{Files, Finding, Manifests, Sources};
use crate::proxy::RunningTable;
use crate::proxy::metrics::Metrics;
use crate::table::Table;
use crate::telemetry;

/// Puts tables into service.
#[derive(Debug)]
pub(super) struct Reloader {
    table: RunningTable,
    metrics: Metrics,
}

/// What came of a reading.
#[derive(Debug)]
pub(super) struct Reloaded {
    /// `applied`, `unchanged` or `rejected`.
    pub(super) result: &'static str,
    /// Everything that is wrong, or worth knowing.
    pub(super) findings: Vec<Finding>,
}

/// Waits for a change of the files and reads them; `None` if that failed, which is logged.
pub(super) async fn next(files: &mut Files) -> Option<Manifests> {
    files.changed().await;
    let folder = files.folder().clone();
    // Reading blocks on the file system, which may be slow; probes must be answered meanwhile.
    let read = tokio::task::spawn_blocking(move || folder.read()).await;
    read.inspect_err(|error| tracing::error!(%error, "the manifests could not be read")).ok()
}

// === impl Reloader ===

impl Reloader {
    pub(super) fn new(table: RunningTable, metrics: Metrics) -> Self {
        Self { table, metrics }
    }

    /// Compiles what was read, and lets it run if it may.
    pub(super) fn apply(&self, manifests: Manifests) -> Reloaded {
        let unreadable = manifests.is_broken();
        let compiled = compile(&manifests.world);
        let invalid = compiled.faults.iter().any(Fault::keeps_last_good);
        let faults = (manifests.findings, compiled.faults);
        let findings = self.report(faults, &manifests.sources);
        let running = self.table.load_full();
        let result = match running {
            // Without what cannot be read, the rest may well come to the table that runs.
            Some(_) | None if unreadable => "rejected",
            Some(running) if running.version == compiled.table.version => "unchanged",
            Some(_) if invalid => "rejected",
            Some(_) | None => self.run(compiled.table),
        };
        self.metrics.reloads.with_label_values(&[result]).inc();
        self.say(result);
        Reloaded { result, findings }
    }

    /// Lets the world of a bundle run, with those objects of `before` whose edits are bad.
    pub(super) fn take(&self, world: World, before: Option<&World>) -> Onto {
        let mut onto = compile_onto(world, before);
        let faults = std::mem::take(&mut onto.compiled.faults);
        self.report((Vec::new(), faults), &Sources::default());
        let result = self.run(std::mem::take(&mut onto.compiled.table));
        self.metrics.reloads.with_label_values(&[result]).inc();
        self.say(result);
        onto
    }

    /// A bundle came that changes nothing, or cannot be read, which is told where it came in.
    pub(super) fn pass_over(&self, result: &'static str) {
        self.metrics.reloads.with_label_values(&[result]).inc();
    }

    /// Logs and counts what is wrong.
    fn report(
        &self,
        (mut findings, faults): (Vec<Finding>, Vec<Fault>),
        sources: &Sources,
    ) -> Vec<Finding> {
        findings.extend(faults.into_iter().map(|fault| sources.finding(fault)));
        // Causes before consequences: files, Secrets, providers, then the routes that need them.
        findings.sort_by_key(|finding| {
            let kind = finding.object.as_ref().map(|object| object.kind);
            (kind.is_some(), Reverse(kind))
        });
        findings.iter().for_each(report);
        self.count(&findings);
        findings
    }

    fn run(&self, table: Table) -> &'static str {
        self.metrics.table_info.reset();
        self.metrics.table_info.with_label_values(&[&table.version]).set(1.0);
        self.metrics.table_loaded.set(telemetry::unix_seconds());
        self.table.store(Some(Arc::new(table)));
        "applied"
    }

    fn count(&self, findings: &[Finding]) {
        for severity in [Severity::Error, Severity::Warning, Severity::Note] {
            let count = findings.iter().filter(|finding| finding.severity == severity).count();
            let gauge = self.metrics.manifest_faults.with_label_values(&[severity.as_str()]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    fn say(&self, result: &str) {
        let running = self.table.load();
        let version = running.as_ref().map_or("none", |table| table.version.as_str());
        match result {
            "applied" => tracing::info!(version, "a new routing table runs"),
            "rejected" => tracing::error!(
                version,
                "the manifests have errors: the last good routing table stays (none: not ready)"
            ),
            _ => tracing::debug!(version, "the manifests say what runs already"),
        }
    }
}

fn report(finding: &Finding) {
    let place = finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
    let object = finding.object.as_ref().map(ToString::to_string).unwrap_or_default();
    let (field, remedy) = (finding.path.as_str(), finding.remedy.as_str());
    let what = finding.message.as_str();
    match finding.severity {
        Severity::Error => tracing::error!(place, object, field, remedy, "{what}"),
        Severity::Warning => tracing::warn!(place, object, field, remedy, "{what}"),
        Severity::Note => tracing::info!(place, object, field, remedy, "{what}"),
    }
}
