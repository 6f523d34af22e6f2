//! Every folder in `examples/` does what it says: it compiles without a fault, its own comments
//! name the keys that it needs, the READMEs name it, and its calls go where they should.

mod calls;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pillion::compile::{Compiled, Severity, Subject, compile};
use pillion::feed::{Finding, Folder, GivenKey};
use pillion::secret::Secret;

/// What stands in for the key of a variable.
fn placeholder(variable: &str) -> String {
    format!("placeholder-of-{variable}")
}

/// An example.
struct Example {
    name: String,
    path: PathBuf,
    text: String,
}

/// All of them.
fn examples() -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    paths.sort();
    paths.into_iter().map(Example::read).collect()
}

impl Example {
    fn named(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        Self::read(folder.join(name))
    }

    fn read(path: PathBuf) -> Self {
        let files = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
        let yaml = files.filter(|file| file.extension().is_some_and(|is| is == "yaml"));
        Self {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            text: yaml.map(|file| fs::read_to_string(file).unwrap()).collect(),
            path,
        }
    }

    /// The `--key NAMESPACE/SECRET/KEY=VARIABLE` that its comments say.
    fn keys(&self) -> BTreeMap<&str, &str> {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let pairs = words.windows(2).filter(|pair| pair[0] == "--key");
        pairs.map(|pair| pair[1].split_once('=').unwrap()).collect()
    }

    /// With a placeholder for each key that its comments say.
    fn given_keys(&self) -> Vec<GivenKey> {
        let given = self.keys().into_iter().map(|(place, variable)| {
            let [namespace, secret, key] = place.split('/').collect::<Vec<_>>()[..] else {
                panic!("{}: --key {place}", self.name);
            };
            GivenKey {
                namespace: namespace.to_owned(),
                secret: secret.to_owned(),
                key: key.to_owned(),
                value: Secret::new(placeholder(variable).as_bytes()),
            }
        });
        given.collect()
    }

    fn compile(&self, keys: Vec<GivenKey>) -> (Vec<Finding>, Compiled) {
        let manifests = Folder::new(self.path.clone(), keys).read();
        (manifests.findings, compile(&manifests.world))
    }
}

#[test]
fn with_its_keys_each_compiles_without_a_fault() {
    for example in examples() {
        let (findings, compiled) = example.compile(example.given_keys());
        assert!(findings.is_empty(), "{}: {findings:?}", example.name);
        let mut faults = compiled.faults.iter();
        let bad = faults.find(|fault| fault.severity != Severity::Note);
        assert!(bad.is_none(), "{}: {bad:?}", example.name);
        assert!(!compiled.table.version.is_empty());
    }
}

#[test]
fn without_keys_only_keys_are_missed() {
    for example in examples() {
        let (findings, compiled) = example.compile(Vec::new());
        assert!(findings.is_empty(), "{}: {findings:?}", example.name);
        let faults = compiled.faults.iter();
        let errors = faults.filter(|fault| fault.severity == Severity::Error);
        let about: Vec<Subject> = errors.map(|fault| fault.subject).collect();
        assert!(about.iter().all(|subject| *subject == Subject::Key), "{}", example.name);
        assert_eq!(about.is_empty(), example.keys().is_empty(), "{}", example.name);
    }
}

#[test]
fn each_says_how_it_is_run_and_is_named_in_the_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("examples/README.md")).unwrap();
    let examples = examples();
    for Example { name, text, path } in &examples {
        assert!(text.contains(&format!("pillion proxy --manifests examples/{name} ")), "{name}");
        assert!(readme.contains(&format!("| [{name}]({name}) |")), "{name}");
        for entry in fs::read_dir(path).unwrap() {
            let file = entry.unwrap().file_name();
            assert_eq!(file.to_str(), Some(&*format!("{name}.yaml")), "name it in the README");
        }
    }
    let rows = readme.lines().filter(|line| line.starts_with("| ["));
    assert_eq!(rows.count(), examples.len(), "a row of examples/README.md leads nowhere");
    let first = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(first.contains("--manifests examples/quickstart") && first.contains("](examples)"));
}

/// The commands of the READMEs that need neither a key nor a network.
#[test]
fn the_readmes_commands_work() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts = ["README.md", "examples/README.md"]
        .map(|name| fs::read_to_string(root.join(name)).unwrap().replace("\\\n", " "));
    let lines = texts.iter().flat_map(|text| text.lines());
    let commands: Vec<Vec<&str>> = lines
        .map(|line| line.strip_prefix("target/release/").unwrap_or(line))
        .filter_map(|line| line.strip_prefix("pillion "))
        .map(|arguments| arguments.split_whitespace().collect::<Vec<_>>())
        .filter(|arguments| matches!(arguments[0], "check" | "explain"))
        .collect();
    assert_eq!(commands.len(), 4, "{commands:?}");
    for arguments in commands {
        let mut pillion = Command::new(env!("CARGO_BIN_EXE_pillion"));
        let output = pillion.current_dir(root).args(&arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
}
