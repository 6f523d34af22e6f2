use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::{ServerName, UnixTime};

use super::material::Material;
use super::*;

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 24 * 3600;

fn wishes() -> Wishes {
    Wishes { names: service_names("prod", &[]), lifetimes: Lifetimes::default() }
}

fn made(current: Option<&Material>, now: i64) -> Option<Material> {
    renewal::renewed(current, &wishes(), now).unwrap()
}

/// Would a client that trusts `authorities` take the certificate at that time?
fn is_trusted(material: &Material, authorities: &str, name: &str, now: i64) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(authorities.as_bytes()).unwrap());
    let provider = Arc::new(default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let chain = certificates(material.certificate.as_bytes()).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now.unsigned_abs()));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.build().unwrap().verify_server_cert(&chain[0], &[], &name, &[], now).is_ok()
}

fn authorities(material: &Material) -> usize {
    certificates(material.authorities.as_bytes()).unwrap().len()
}

#[test]
fn the_first_ones_serve_the_services_names_and_no_other() {
    let first = made(None, NOW).unwrap();
    for name in ["pillion.prod.svc", "pillion.prod.svc.cluster.local", "localhost"] {
        for now in [NOW - 299, NOW, NOW + 60 * DAY - 1] {
            assert!(is_trusted(&first, &first.authorities, name, now), "{name} {now}");
        }
    }
    for now in [NOW - 301, NOW + 60 * DAY + 1] {
        assert!(!is_trusted(&first, &first.authorities, "localhost", now));
    }
    assert!(!is_trusted(&first, &first.authorities, "pillion.other.svc", NOW));
    assert!(made(Some(&first), NOW).is_none());
    let other = made(None, NOW).unwrap();
    assert!(!is_trusted(&first, &other.authorities, "localhost", NOW));
}

#[test]
fn a_serving_certificate_is_renewed_after_two_thirds() {
    let first = made(None, NOW).unwrap();
    assert!(made(Some(&first), NOW + 40 * DAY - 600).is_none());
    let second = made(Some(&first), NOW + 40 * DAY).unwrap();
    assert!(second.certificate != first.certificate && second.key != first.key);
    assert_eq!(second.authorities, first.authorities);
    assert!(is_trusted(&second, &first.authorities, "localhost", NOW + 90 * DAY));
}

#[test]
fn a_name_more_is_a_new_certificate() {
    let first = made(None, NOW).unwrap();
    let names = service_names("prod", &["push.example.com".to_owned(), "10.0.0.7".to_owned()]);
    let more = Wishes { names, ..wishes() };
    let second = renewal::renewed(Some(&first), &more, NOW).unwrap().unwrap();
    for name in ["push.example.com", "10.0.0.7", "localhost"] {
        assert!(is_trusted(&second, &first.authorities, name, NOW), "{name}");
    }
    assert!(renewal::renewed(Some(&second), &more, NOW).unwrap().is_none());
    // Another replica may still wish for fewer.
    assert!(made(Some(&second), NOW).is_none());
}

/// Whoever trusts what `ca.crt` held a day ago is served at any time of two CAs' lives.
#[test]
fn a_new_authority_is_used_once_everybody_knows_it() {
    let mut material = made(None, NOW).unwrap();
    let mut told = vec![(NOW, material.authorities.clone())];
    let mut now = NOW;
    let mut most = 0;
    while now < NOW + 1500 * DAY {
        if let Some(renewed) = made(Some(&material), now) {
            material = renewed;
            told.push((now, material.authorities.clone()));
        }
        let known = told.iter().rev().find(|(since, _)| *since <= now - DAY);
        let known = known.map_or(&material.authorities, |(_, known)| known);
        assert!(is_trusted(&material, known, "localhost", now), "{}", (now - NOW) / DAY);
        most = most.max(authorities(&material));
        now += DAY / 2;
    }
    assert_eq!(most, 2);
    let last = &told.last().unwrap().1;
    assert!(!last.contains(told[0].1.trim()), "the first CA is gone");
}

#[test]
fn an_old_authoritys_key_is_forgotten_at_once() {
    let first = made(None, NOW).unwrap();
    let later = NOW + 500 * DAY;
    let second = made(Some(&first), later).unwrap();
    assert_eq!(authorities(&second), 2);
    assert!(second.authorities.ends_with(&first.authorities));
    assert!(second.authority_key != first.authority_key);
    assert!(is_trusted(&second, &first.authorities, "localhost", later));
    assert!(made(Some(&second), later + DAY - 1).is_none());
    let third = made(Some(&second), later + DAY).unwrap();
    assert!(!is_trusted(&third, &first.authorities, "localhost", later + DAY));
    assert_eq!(third.authorities, second.authorities);
}

#[test]
fn what_cannot_be_used_is_made_anew() {
    let first = made(None, NOW).unwrap();
    let other = made(None, NOW).unwrap();
    let check = |change: &dyn Fn(&mut Material)| {
        let mut broken = first.clone();
        change(&mut broken);
        assert!(!renewal::is_usable(&broken));
        let anew = made(Some(&broken), NOW).unwrap();
        assert!(is_trusted(&anew, &anew.authorities, "localhost", NOW));
    };
    check(&|material| material.authorities = other.authorities.clone());
    check(&|material| material.authority_key = other.authority_key.clone());
    check(&|material| material.certificate = other.certificate.clone());
    check(&|material| material.key = other.key.clone());
    check(&|material| material.certificate = "-----BEGIN CERTIFICATE-----".to_owned());
    check(&|material| material.authorities = String::new());
    // A cluster that was off for longer than a CA lives.
    let late = made(Some(&first), NOW + 900 * DAY).unwrap();
    assert_eq!(authorities(&late), 1);
}

#[test]
fn the_clock_is_looked_at_again() {
    let wait = |material: Option<&Material>, now| renewal::wait(material, &wishes(), now);
    let first = made(None, NOW).unwrap();
    assert_eq!(wait(Some(&first), NOW), Duration::from_secs(600));
    assert_eq!(wait(Some(&first), NOW + 41 * DAY), Duration::from_secs(1));
    assert_eq!(wait(None, NOW), Duration::from_secs(1));
    // In the overlap nothing is due, however old the certificate is.
    let second = made(Some(&first), NOW + 500 * DAY).unwrap();
    assert_eq!(wait(Some(&second), NOW + 500 * DAY + 60), Duration::from_secs(600));
}

#[test]
fn a_bad_pair_leaves_what_is_served() {
    let expires = Gauge::new("expires", "expires").unwrap();
    let serving = Serving::new(expires.clone());
    assert!(!serving.is_ready());
    let [first, second] = [made(None, NOW).unwrap(), made(None, NOW).unwrap()];
    let load = |certificate: &str, key: &str| serving.load(certificate.as_bytes(), key.as_bytes());
    load(&first.certificate, &first.key).unwrap();
    assert_eq!(expires.get(), (NOW + 60 * DAY) as f64);
    let served = serving.certified.load_full();
    for (certificate, key) in [
        (first.certificate.as_str(), second.key.as_str()),
        ("", &first.key),
        (&first.certificate, ""),
        (&first.key, &first.key),
    ] {
        let error = load(certificate, key).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("PRIVATE"), "{error:?}");
    }
    assert!(Arc::ptr_eq(&served.unwrap(), &serving.certified.load_full().unwrap()));
}

/// Through `tls.crt` and `tls.key` as cert-manager writes them: a chain, and any kind of key.
#[tokio::test]
async fn files_are_followed() {
    let folder = tempfile::tempdir().unwrap();
    let files = files::Files {
        authorities: None,
        certificate: folder.path().join("tls.crt"),
        key: folder.path().join("tls.key"),
        interval: Duration::from_millis(5),
    };
    let serving = Serving::new(Gauge::new("expires", "expires").unwrap());
    let (signal, drain) = crate::net::drain::channel();
    let missing = files::follow(files.clone(), Arc::clone(&serving), drain.clone()).await;
    assert!(missing.unwrap_err().to_string().contains("tls.crt"));
    let write = |material: &Material| {
        std::fs::write(&files.certificate, &material.certificate).unwrap();
        std::fs::write(&files.key, material.key.as_bytes()).unwrap();
    };
    let served = || serving.certified.load_full().map(|certified| certified.cert[0].clone());
    let der =
        |material: &Material| certificates(material.certificate.as_bytes()).unwrap().remove(0);
    let [first, second] = [made(None, NOW).unwrap(), made(None, NOW).unwrap()];
    write(&first);
    let following = files::follow(files.clone(), Arc::clone(&serving), drain);
    let changing = async {
        until(|| served() == Some(der(&first))).await;
        write(&second);
        until(|| served() == Some(der(&second))).await;
        std::fs::write(&files.key, first.key.as_bytes()).unwrap();
        tokio::time::sleep(files.interval * 10).await;
        assert_eq!(served(), Some(der(&second)));
        signal.advance(crate::net::drain::Stage::Cut);
    };
    let (followed, ()) = tokio::join!(following, changing);
    followed.unwrap();
}

async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
