//! Who talks to the API server, and as whom: clients, kubeconfigs, ServiceAccounts and their tokens.
//!
//! A `kube::Client` belongs to the runtime in which it was made, and each test has one of its own:
//! so clients are made anew for whoever asks.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::Context;
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, ServiceAccount};
use kube::api::{ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, Resource, ResourceExt};
use serde_json::{Value, json};

use crate::certificates::{Authority, CA, Identity, User};
use crate::cluster::Cluster;
use crate::folder::Folder;

/// What every pod has unless it names another.
const DEFAULT: &str = "default";

/// In seconds: longer than anybody keeps a cluster of this kind.
const WEEK: i64 = 7 * 24 * 3600;

/// The administrator's and the controller manager's ways in.
#[derive(Debug)]
pub(crate) struct Access {
    url: String,
    authority: PathBuf,
    signer: Authority,
    admin: Config,
    admin_file: PathBuf,
    controller_manager: PathBuf,
}

/// A token to ask the API server for.
#[derive(Debug, Clone, Copy)]
pub struct TokenWish<'a> {
    /// Of the ServiceAccount.
    pub namespace: &'a str,
    /// Whose token it is.
    pub service_account: &'a str,
    /// The token is good for as long as this pod is there. Its `metadata.uid` must be set.
    pub pod: Option<&'a Pod>,
    /// Whom it is for; the API server itself, if nobody is named.
    pub audience: Option<&'a str>,
    /// How long it is good for. The API server gives none for less than 600.
    pub seconds: i64,
}

// === impl Cluster ===

impl Cluster {
    /// A client that may do everything.
    ///
    /// # Errors
    /// Never, once the cluster has started.
    pub fn client(&self) -> anyhow::Result<Client> {
        self.access.client()
    }

    /// A kubeconfig file that may do everything.
    pub fn kubeconfig(&self) -> &Path {
        &self.access.admin_file
    }

    /// Makes a namespace with a name that nobody else has, and its ServiceAccount `default`.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn namespace(&self) -> anyhow::Result<String> {
        let metadata = ObjectMeta { generate_name: Some("test-".to_owned()), ..Default::default() };
        let namespace = Namespace { metadata, ..Default::default() };
        let made = Api::all(self.client()?).create(&PostParams::default(), &namespace).await?;
        let name = made.name_any();
        self.service_account(&name, DEFAULT).await?;
        Ok(name)
    }

    /// Makes a ServiceAccount unless it is there.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn service_account(&self, namespace: &str, name: &str) -> anyhow::Result<()> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client()?, namespace);
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..Default::default() };
        let account = ServiceAccount { metadata, ..Default::default() };
        match accounts.create(&PostParams::default(), &account).await {
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            made => made.map(|_| ()).with_context(|| format!("making {namespace}/{name}")),
        }
    }

    /// A token of a ServiceAccount.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn token(&self, wish: TokenWish<'_>) -> anyhow::Result<String> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client()?, wish.namespace);
        let request = TokenRequest { spec: wish.spec(), ..Default::default() };
        let answer = accounts
            .create_token_request(wish.service_account, &PostParams::default(), &request)
            .await?;
        Ok(answer.status.context("a token without status")?.token)
    }

    /// A client that is a ServiceAccount, by a token that is good for a week.
    ///
    /// # Errors
    /// When there is no such ServiceAccount.
    pub async fn service_account_client(
        &self,
        namespace: &str,
        name: &str,
    ) -> anyhow::Result<Client> {
        let kubeconfig = self.access.kubeconfig(self.token_user(namespace, name).await?);
        Ok(Client::try_from(config(kubeconfig).await?)?)
    }

    /// A kubeconfig file that is a ServiceAccount, by a token that is good for a week.
    ///
    /// # Errors
    /// When there is no such ServiceAccount.
    pub async fn service_account_kubeconfig(
        &self,
        namespace: &str,
        name: &str,
    ) -> anyhow::Result<PathBuf> {
        let kubeconfig = self.access.kubeconfig(self.token_user(namespace, name).await?);
        self.folder.write(&format!("{namespace}-{name}.kubeconfig"), &kubeconfig.to_string())
    }

    /// Runs kubectl as the administrator.
    ///
    /// # Errors
    /// When it cannot be started. What it says itself is in the output.
    pub async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.control_plane.tools().kubectl);
        command
            .arg(format!("--kubeconfig={}", self.kubeconfig().display()))
            .arg(format!("--cache-dir={}", self.folder.file("kubectl")))
            .args(arguments)
            .stdin(Stdio::null());
        // Whoever runs this may be the one that serves a webhook.
        let output = tokio::task::spawn_blocking(move || command.output()).await?;
        output.context("cannot start kubectl")
    }

    /// Whether the controller manager has shown that it works.
    pub(crate) async fn has_controllers(&self) -> anyhow::Result<bool> {
        let published: Api<ConfigMap> = Api::namespaced(self.client()?, DEFAULT);
        Ok(published.get_opt("kube-root-ca.crt").await?.is_some())
    }

    async fn token_user(&self, namespace: &str, name: &str) -> anyhow::Result<Value> {
        let wish = TokenWish {
            namespace,
            service_account: name,
            pod: None,
            audience: None,
            seconds: WEEK,
        };
        Ok(json!({"token": self.token(wish).await?}))
    }
}

// === impl TokenWish ===

impl TokenWish<'_> {
    fn spec(&self) -> TokenRequestSpec {
        let bound = |pod: &Pod| BoundObjectReference {
            api_version: Some(Pod::api_version(&()).into_owned()),
            kind: Some(Pod::kind(&()).into_owned()),
            name: pod.metadata.name.clone(),
            uid: pod.metadata.uid.clone(),
        };
        TokenRequestSpec {
            audiences: self.audience.iter().map(|audience| (*audience).to_owned()).collect(),
            bound_object_ref: self.pod.map(bound),
            expiration_seconds: Some(self.seconds),
        }
    }
}

// === impl Access ===

impl Access {
    pub(crate) async fn create(
        url: String,
        signer: Authority,
        folder: &Folder,
    ) -> anyhow::Result<Self> {
        let admin = User { name: "admin", group: Some("system:masters") };
        let admin = by_certificate(&signer.client(admin, folder)?);
        let manager = User { name: "system:kube-controller-manager", group: None };
        let manager = by_certificate(&signer.client(manager, folder)?);
        let authority = folder.path().join(CA);
        let admin = kubeconfig(&url, &authority, admin);
        let manager = kubeconfig(&url, &authority, manager);
        Ok(Self {
            admin_file: folder.write("admin.kubeconfig", &admin.to_string())?,
            controller_manager: folder.write("manager.kubeconfig", &manager.to_string())?,
            admin: config(admin).await?,
            url,
            authority,
            signer,
        })
    }

    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        Client::try_from(self.admin.clone()).context("cannot make a client of the API server")
    }

    pub(crate) fn controller_manager(&self) -> &Path {
        &self.controller_manager
    }

    /// A kubeconfig file that is `user`, by a certificate.
    pub(crate) fn kubeconfig_of(&self, user: User<'_>, folder: &Folder) -> anyhow::Result<PathBuf> {
        let kubeconfig = self.kubeconfig(by_certificate(&self.signer.client(user, folder)?));
        let name = format!("{}.kubeconfig", user.name.replace(':', "-"));
        folder.write(&name, &kubeconfig.to_string())
    }

    fn kubeconfig(&self, user: Value) -> Value {
        kubeconfig(&self.url, &self.authority, user)
    }
}

fn by_certificate(identity: &Identity) -> Value {
    json!({"client-certificate": identity.certificate, "client-key": identity.key})
}

fn kubeconfig(url: &str, authority: &Path, user: Value) -> Value {
    let cluster = json!({"server": url, "certificate-authority": authority});
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": user}],
    })
}

async fn config(kubeconfig: Value) -> anyhow::Result<Config> {
    let kubeconfig: Kubeconfig = serde_json::from_value(kubeconfig)?;
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    // Whatever the environment says: the API server is on loopback.
    config.proxy_url = None;
    Ok(config)
}
