use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::feed::Folder;
use crate::secret::{Digest, Secret, SecretError};

const ROUTE: &str = "\
apiVersion: pillion.dev/v1alpha1
kind: LlmRoute
metadata: {name: chat}
spec:
  rules:
  - targets:
    - provider: {name: groq}
";

const PROVIDER: &str = "\
apiVersion: pillion.dev/v1alpha1
kind: ProviderSecret
metadata: {name: groq, namespace: team}
spec: {provider: Groq}
";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn read(dir: &TempDir) -> Manifests {
    Folder::new(dir.path(), []).read()
}

/// The findings of a folder as text, without the folder's own path.
fn found(dir: &TempDir) -> Vec<String> {
    let base = format!("{}/", dir.path().display());
    let show = |finding: &Finding| {
        let level = match finding.severity {
            Severity::Note => "note ",
            Severity::Warning => "warning ",
            Severity::Error => "",
        };
        format!("{level}{}", finding.to_string().replace(&base, ""))
    };
    read(dir).findings.iter().map(show).collect()
}

/// Checks what one file is found to be.
fn check(text: &str, expected: &[&str]) {
    assert_eq!(found(&folder(&[("a.yaml", text)])), expected, "{text}");
}

/// The names of the objects that came through.
fn names(manifests: &Manifests) -> Vec<String> {
    let routes = manifests.world.routes.iter().map(|route| &route.metadata);
    let providers = manifests.world.providers.iter().map(|provider| &provider.metadata);
    let name = |meta: &ObjectMeta| {
        let [namespace, name] = [&meta.namespace, &meta.name].map(|part| part.as_deref().unwrap());
        format!("{namespace}/{name}")
    };
    routes.chain(providers).map(name).collect()
}

fn is_key(manifests: &Manifests, secret: (&str, &str), key: &str, value: &str) -> bool {
    let data = &manifests.world.secrets[&(secret.0.to_owned(), secret.1.to_owned())];
    data[key].as_ref().unwrap().digest().matches(&Digest::of(value.as_bytes()))
}

#[test]
fn takes_the_three_kinds_from_everywhere_in_the_folder() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: Opaque\n\
                  data: {a: \"b25l\\nCg==\", b: YmFy}\nstringData: {b: two}\n";
    let list = "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \
                \"pillion.dev/v1alpha1\", \"kind\": \"LlmRoute\", \"metadata\": \
                {\"name\": \"listed\", \
                \"creationTimestamp\": null}, \"spec\": {\"clients\": null, \"rules\": \
                [{\"targets\": \
                [{\"provider\": {\"name\": \"p\"}}]}]}}]}";
    let both = format!("{ROUTE}---\n{PROVIDER}");
    let dir = folder(&[
        ("both.yaml", &both),
        ("sub/deep/secret.yml", secret),
        ("list.json", list),
        (".hidden.yaml", "not: [yaml"),
        ("..data/x.yaml", "not: [yaml"),
        ("notes.txt", "not: [yaml"),
    ]);
    let manifests = read(&dir);
    assert_eq!(manifests.findings, []);
    assert!(!manifests.is_broken());
    assert_eq!(names(&manifests), ["default/chat", "default/listed", "team/groq"]);
    assert!(is_key(&manifests, ("default", "s"), "a", "one"));
    assert!(is_key(&manifests, ("default", "s"), "b", "two"));
    assert_eq!(manifests.world.workloads, Workloads::Ignored);
}

#[test]
fn a_mounted_config_map_is_read_once() {
    let dir = folder(&[("..2026_1/a.yaml", ROUTE)]);
    symlink("..2026_1", dir.path().join("..data")).unwrap();
    symlink("..data/a.yaml", dir.path().join("a.yaml")).unwrap();
    symlink(".", dir.path().join("loop")).unwrap();
    let manifests = read(&dir);
    assert_eq!((names(&manifests).len(), manifests.findings.len()), (1, 0));
}

#[test]
fn every_fault_is_told_with_its_place_and_hides_nothing_else() {
    let bad = ROUTE
        .replace("chat", "bad")
        .replace("- targets", "- nam: x\n    targets")
        .replace("{name: groq}", "groq\n      weight: -1");
    let text = format!("{bad}---\na: [\n---\n{ROUTE}");
    let dir = folder(&[("a.yaml", &text), ("b.yaml", PROVIDER)]);
    assert_eq!(
        found(&dir),
        [
            "a.yaml:6:5: LlmRoute default/bad: spec.rules[0].nam: there is no such field: remove \
             it or \
         use one of matches, name, targets, timeouts",
            "a.yaml:8:7: LlmRoute default/bad: spec.rules[0].targets[0].provider: this is text: \
             write \
         a mapping",
            "a.yaml:9:7: LlmRoute default/bad: spec.rules[0].targets[0].weight: out of range: \
             use 0 to \
         1000000",
            "a.yaml:12:1: while parsing a node, did not find expected node content: mend the \
         YAML; the other documents are not touched by it",
        ]
    );
    let manifests = read(&dir);
    assert!(manifests.is_broken());
    assert_eq!(names(&manifests), ["default/chat", "team/groq"]);
}

#[test]
fn documents_say_what_they_are() {
    let incomplete = "it is no manifest: complete or remove it";
    for (text, expected) in [
        ("a: 1\n", format!("a.yaml:1:1: this document has no apiVersion and kind: {incomplete}")),
        ("[]\n", format!("a.yaml:1:1: this document has no apiVersion and kind: {incomplete}")),
        (
            "apiVersion: pillion.dev/v1\nkind: LlmRoute\n",
            "a.yaml:1:1: this kind is known in another apiVersion only: write apiVersion: \
             pillion.dev/v1alpha1"
                .to_owned(),
        ),
        (
            "apiVersion: pillion.dev/v1alpha1\nkind: LLMRoute\n",
            "a.yaml:2:1: no kind of this name is known: the kinds of pillion.dev are LlmRoute and \
             ProviderSecret"
                .to_owned(),
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment\n",
            "note a.yaml:2:1: objects of this kind have no meaning here and are ignored: nothing \
             need be done"
                .to_owned(),
        ),
        (
            "apiVersion: v1\nkind: List\nitems: {}\n",
            "a.yaml:1:1: the items of a list of objects must be objects: write each object as a \
             document"
                .to_owned(),
        ),
        (
            "apiVersion: v1\nkind: Secret\n",
            "a.yaml:1:1: metadata is missing: add metadata with a name".to_owned(),
        ),
        (
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: A_b\n",
            "a.yaml:4:3: this is no name of Kubernetes: use lower case letters, digits, '-' and \
             '.', with a letter or digit at both ends"
                .to_owned(),
        ),
    ] {
        check(text, &[&expected]);
    }
}

#[test]
fn of_two_objects_with_one_name_the_first_counts() {
    let again = format!("---\n{ROUTE}");
    let dir = folder(&[("a.yaml", ROUTE), ("b.yaml", &again)]);
    let file = dir.path().join("a.yaml");
    let expected = format!(
        "b.yaml:2:1: LlmRoute default/chat: this object is declared already at {}:1:1, which \
         counts: remove or rename one of the two",
        file.display()
    );
    assert_eq!(found(&dir), [expected.replace(&format!("{}/", dir.path().display()), "")]);
    assert_eq!(names(&read(&dir)), ["default/chat"]);
}

#[test]
fn metadata_is_strict_too() {
    let text = ROUTE.replace("{name: chat}", "{name: chat, lables: {a: b}, labels: [canary]}");
    check(
        &text,
        &[
            "a.yaml:3:24: LlmRoute default/chat: metadata.lables: there is no such field: \
             remove it",
            "a.yaml:3:40: LlmRoute default/chat: metadata.labels: this is not the kind of value \
             that \
         the field takes: correct or remove it",
        ],
    );
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let dir = folder(&[("a.yaml", ROUTE)]);
    fs::write(dir.path().join("b.yaml"), [b'a', 0xff]).unwrap();
    fs::write(dir.path().join("c.yaml"), vec![b' '; (4 << 20) + 1]).unwrap();
    symlink("nowhere", dir.path().join("d.yaml")).unwrap();
    assert_eq!(
        found(&dir),
        [
            "b.yaml:1:1: is not UTF-8 text: mend or remove the file",
            "c.yaml:1:1: is larger than 4 MiB: mend or remove the file",
            "d.yaml:1:1: cannot be read: No such file or directory (os error 2): mend or remove \
             the \
         file",
        ]
    );
    let gone = Folder::new(dir.path().join("gone"), []).read();
    assert!(gone.is_broken());
}

#[test]
fn documents_are_counted_over_all_files() {
    let many = "apiVersion: v1\nkind: ConfigMap\n---\n".repeat(6_000);
    let dir = folder(&[("a.yaml", &many), ("b.yaml", &many)]);
    let manifests = read(&dir);
    assert!(manifests.is_broken());
    assert_eq!(manifests.findings.len(), 10_001);
}

#[test]
fn given_keys_stand_over_those_of_files() {
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: one, b: two}\n";
    let dir = folder(&[("a.yaml", secret)]);
    let given = |secret: &str, key: &str, value: Result<Secret, SecretError>| GivenKey {
        namespace: "default".into(),
        secret: secret.into(),
        key: key.into(),
        value,
    };
    let keys = [
        given("s", "b", Secret::new(b"three")),
        given("env", "k", Secret::new(b"four")),
        given("env", "empty", Err(SecretError::Empty)),
    ];
    let manifests = Folder::new(dir.path(), keys).read();
    assert!(is_key(&manifests, ("default", "s"), "a", "one"));
    assert!(is_key(&manifests, ("default", "s"), "b", "three"));
    assert!(is_key(&manifests, ("default", "env"), "k", "four"));
    let env = &manifests.world.secrets[&("default".to_owned(), "env".to_owned())];
    assert_eq!(env["empty"].as_ref().err(), Some(&SecretError::Empty));
}

/// FAULTS 65: whatever is wrong with a Secret, or with an object that a key was pasted into.
#[test]
fn no_key_is_ever_told() {
    let bodies = [
        "data: {k: sk-canary-1234}",
        "data: sk-canary-1234",
        "data: {k: [sk-canary-1234]}",
        "data: {k: {x: sk-canary-1234}}",
        "stringData: {k: [sk-canary-1234]}",
        "stringData: {k: sk-canary-1234, k: sk-canary-1234}",
        "stringData: {k: *sk-canary-1234}",
        "stringData: {k: \"sk-canary-1234}",
        "stringData: {k: sk-canary-1234",
        "stringData: {k: !sk-canary-1234 x}",
        "stringData:\n  k: \"\\sk-canary-1234\"",
        "stringData:\n  k: @sk-canary-1234",
        "stringData:\n  k: sk-canary-1234: x",
        "stringData:\n\tk: sk-canary-1234",
        "type: [sk-canary-1234]\ndata: 7",
        "spec: {provider: sk-canary-1234, keys: sk-canary-1234, tls: {caBundle: sk-canary-1234}}",
        "spec: {provider: Groq, keys: [{name: \"sk-canary-1234 \", secretRef: sk-canary-1234}]}",
        "spec: {headers: {set: {x: [sk-canary-1234], y: \"sk-canary-1234\\n\"}}}",
    ];
    for body in bodies {
        for (version, kind) in [("v1", "Secret"), ("pillion.dev/v1alpha1", "ProviderSecret")] {
            let text =
                format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: s}}\n{body}\n");
            let dir = folder(&[("a.yaml", &text)]);
            let manifests = read(&dir);
            let told = format!("{manifests:?} {:?}", found(&dir));
            assert!(manifests.is_broken(), "{text}");
            assert!(!told.contains("canary"), "{text}\n{told}");
        }
    }
    let good =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: sk-canary-1234}\n";
    let manifests = read(&folder(&[("a.yaml", good)]));
    assert!(!manifests.is_broken() && !format!("{manifests:?}").contains("canary"));
}
