//! `docs/metrics.md` is what a real `/metrics` page says, after calls that touch every family.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::support::client::Client;
use super::support::manifests::Manifests;
use super::support::upstream::{LAST_CHUNK, STREAM_HEAD, Upstream, chunk};

const ROUTE: &str = "
apiVersion: pillion.dev/v1alpha1
kind: ProviderSecret
metadata: { name: openai, namespace: default }
spec:
  provider: Custom
  endpoints: [{ api: OpenAi, baseUrl: \"UPSTREAM/v1\" }]
  auth: { type: None }
  models: [{ name: declared }]
---
apiVersion: pillion.dev/v1alpha1
kind: LlmRoute
metadata: { name: all, namespace: default }
spec:
  rules: [{ name: all, targets: [{ provider: { name: openai } }] }]
";

/// A family as a page tells of it.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
    buckets: Vec<String>,
}

/// A proxy as a process; killed when dropped.
struct Proxy {
    child: Child,
    listen: SocketAddr,
    admin: SocketAddr,
}

impl Proxy {
    fn start(manifests: &Manifests) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pillion"));
        command.args(["proxy", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        command.arg("--manifests").arg(manifests.path()).args(["--access-log", "off"]);
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let started = log.find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            (line["message"] == "listening").then_some(line)
        });
        let started = started.expect("the proxy has ended");
        let address = |name: &str| started[name].as_str().unwrap().parse().unwrap();
        Self { listen: address("proxy"), admin: address("admin"), child }
    }

    fn page(&self) -> String {
        let answer = Client::connect(self.admin).get("/metrics", &[]);
        let (head, text) = (&answer.head, answer.text());
        assert_eq!(head.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        text.to_owned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stream with every type of token.
fn provider() -> Upstream {
    Upstream::start(|connection| {
        while connection.request()?.is_some() {
            connection.write(STREAM_HEAD)?;
            connection.write(chunk(
                "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n",
            ))?;
            connection.write(chunk(concat!(
                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":5,",
                "\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n",
            )))?;
            connection.write(chunk("data: [DONE]\n\n"))?;
            connection.write(LAST_CHUNK)?;
        }
        Ok(())
    })
}

fn page_after_calls() -> String {
    let upstream = provider();
    let manifests = Manifests::new();
    manifests.write("all.yaml", &ROUTE.replace("UPSTREAM", &upstream.url()));
    let proxy = Proxy::start(&manifests);
    let mut client = Client::connect(proxy.listen);
    for model in ["declared", "made-up-by-the-caller"] {
        let body = format!(r#"{{"model":"{model}","stream":true,"messages":[]}}"#);
        let json = [("content-type", "application/json")];
        let answer = client.post("/v1/chat/completions", &json, &body);
        assert_eq!((answer.status(), answer.is_whole()), (200, true));
    }
    proxy.page()
}

fn families(page: &str) -> BTreeMap<String, Family> {
    let mut families = BTreeMap::<String, Family>::new();
    let mut current = String::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            current = name.to_owned();
            families.entry(current.clone()).or_default().help = help.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            families.get_mut(name).unwrap().kind = kind.to_owned();
        } else {
            assert!(line.starts_with(&current), "{line} stands under {current}");
            families.get_mut(&current).unwrap().sample(line);
        }
    }
    families
}

impl Family {
    fn sample(&mut self, line: &str) {
        let Some((_, labels)) = line.split_once('{') else {
            return;
        };
        let labels = labels.rsplit_once('}').unwrap().0;
        for label in labels.trim_end_matches(',').split("\",").filter(|label| !label.is_empty()) {
            let (name, value) = label.split_once("=\"").unwrap();
            let value = value.trim_end_matches('"');
            if name != "le" {
                self.labels.insert(name.to_owned());
            } else if !self.buckets.iter().any(|bucket| bucket == value) {
                self.buckets.push(value.to_owned());
            }
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn written(families: &BTreeMap<String, Family>) -> String {
    let mut text = String::from(
        "# Metrics\n\n<!-- Generated by tests/it/metrics.rs from a real page: `make bless`. -->\n\n\
         `GET /metrics` on the admin port (default `127.0.0.1:8788`), in Prometheus' text format. \
         Names\nare stable across one minor release. A histogram has `_bucket`, `_sum` and \
         `_count` series.\n\nLabel values are enums, or names that stand in manifests: a model \
         that no manifest declares is\n`other`, and what no rule took is `none`.\n",
    );
    let quoted = |names: &mut dyn Iterator<Item = &String>| {
        names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    for (name, family) in families {
        let Family { kind, help, labels, buckets } = family;
        write!(text, "\n## `{name}`\n\nA {kind}. {help}\n").unwrap();
        if !labels.is_empty() {
            write!(text, "\nLabels: {}.\n", quoted(&mut labels.iter())).unwrap();
        }
        if !buckets.is_empty() {
            write!(text, "\nBuckets: {}.\n", buckets.join(", ")).unwrap();
        }
    }
    text
}

/// `BLESS=1` rewrites the page.
#[test]
fn the_documented_metrics_are_those_of_a_real_page() {
    let page = page_after_calls();
    assert!(!page.contains("made-up-by-the-caller"), "a caller's word became a label");
    assert!(page.contains(r#"gen_ai_request_model="declared""#));
    let families = families(&page);
    super::bless::check(&root().join("docs/metrics.md"), &written(&families));
    let told: BTreeSet<&str> = families.keys().map(String::as_str).collect();
    let source = std::fs::read_to_string(root().join("src/proxy/metrics.rs")).unwrap();
    assert_eq!(told, registered(&source), "a family that these calls do not touch");
}

/// The names of families in the code: what begins as they do and is no label.
fn registered(source: &str) -> BTreeSet<&str> {
    let quoted = source.split('"').skip(1).step_by(2);
    let begins = |text: &str| text.starts_with("pillion_") || text.starts_with("gen_ai_");
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let labels = [
        "gen_ai_provider_name",
        "gen_ai_request_model",
        "gen_ai_operation_name",
        "gen_ai_token_type",
    ];
    quoted.filter(|text| begins(text) && is_name(text) && !labels.contains(text)).collect()
}
