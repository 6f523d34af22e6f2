//! A new table every second: provider, key, header and model change together; now and then a
//! broken file, which must change nothing.

use std::cell::Cell;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::books::Books;
use crate::proxy::{Admin, sum};
use crate::wire::Head;

/// Tables that take turns; few, because each has metric series of its own.
const GENERATIONS: usize = 3;
/// One of so many files is broken.
const BROKEN: usize = 7;
/// A reload takes far less.
const GUARD: Duration = Duration::from_secs(20);

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) good: Cell<usize>,
    pub(crate) broken: Cell<usize>,
    /// The longest that a file took to run.
    pub(crate) slowest: Cell<Duration>,
}

/// The file of one generation.
pub(crate) fn manifests(upstream: SocketAddr, generation: usize) -> String {
    let apis = ["OpenAi", "AnthropicMessages", "Gemini"];
    let endpoints = |port: &str| {
        apis.map(|api| format!("{{ api: {api}, baseUrl: \"http://127.0.0.1:{port}\" }}")).join(", ")
    };
    let rule = |model: &str, provider: &str, timeouts: &str| {
        format!(
            "    - {{ name: {model}, matches: [{{ model: {model} }}], timeouts: {{ {timeouts} }}, \
             targets: [{{ provider: {{ name: {provider} }}, model: m-{generation} }}] }}\n"
        )
    };
    let meta = |kind: &str, name: &str| {
        format!(
            "---\napiVersion: pillion.dev/v1alpha1\nkind: {kind}\nmetadata: {{ name: {name}, \
             namespace: default }}\nspec:\n"
        )
    };
    let provider = |name: &str, port: &str| {
        meta("ProviderSecret", name)
            + &format!(
                "  provider: Custom\n  auth: {{ type: Bearer }}\n  endpoints: [{}]\n  headers: {{ \
                 set: {{ x-generation: \"{generation}\" }} }}\n  keys: [{{ name: main, secretRef: \
                 {{ name: keys, key: api-key }} }}]\n",
                endpoints(port)
            )
    };
    [
        provider("there", &upstream.port().to_string()),
        provider("gone", "1"),
        format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{ name: keys, namespace: default }}\n\
             stringData: {{ api-key: \"{}\" }}\n",
            key(generation)
        ),
        meta("LlmRoute", "soak"),
        "  rules:\n".to_owned(),
        // Loopback connects at once; what is long here is how long a busy machine may take.
        rule("steady", "there", "connect: 30s"),
        rule("unanswered", "there", "connect: 30s, firstByte: 300ms"),
        rule("silent", "there", "connect: 30s, idle: 300ms"),
        rule("refused", "gone", "connect: 30s"),
    ]
    .concat()
}

/// Everything that a table decides is its own.
pub(crate) fn is_of_one_table(head: &Head, body: &str) -> bool {
    let Some(generation) = head.header("x-generation").and_then(|text| text.parse().ok()) else {
        return false;
    };
    let in_body = body.contains(&format!("\"model\":\"m-{generation}\""));
    let in_path = head.first_line.contains(&format!("/models/m-{generation}:"));
    head.header("authorization") == Some(&format!("Bearer {}", key(generation)))
        && (in_body || in_path)
}

/// Part of every key: it must not come out of Pillion.
pub(crate) const CANARY: &str = "s0akC4n4ry";

fn key(generation: usize) -> String {
    format!("sk-{CANARY}-{generation}")
}

/// Writes a file whole, by renaming it into the folder from beside it: one change, one notice, one
/// reading.
pub(crate) fn write(folder: &Path, yaml: &str) -> io::Result<()> {
    let whole = folder.with_extension("new");
    fs::write(&whole, yaml)?;
    fs::rename(whole, folder.join("all.yaml"))
}

/// Writes a file a second, and waits each time until it has been read.
pub(crate) async fn keep_reloading(
    admin: Admin,
    upstream: SocketAddr,
    until: Instant,
    (books, written): (Rc<Books>, Rc<Written>),
) {
    let mut generation = 0;
    let mut due = Instant::now();
    for turn in 1.. {
        due += Duration::from_secs(1);
        if due >= until {
            return;
        }
        sleep_until(due).await;
        let (result, count) = match turn % BROKEN {
            0 => ("rejected", &written.broken),
            _ => ("applied", &written.good),
        };
        let yaml = match result {
            "applied" => {
                generation = (generation + 1) % GENERATIONS;
                manifests(upstream, generation)
            }
            _ => "kind: [".to_owned(),
        };
        let began = Instant::now();
        if let Err(error) = write(&admin.folder, &yaml) {
            books.wrong(format!("cannot write the manifests: {error}"));
        }
        count.set(count.get() + 1);
        while reloads(&admin, result).await < count.get() as f64 {
            if began.elapsed() > GUARD {
                return books.wrong(format!("a file was never {result}"));
            }
            sleep(Duration::from_millis(20)).await;
        }
        written.slowest.set(written.slowest.get().max(began.elapsed()));
    }
}

/// How many files had this result.
pub(crate) async fn reloads(admin: &Admin, result: &str) -> f64 {
    let page = admin.page("/metrics").await.unwrap_or_default();
    sum(&page, "pillion_reloads_total", &[("result", result)])
}
