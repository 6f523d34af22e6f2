//! Manifests looked at without serving them: read, given keys, compiled, and every finding in the
//! order of files and lines. What `check` and `explain` begin with.

use std::path::{Path, PathBuf};

use clap::Args;

use super::keys;
use super::options::SourceArgs;
use crate::compile::{ObjectId, Severity, compile};
use crate::feed::{Finding, Folder};
use crate::table::Table;

/// Which manifests, and which keys.
#[derive(Debug, Clone, Args)]
pub(super) struct SurveyArgs {
    /// The folder (or file) with LlmRoute, ProviderSecret and Secret manifests
    #[arg(value_name = "DIR")]
    manifests: PathBuf,

    #[command(flatten)]
    source: SourceArgs,

    /// Assume that every key that is referred to exists; for manifests whose Secrets are elsewhere
    ///
    /// Each missing key is taken to be NAMESPACE/SECRET/KEY: a caller with a client key of a route
    /// is one that sends this text.
    #[arg(long)]
    no_keys: bool,
}

/// What the manifests come to.
#[derive(Debug)]
pub(super) struct Survey {
    /// The objects that have a name, broken or not.
    pub(super) objects: Vec<ObjectId>,
    /// By file, line and column; those that stand in no file come last.
    pub(super) findings: Vec<Finding>,
    /// The table: of a broken folder, of the part that can be read.
    pub(super) table: Table,
    /// What a proxy would do with it.
    pub(super) fate: Fate,
}

/// What a proxy would do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Run it.
    Runs,
    /// Run it at the start; but one that runs another keeps that.
    RunsAtStart,
    /// Never run it.
    Rejected,
}

/// Reads and compiles.
///
/// # Errors
/// When a key cannot be had from the environment.
pub(super) fn take(args: &SurveyArgs) -> anyhow::Result<Survey> {
    let given = keys::given(&args.source.keys)?;
    let mut manifests = Folder::new(args.manifests.as_path(), given).read();
    if args.no_keys {
        keys::assume(&mut manifests.world);
    }
    let compiled = compile(&manifests.world);
    let broken = manifests.is_broken();
    let invalid = compiled.faults.iter().any(|fault| fault.keeps_last_good());
    let fate = match (broken, invalid) {
        (true, _) => Fate::Rejected,
        (false, true) => Fate::RunsAtStart,
        (false, false) => Fate::Runs,
    };
    let mut findings = manifests.findings;
    let faults = compiled.faults.into_iter();
    findings.extend(faults.map(|fault| manifests.sources.finding(fault)));
    let objects: Vec<_> = manifests.sources.objects().cloned().collect();
    if objects.is_empty() && findings.is_empty() {
        findings.push(nothing(&args.manifests));
    }
    // Stable: what stands in one place stays in the order in which it was found.
    findings.sort_by_key(|finding| (finding.place.is_none(), finding.place.clone()));
    Ok(Survey { objects, findings, table: compiled.table, fate })
}

fn nothing(folder: &Path) -> Finding {
    Finding {
        place: None,
        object: None,
        path: String::new(),
        severity: Severity::Warning,
        message: format!("there is no manifest in {}", folder.display()),
        remedy: "give the folder that holds LlmRoute and ProviderSecret manifests".to_owned(),
    }
}

// === impl Survey ===

impl Survey {
    /// How many findings are of this severity.
    pub(super) fn count(&self, severity: Severity) -> usize {
        let of_it = |finding: &&Finding| finding.severity == severity;
        self.findings.iter().filter(of_it).count()
    }
}
