//! What the chart makes for the controllers of a stage: their account, their roles, and the webhook's
//! configuration.

use std::path::PathBuf;

use kube::api::DynamicObject;
use pillion_cluster::{Cluster, documents};

use crate::support::helm;

/// The controllers' ServiceAccount.
pub(super) const ACCOUNT: &str = "pillion";

/// The chart for a stage.
#[derive(Clone, Copy)]
pub(super) struct Installation<'a> {
    pub(super) namespace: &'a str,
    pub(super) system: &'a str,
    pub(super) watches: Watches,
}

/// What controllers watch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Watches {
    /// The stage's own namespace.
    Some,
    /// All namespaces.
    All,
}

impl Installation<'_> {
    /// The account and the roles.
    pub(super) fn rbac(self) -> String {
        self.rendered("rbac")
    }

    /// The webhook's configuration.
    pub(super) fn configuration(self) -> DynamicObject {
        documents(&self.rendered("webhook")).unwrap().remove(0)
    }

    /// The file that says what sidecars are to be.
    pub(super) fn settings(self, cluster: &Cluster) -> PathBuf {
        let map = &documents(&self.rendered("injection")).unwrap()[0];
        let file = map.data["data"]["injection.yaml"].as_str().unwrap();
        cluster.write(&format!("{}-injection.yaml", self.system), file).unwrap()
    }

    fn rendered(self, template: &str) -> String {
        let only = format!("--show-only=templates/controller/{template}.yaml");
        let watched = format!("--set=watchNamespaces={{{}}}", self.namespace);
        let wishes = [only.as_str(), watched.as_str()];
        match self.watches {
            Watches::Some => helm::rendered(self.system, &wishes),
            Watches::All => helm::rendered(self.system, &wishes[..1]),
        }
    }
}
