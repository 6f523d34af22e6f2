//! The chart `charts/pillion`: what it renders, refuses and says, by real Helm; and what a real API
//! server makes of it, from `helm install` to `helm uninstall`.
//!
//! [`values`] is about its values, schema and README, [`rendered`] about what comes out of them,
//! [`release`] about a release's life, [`test_pod`] about what `helm test` starts. `e2e::installed` starts the controller and the gateway as the
//! chart does.

mod release;
mod rendered;
mod test_pod;
mod values;

use std::fs;
use std::path::{Path, PathBuf};

/// The cases of tests/fixtures/chart, by name.
pub(crate) fn cases() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Values of a case.
pub(crate) fn fixture(case: &str) -> String {
    format!("--values={}", folder().join(case).join("values.yaml").display())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chart")
}
