//! What the chart makes for the controllers of a stage: their account, their roles, and the webhook's
//! configuration.

use std::path::PathBuf;

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
    /// Makes the account and the roles, and returns them.
    pub(super) async fn rbac(self, cluster: &Cluster) -> String {
        let rbac = self.rendered("rbac");
        cluster.apply(self.system, &rbac).await.unwrap();
        rbac
    }

    /// Tells the API server of the webhook, which it cannot reach: nobody is behind a Service.
    /// Returns the file that says what sidecars are to be.
    pub(super) async fn webhook(self, cluster: &Cluster) -> PathBuf {
        cluster.apply(self.system, &self.rendered("webhook")).await.unwrap();
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
