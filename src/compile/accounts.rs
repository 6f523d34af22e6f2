//! A provider's accounts, and what happens to the callers' own credentials.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::auth::Form;
use super::report::Report;
use super::{World, keys};
use crate::api::{ClientCredentialsSpec, ProviderSecretSpec};
use crate::name::ObjectName;
use crate::provider::{Keys, Preset};
use crate::secret::Secret;
use crate::table::{Account, ClientCredentials, Credential, ProviderKeys, Weighted};

/// What a provider's keys come to.
pub(super) enum KeyRing<'w> {
    /// None are declared.
    Empty,
    /// These can be used.
    Keys(Vec<(u32, Arc<str>, &'w Secret)>),
    /// Some are declared, and none can be used.
    Unusable,
}

/// Collects the usable keys; the share of the others goes to them.
pub(super) fn compile<'w>(
    world: &'w World,
    namespace: &ObjectName,
    spec: &ProviderSecretSpec,
    report: &mut Report<'_>,
) -> KeyRing<'w> {
    let mut names = BTreeSet::new();
    let mut usable = Vec::new();
    for (i, key) in spec.keys.iter().enumerate() {
        if !names.insert(&key.name) {
            let message = format!("there is another key called '{}'", key.name);
            report.error(format!("spec.keys[{i}].name"), message, "rename one of them");
            continue;
        }
        let path = format!("spec.keys[{i}].secretRef");
        if let Some(secret) = keys::find(world, namespace, &key.secret_ref, (report, &path))
            && key.weight > 0
        {
            usable.push((key.weight, Arc::from(key.name.as_str()), secret));
        }
    }
    match (spec.keys.is_empty(), usable.is_empty()) {
        (true, _) => KeyRing::Empty,
        (false, false) => KeyRing::Keys(usable),
        (false, true) => {
            let message = "no key can be used, so nothing is sent to this provider";
            report.keyless("spec.keys", message, "give one usable key a weight above 0");
            KeyRing::Unusable
        }
    }
}

/// Says what is odd about keys and the form that they are presented in, taken together.
pub(super) fn check(spec: &ProviderSecretSpec, preset: &Preset, report: &mut Report<'_>) {
    let own = [preset.api_key_prefixes, preset.bearer_prefixes].concat();
    let mode = spec.client_credentials;
    if mode == ClientCredentialsSpec::ForwardIfProviderKey && own.is_empty() {
        let message = format!(
            "keys of {:?} have no prefix of their own, so every credential is replaced",
            spec.provider
        );
        report.warning("spec.clientCredentials", message, "use Replace or Forward");
    }
    let without = spec.keys.is_empty() && preset.keys == Keys::Needed;
    if without && mode == ClientCredentialsSpec::Replace {
        let message = "there are no keys, and the callers' own are taken away";
        let remedy = "add spec.keys, or set clientCredentials to Forward";
        report.warning("spec.keys", message, remedy);
    }
}

// === impl KeyRing ===

impl KeyRing<'_> {
    /// The accounts in an endpoint's auth form; `None` if there is none to use.
    pub(super) fn accounts(&self, form: &Form, preset: &Preset) -> Option<Weighted<Account>> {
        let nobody = || Account { name: "none".into(), credential: Credential::None };
        match self {
            _ if *form == Form::None => Weighted::new([(1, nobody())]),
            Self::Empty => Weighted::new([(1, nobody())]),
            Self::Unusable => None,
            Self::Keys(keys) => Weighted::new(keys.iter().filter_map(|(weight, name, secret)| {
                let account = Account {
                    name: Arc::clone(name),
                    credential: form.credential(secret, preset)?,
                };
                Some((*weight, account))
            })),
        }
    }
}

/// What happens to the callers' own credentials at an endpoint of this form.
pub(super) fn client_credentials(
    mode: ClientCredentialsSpec,
    form: &Form,
    preset: &Preset,
) -> ClientCredentials {
    match mode {
        ClientCredentialsSpec::Replace => ClientCredentials::Replace,
        ClientCredentialsSpec::Forward => ClientCredentials::Forward,
        ClientCredentialsSpec::ForwardIfProviderKey => {
            ClientCredentials::ForwardIfProviderKey(ProviderKeys {
                api_key_prefixes: preset.api_key_prefixes,
                bearer_prefixes: preset.bearer_prefixes,
                header: form.header(),
            })
        }
    }
}
