//! The chart `charts/pillion`: what it renders, refuses and says, by real Helm; and what a real API
//! server makes of it, from `helm install` to `helm uninstall`.
//!
//! [`values`] is about its values, schema and README, [`rendered`] about what comes out of them,
//! [`release`] about a release's life. `e2e::installed` starts the controller and the gateway as the
//! chart does.

mod release;
mod rendered;
mod values;

use std::path::Path;

/// Values of a case.
fn fixture(case: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/chart");
    format!("--values={}", folder.join(case).join("values.yaml").display())
}
