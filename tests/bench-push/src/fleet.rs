//! Many lean sidecars, and what each of them has.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use crate::sidecar;
use crate::town::Resident;

/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// All of them.
pub(crate) struct Fleet {
    pub(crate) tls: TlsConnector,
    addresses: RefCell<Vec<SocketAddr>>,
    members: RefCell<Vec<Member>>,
    changed: Notify,
    complaints: RefCell<BTreeMap<String, usize>>,
    /// Bundles that took something away: without the route, or with an older edition.
    backwards: Cell<usize>,
}

/// What one of them has.
#[derive(Debug, Clone, Copy)]
struct Member {
    edition: Option<u64>,
    at: Instant,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Connected,
    Away(Instant),
    /// It has come back after so long.
    Back(Duration),
}

// === impl Fleet ===

impl Fleet {
    /// Trusts a CA.
    pub(crate) fn new(ca: &str) -> anyhow::Result<Rc<Self>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
            roots.add(certificate?)?;
        }
        let mut tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Rc::new(Self {
            tls: TlsConnector::from(Arc::new(tls)),
            addresses: RefCell::default(),
            members: RefCell::default(),
            changed: Notify::new(),
            complaints: RefCell::default(),
            backwards: Cell::new(0),
        }))
    }

    /// Where the controllers are from now on.
    pub(crate) fn lead_to(&self, addresses: Vec<SocketAddr>) {
        *self.addresses.borrow_mut() = addresses;
    }

    /// Lets further ones connect, and waits until all have a bundle. Says how long that took.
    pub(crate) async fn grow(self: &Rc<Self>, residents: &[Resident]) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        for resident in residents {
            let number = self.members.borrow().len();
            let member = Member { edition: None, at: begun, state: State::Away(begun) };
            self.members.borrow_mut().push(member);
            let following = sidecar::follow(Rc::clone(self), number, resident.token.clone());
            // It ends with everything.
            drop(spawn_local(following));
        }
        self.until("a bundle", |member| member.edition.is_some()).await?;
        Ok(begun.elapsed())
    }

    /// Waits until all have this edition; says how long after `answered` each had it.
    pub(crate) async fn have(
        &self,
        edition: u64,
        answered: Instant,
    ) -> anyhow::Result<Vec<Duration>> {
        self.until("an edition", |member| member.edition >= Some(edition)).await?;
        let members = self.members.borrow();
        Ok(members.iter().map(|member| member.at.saturating_duration_since(answered)).collect())
    }

    /// Forgets who was away.
    pub(crate) fn call_roll(&self) {
        for member in &mut *self.members.borrow_mut() {
            member.state = State::Connected;
        }
    }

    /// Waits until nobody is away; gives how long those were who had been.
    pub(crate) async fn back(&self) -> anyhow::Result<Vec<Duration>> {
        self.until("a stream", |member| !matches!(member.state, State::Away(_))).await?;
        let members = self.members.borrow();
        let away = members.iter().filter_map(|member| match member.state {
            State::Back(away) => Some(away),
            State::Connected | State::Away(_) => None,
        });
        Ok(away.collect())
    }

    /// Bundles that took something away.
    pub(crate) fn backwards(&self) -> usize {
        self.backwards.get()
    }

    /// What went wrong with streams, and how often.
    pub(crate) fn complaints(&self) -> BTreeMap<String, usize> {
        self.complaints.borrow().clone()
    }

    pub(crate) fn any_address(&self) -> SocketAddr {
        let addresses = self.addresses.borrow();
        addresses[fastrand::usize(..addresses.len())]
    }

    pub(crate) fn joined(&self, number: usize) {
        let member = &mut self.members.borrow_mut()[number];
        if let State::Away(since) = member.state {
            member.state = State::Back(since.elapsed());
        }
        self.changed.notify_one();
    }

    pub(crate) fn left(&self, number: usize) {
        let member = &mut self.members.borrow_mut()[number];
        if !matches!(member.state, State::Away(_)) {
            member.state = State::Away(Instant::now());
        }
    }

    pub(crate) fn take(&self, number: usize, edition: Option<u64>, at: Instant) {
        let member = &mut self.members.borrow_mut()[number];
        if edition < member.edition {
            self.backwards.set(self.backwards.get() + 1);
        }
        if edition != member.edition {
            (member.edition, member.at) = (edition, at);
        }
        self.changed.notify_one();
    }

    pub(crate) fn complain(&self, error: &anyhow::Error) {
        *self.complaints.borrow_mut().entry(format!("{error:#}")).or_default() += 1;
    }

    async fn until(&self, what: &str, has: impl Fn(&Member) -> bool) -> anyhow::Result<()> {
        let all = async {
            while !self.members.borrow().iter().all(&has) {
                self.changed.notified().await;
            }
        };
        if timeout(PATIENCE, all).await.is_err() {
            let missing = self.members.borrow().iter().filter(|member| !has(member)).count();
            bail!("{missing} sidecars are without {what}: {:?}", self.complaints());
        }
        Ok(())
    }
}
