//! What Helm makes of the chart.

use std::sync::LazyLock;

use kube::api::DynamicObject;
use pillion_cluster::{Helm, documents};

/// Helm before no cluster.
pub(crate) static HELM: LazyLock<Helm> =
    LazyLock::new(|| Helm::find().unwrap_or_else(|error| panic!("{error:#}")));

/// The chart's objects, for a release `pillion` in this namespace.
#[track_caller]
pub(crate) fn rendered(namespace: &str, more: &[&str]) -> String {
    HELM.template(namespace, more).unwrap_or_else(|error| panic!("{error:#}"))
}

/// The same, read.
#[track_caller]
pub(crate) fn objects(more: &[&str]) -> Vec<DynamicObject> {
    documents(&rendered("pillion-system", more)).unwrap()
}

/// Why Helm makes nothing of these values.
#[track_caller]
pub(crate) fn refused(more: &[&str]) -> String {
    match HELM.template("pillion-system", more) {
        Ok(rendered) => panic!("{more:?} is not refused: {rendered}"),
        Err(error) => error.to_string(),
    }
}
