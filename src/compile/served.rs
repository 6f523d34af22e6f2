//! Which of a provider's endpoints, with which accounts, serves each API.

use std::sync::Arc;

use super::accounts::{self, KeyRing};
use super::endpoints::Slot;
use crate::api::ProviderSecretSpec;
use crate::llm::{Api, Dialect};
use crate::provider::Preset;
use crate::table::{Account, ClientCredentials, Endpoint, Weighted};

/// How one API of a provider is called.
pub(super) struct Served {
    /// Where.
    pub(super) endpoint: Endpoint,
    /// As whom.
    pub(super) accounts: Weighted<Account>,
    /// What happens to the callers' credentials.
    pub(super) client_credentials: ClientCredentials,
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
    pub(super) fn of(
        slot: Slot,
        spec: &ProviderSecretSpec,
        preset: &Preset,
        keys: &KeyRing<'_>,
    ) -> Self {
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

/// Who serves each API: its own endpoint, else its family's.
pub(super) fn with_fallback(slots: Stages) -> [Option<Arc<Served>>; Api::ALL.len()] {
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
