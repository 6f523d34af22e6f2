//! What is due: a function of what there is, what is wished and the time.
//!
//! A CA is renewed in three steps. At two thirds of its life a new one is made and put before it in
//! `ca.crt`; its old key signs a last serving certificate and is forgotten. After the overlap, the
//! serving certificate is signed by the new one. The old one goes when it has expired.

use std::time::Duration;

use rcgen::KeyPair;
use rustls_pki_types::CertificateDer;

use super::material::Material;
use super::mint::{self, Minted, Validity};
use super::read::{self, Seen};
use super::{CertificateError, Lifetimes, Wishes, certificates, pem};

/// The clock is looked at at least this often: it may jump, and timers do not.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// And at most so often.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// What there is, read.
struct State {
    /// The newest first.
    authorities: Vec<(CertificateDer<'static>, Seen)>,
    newest: Seen,
    serving: Seen,
}

/// What should be there in place of `current`; `None` if that is as it should be.
pub(super) fn renewed(
    current: Option<&Material>,
    wishes: &Wishes,
    now: i64,
) -> Result<Option<Material>, CertificateError> {
    let Some((material, state)) = current.and_then(|material| Some((material, read(material)?)))
    else {
        return anew(wishes, now).map(Some);
    };
    if now >= state.newest.not_after {
        return anew(wishes, now).map(Some);
    }
    if now >= state.newest.two_thirds() {
        return new_authority(material, &state, wishes, now).map(Some);
    }
    if now >= state.serving_due(wishes) {
        return new_serving(material, &state, wishes, now).map(Some);
    }
    Ok(None)
}

/// When to look again.
pub(super) fn wait(current: Option<&Material>, wishes: &Wishes, now: i64) -> Duration {
    let due = current
        .and_then(read)
        .map_or(now, |state| state.newest.two_thirds().min(state.serving_due(wishes)));
    let seconds = u64::try_from(due.saturating_sub(now)).unwrap_or(0);
    Duration::from_secs(seconds).clamp(SHORTEST_WAIT, LONGEST_WAIT)
}

/// Is it what is made here?
pub(super) fn is_usable(material: &Material) -> bool {
    read(material).is_some()
}

fn anew(wishes: &Wishes, now: i64) -> Result<Material, CertificateError> {
    let authority = mint::authority(wishes.lifetimes.of_authority(now))?;
    let validity = wishes.lifetimes.of_serving(now, i64::MAX);
    let serving = mint::serving(&wishes.names, validity, &authority.certificate, &authority.key)?;
    Ok(material(authority.certificate, authority.key, serving))
}

fn new_authority(
    old: &Material,
    state: &State,
    wishes: &Wishes,
    now: i64,
) -> Result<Material, CertificateError> {
    let validity = wishes.lifetimes.of_serving(now, state.newest.not_after);
    let serving = mint::serving(&wishes.names, validity, &old.authorities, &old.authority_key)?;
    let new = mint::authority(wishes.lifetimes.of_authority(now))?;
    let authorities = new.certificate + &state.unexpired(now);
    Ok(material(authorities, new.key, serving))
}

fn new_serving(
    old: &Material,
    state: &State,
    wishes: &Wishes,
    now: i64,
) -> Result<Material, CertificateError> {
    let authorities = state.unexpired(now);
    let validity = wishes.lifetimes.of_serving(now, state.newest.not_after);
    let serving = mint::serving(&wishes.names, validity, &authorities, &old.authority_key)?;
    Ok(material(authorities, old.authority_key.clone(), serving))
}

fn material(
    authorities: String,
    authority_key: zeroize::Zeroizing<String>,
    serving: Minted,
) -> Material {
    let Minted { certificate, key } = serving;
    Material { authorities, authority_key, certificate, key }
}

/// `None` if it is not what is made here: unreadable, or keys that are not their certificates'.
fn read(material: &Material) -> Option<State> {
    let authorities = certificates(material.authorities.as_bytes()).ok()?;
    let seen = authorities.into_iter().map(|der| Some((read::certificate(&der)?, der)));
    let authorities: Vec<_> =
        seen.map(|pair| pair.map(|(seen, der)| (der, seen))).collect::<Option<_>>()?;
    let newest = authorities.first()?.1.clone();
    let chain = certificates(material.certificate.as_bytes()).ok()?;
    let serving = read::certificate(chain.first()?)?;
    let are_pairs = is_key_of(&material.authority_key, &newest)
        && is_key_of(&material.key, &serving)
        && authorities.iter().any(|(_, authority)| authority.subject == serving.issuer);
    are_pairs.then_some(State { authorities, newest, serving })
}

fn is_key_of(key: &str, seen: &Seen) -> bool {
    KeyPair::from_pem(key).is_ok_and(|key| key.public_key_raw() == seen.public_key)
}

// === impl State ===

impl State {
    fn serving_due(&self, wishes: &Wishes) -> i64 {
        if self.serving.issuer != self.newest.subject {
            // Its CA's key is gone; the next one is not known everywhere before this.
            return wishes.lifetimes.known_from(&self.newest).min(self.serving.not_after);
        }
        match self.serving.is_for(&wishes.names) {
            true => self.serving.two_thirds(),
            false => i64::MIN,
        }
    }

    fn unexpired(&self, now: i64) -> String {
        let live = self.authorities.iter().filter(|(_, seen)| seen.not_after > now);
        live.map(|(der, _)| pem(der)).collect()
    }
}

// === impl Lifetimes ===

impl Lifetimes {
    fn of_authority(&self, now: i64) -> Validity {
        self.from(now, self.authority)
    }

    fn of_serving(&self, now: i64, at_most: i64) -> Validity {
        let validity = self.from(now, self.serving);
        Validity { not_after: validity.not_after.min(at_most), ..validity }
    }

    fn from(&self, now: i64, life: Duration) -> Validity {
        Validity { not_before: now - seconds(self.backdate), not_after: now + seconds(life) }
    }

    /// When everybody may be taken to know a CA.
    fn known_from(&self, authority: &Seen) -> i64 {
        authority.not_before + seconds(self.backdate) + seconds(self.overlap)
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 4)
}
