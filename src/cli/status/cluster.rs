//! Asks the API server for the objects, and says what to do where that fails.
//!
//! Objects are read as JSON and not as types, so that one that cannot be decoded is shown as well.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, anyhow};
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::StatusArgs;
use super::view::View;
use crate::api::{LlmRoute, ProviderSecret};
use crate::telemetry::causes;

/// So many objects at once.
const PAGE: u32 = 500;
/// An API server that takes longer is not there.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where is looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// One namespace.
    Namespace(String),
    /// All.
    All,
}

/// Both kinds, by namespace and name, routes first.
pub(super) async fn look(args: &StatusArgs) -> anyhow::Result<(Scope, Vec<View>)> {
    let config = config(args).await?;
    let scope = match (args.all_namespaces, &args.namespace) {
        (true, _) => Scope::All,
        (false, Some(namespace)) => Scope::Namespace(namespace.clone()),
        (false, None) => Scope::Namespace(config.default_namespace.clone()),
    };
    let url = config.cluster_url.to_string();
    let client = Client::try_from(config).context("the kubeconfig cannot be used")?;
    let mut views = Vec::new();
    for resource in [ApiResource::erase::<LlmRoute>(&()), ApiResource::erase::<ProviderSecret>(&())]
    {
        let listed = tokio::time::timeout(PATIENCE, list(&client, &scope, &resource)).await;
        let listed = listed.map_err(|_| unreachable_at(&url, "it does not answer"))?;
        let objects = listed.map_err(|error| explained(error, &scope, &resource, &url))?;
        views.extend(objects.iter().map(View::of));
    }
    Ok((scope, views))
}

async fn config(args: &StatusArgs) -> anyhow::Result<Config> {
    let options = KubeConfigOptions { context: args.context.clone(), ..Default::default() };
    let config = match (&args.kubeconfig, &args.context) {
        (Some(file), _) => {
            let kubeconfig = Kubeconfig::read_from(file)?;
            Config::from_custom_kubeconfig(kubeconfig, &options).await?
        }
        (None, Some(_)) => Config::from_kubeconfig(&options).await?,
        (None, None) => Config::infer().await.context(
            "there is no kubeconfig, and this is no pod: set KUBECONFIG, or give --kubeconfig",
        )?,
    };
    Ok(config)
}

async fn list(
    client: &Client,
    scope: &Scope,
    resource: &ApiResource,
) -> Result<Vec<DynamicObject>, kube::Error> {
    let api: Api<DynamicObject> = match scope {
        Scope::All => Api::all_with(client.clone(), resource),
        Scope::Namespace(name) => Api::namespaced_with(client.clone(), name, resource),
    };
    let mut objects = Vec::new();
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&parameters).await?;
        objects.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok(objects),
        }
    }
}

/// What went wrong, and what to do.
pub(super) fn explained(
    error: kube::Error,
    scope: &Scope,
    resource: &ApiResource,
    url: &str,
) -> anyhow::Error {
    let name = format!("{}.{}", resource.plural, resource.group);
    let code = match &error {
        kube::Error::Api(status) => status.code,
        _ => 0,
    };
    match (code, &error) {
        (401, _) => anyhow!(
            "the cluster at {url} does not know who you are: log in again, or give --context"
        ),
        (403, _) => anyhow!(
            "access is forbidden: RBAC must allow you the verb `list` on the resource `{name}` {}",
            scope.for_rbac()
        ),
        (404, _) => anyhow!(
            "the cluster at {url} does not know {name}: install the definitions with \
             `pillion crds | kubectl apply -f -`"
        ),
        (0, kube::Error::Service(_) | kube::Error::HyperError(_)) => {
            unreachable_at(url, &innermost(&error))
        }
        _ => anyhow::Error::new(error).context(format!("{name} cannot be listed at {url}")),
    }
}

fn unreachable_at(url: &str, why: &str) -> anyhow::Error {
    anyhow!(
        "no cluster can be reached at {url} ({why}): is it up? KUBECONFIG, --kubeconfig and \
         --context say which one is meant"
    )
}

/// The innermost cause says most.
fn innermost(error: &kube::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

// === impl Scope ===

impl Scope {
    fn for_rbac(&self) -> String {
        match self {
            Self::Namespace(name) => {
                format!("in namespace {name} (a Role or a ClusterRole, and a binding)")
            }
            Self::All => "in all namespaces (a ClusterRole and a ClusterRoleBinding); or look at \
                          one with -n NAMESPACE"
                .to_owned(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(name) => write!(f, "namespace {name}"),
            Self::All => f.write_str("any namespace"),
        }
    }
}
