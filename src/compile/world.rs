//! The inputs of a compile run, as plain values.

use std::collections::BTreeMap;

use crate::api::{LlmRoute, ProviderSecret};
use crate::secret::{Secret, SecretError};

/// Everything that a table is made of. Objects' order does not matter; of two objects with the
/// same kind, namespace and name the caller keeps one.
#[derive(Debug, Default)]
pub struct World {
    /// The routes.
    pub routes: Vec<LlmRoute>,
    /// The providers.
    pub providers: Vec<ProviderSecret>,
    /// Key material by namespace, Secret name and key.
    pub secrets: BTreeMap<(String, String), BTreeMap<String, Result<Secret, SecretError>>>,
    /// Labels by namespace, for `allowedRoutes` selectors; a namespace that is not here has the
    /// one label that Kubernetes gives each, `kubernetes.io/metadata.name`.
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// What `workloads` selectors mean here.
    pub workloads: Workloads,
}

/// Are `workloads` selectors decided before the world is made, or have no meaning here?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Workloads {
    /// The routes given are those of this pod already.
    #[default]
    Selected,
    /// There are no pods (file mode): selectors are ignored, with a note.
    Ignored,
}
