//! A ProviderSecret as routes use it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accounts::{self, KeyRing};
use super::auth::Form;
use super::endpoints::{self, Slot};
use super::grants::{self, Grant};
use super::report::{Report, in_order, object_id, object_ref};
use super::translation::{self, Translations};
use super::{Fault, ResourceKind, Subject, World, headers, tls};
use crate::api::{ProviderSecret, ProviderSecretSpec, StreamUsageSpec};
use crate::llm::{Api, Dialect};
use crate::name::ObjectRef;
use crate::provider::Preset;
use crate::table::{Account, ClientCredentials, Endpoint, HeaderPolicy, StreamUsage, Weighted};

/// A compiled provider.
pub(super) struct Provider {
    /// Which one.
    pub(super) reference: ObjectRef,
    /// The same, for labels.
    pub(super) label: Arc<str>,
    /// The vendor in OpenTelemetry's words.
    pub(super) vendor: &'static str,
    /// Who may name it.
    pub(super) grant: Grant,
    /// Declared models and their display names.
    pub(super) models: BTreeMap<String, Option<String>>,
    /// How it is called; `None` if it cannot be, which has been reported.
    pub(super) service: Option<Service>,
}

/// How a provider is called.
pub(super) struct Service {
    /// Per API (`api as usize`), the family's fallback included.
    pub(super) served: [Option<Arc<Served>>; Api::ALL.len()],
    /// Of the APIs that are not served as they come.
    pub(super) translated: Translations,
    /// Header rules.
    pub(super) headers: HeaderPolicy,
    /// Is usage asked for?
    pub(super) stream_usage: StreamUsage,
    /// What is to blame where nothing is served.
    pub(super) lack: Subject,
}

/// How one API of a provider is called.
pub(super) struct Served {
    /// Where.
    pub(super) endpoint: Endpoint,
    /// As whom.
    pub(super) accounts: Weighted<Account>,
    /// What happens to the callers' credentials.
    pub(super) client_credentials: ClientCredentials,
}

/// Compiled providers by name.
pub(super) type Providers = BTreeMap<ObjectRef, Provider>;

/// Compiles all of them.
pub(super) fn compile(world: &World, faults: &mut Vec<Fault>) -> Providers {
    let mut providers = Providers::new();
    for object in in_order(&world.providers) {
        let id = object_id(ResourceKind::ProviderSecret, object);
        if let Some(reference) = object_ref(&id, faults) {
            let mut report = Report::new(id, faults);
            let provider = provider(world, reference.clone(), object, &mut report);
            providers.entry(reference).or_insert(provider);
        }
    }
    providers
}

fn provider(
    world: &World,
    reference: ObjectRef,
    object: &ProviderSecret,
    report: &mut Report<'_>,
) -> Provider {
    let spec = &object.spec;
    let service = service(world, &reference, spec, report);
    let models = spec.models.iter();
    Provider {
        label: reference.to_string().into(),
        vendor: Preset::of(spec.provider).telemetry_name,
        grant: grants::compile(&spec.allowed_routes.namespaces, report),
        models: models.map(|model| (model.name.clone(), model.display_name.clone())).collect(),
        service,
        reference,
    }
}

fn service(
    world: &World,
    reference: &ObjectRef,
    spec: &ProviderSecretSpec,
    report: &mut Report<'_>,
) -> Option<Service> {
    let preset = Preset::of(spec.provider);
    let trust = tls::compile(spec.tls.as_ref(), report);
    let headers = headers::compile(&spec.headers, report);
    let keys = accounts::compile(world, &reference.namespace, spec, report);
    accounts::check(spec, preset, report);
    // Read even if trust is missing, so that all faults are found in one run.
    let for_faults = trust.clone().unwrap_or(crate::table::Trust::System);
    let slots = endpoints::compile(spec, &for_faults, report);
    let headers = checked_against_auth(headers?, &slots, report)?;
    trust?;
    let slots = slots.map(|slot| Stage::of(slot, spec, preset, &keys));
    let lack = match keys {
        KeyRing::Unusable => Subject::Key,
        KeyRing::Empty | KeyRing::Keys(_) => Subject::Dependency,
    };
    Some(Service {
        lack,
        translated: translation::compile(&slots, spec.translation.as_ref(), preset),
        served: with_fallback(slots),
        headers,
        stream_usage: match spec.stream_usage.unwrap_or(preset.stream_usage) {
            StreamUsageSpec::Request => StreamUsage::Request,
            StreamUsageSpec::AsSent => StreamUsage::AsSent,
        },
    })
}

/// A header rule must not touch the header that carries the key.
fn checked_against_auth(
    policy: HeaderPolicy,
    slots: &endpoints::Slots,
    report: &mut Report<'_>,
) -> Option<HeaderPolicy> {
    let carries_key = |name: &http::HeaderName| {
        slots
            .iter()
            .any(|slot| matches!(slot, Slot::Ready(_, Form::Header(carrier)) if carrier == name))
    };
    let set = policy.set.iter().map(|(name, _)| name);
    let touched = policy.remove.iter().chain(set).find(|n| carries_key(n));
    match touched {
        Some(name) => {
            let message = format!("'{name}' carries the key");
            report.error("spec.headers", message, "remove it from the header rules");
            None
        }
        None => Some(policy),
    }
}

/// A slot, with its accounts.
pub(super) enum Stage {
    Absent,
    Broken,
    Ready(Arc<Served>),
}

/// One of each API.
pub(super) type Stages = [Stage; Api::ALL.len()];

impl Stage {
    fn of(slot: Slot, spec: &ProviderSecretSpec, preset: &Preset, keys: &KeyRing<'_>) -> Self {
        let (endpoint, form) = match slot {
            Slot::Absent => return Self::Absent,
            Slot::Broken => return Self::Broken,
            Slot::Ready(endpoint, form) => (endpoint, form),
        };
        let mode = spec.client_credentials;
        match keys.accounts(&form, preset) {
            Some(accounts) => Self::Ready(Arc::new(Served {
                endpoint,
                accounts,
                client_credentials: accounts::client_credentials(mode, &form, preset),
            })),
            None => Self::Broken,
        }
    }
}

fn with_fallback(slots: Stages) -> [Option<Arc<Served>>; Api::ALL.len()] {
    let family = match &slots[Api::OpenAi as usize] {
        Stage::Ready(served) => Some(Arc::clone(served)),
        Stage::Absent | Stage::Broken => None,
    };
    let mut apis = Api::ALL.iter();
    slots.map(|stage| match (stage, apis.next()) {
        (Stage::Ready(served), _) => Some(served),
        (Stage::Absent, Some(api)) if api.dialect() == Dialect::OpenAi => family.clone(),
        (Stage::Absent | Stage::Broken, _) => None,
    })
}
