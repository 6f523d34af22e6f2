//! The order of the show, and what is said in between.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::Context;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::client::{self, Reply};
use super::folder::{EDITED, MODEL_AFTER, MODEL_BEFORE};
use super::journal::Entry;
use super::provider::Received;
use super::screen::{self, Screen};
use super::script::{self, CALLERS_TOKEN, Call};
use super::stage::{Stage, Told};
use crate::cli::reload::{self, Reloaded};
use crate::compile::Severity;

/// Enough calls for weights to show.
const SHARED_CALLS: usize = 20;

/// Words of the stream that runs while the manifests change: some four seconds.
const LONG: u32 = 100;

/// The manifests are edited after so many words.
const WORDS_BEFORE_EDIT: u32 = 12;

/// Plays the show.
pub(super) async fn play(stage: &mut Stage) -> anyhow::Result<()> {
    begin(stage)?;
    for call in script::calls() {
        let told = stage.call(call).await?;
        let received = told.received.as_ref();
        stage.screen.call(&told.call, received, &told.reply, &told.entry)?;
    }
    others(stage).await?;
    shared(stage).await?;
    reload(stage).await?;
    end(stage)
}

/// Stays up: tells of calls by hand and of edits, until it is dropped.
pub(super) async fn stay(stage: &mut Stage) -> anyhow::Result<()> {
    by_hand(stage)?;
    loop {
        tokio::select! {
            entry = stage.journal.next() => {
                let entry = entry.context("the access log has ended")?;
                stage.screen.line("call", &screen::in_short(&entry))?;
            }
            manifests = reload::next(&mut stage.files) => {
                let reloaded = manifests.map(|manifests| stage.reloader.apply(manifests));
                reloaded.map_or(Ok(()), |reloaded| tell_reload(stage, &reloaded))?;
            }
        }
    }
}

fn begin(stage: &Stage) -> anyhow::Result<()> {
    let screen = &stage.screen;
    screen.heading("Pillion, between an application and its LLM providers")?;
    screen.line("client", "an application: SDK-shaped calls, with a token of its own")?;
    screen.line("Pillion", &format!("http://{}", stage.plane.address))?;
    let scripted = format!("http://{}, a script on loopback", stage.provider.address);
    screen.line("providers", &scripted)?;
    screen.line("table", &stage.version())?;
    let legend = "Lines with - are as the application sent them, lines with + as the provider got \
                  them; keys are redacted.";
    screen.line("", legend)?;
    Ok(())
}

async fn others(stage: &mut Stage) -> anyhow::Result<()> {
    stage.screen.block("Other APIs, the same routes")?;
    for call in script::others() {
        let told = stage.call(call).await?;
        stage.screen.line("", &screen::in_short(&told.entry))?;
    }
    Ok(())
}

async fn shared(stage: &mut Stage) -> anyhow::Result<()> {
    stage.screen.block(script::shared().title)?;
    let mut counts = BTreeMap::<String, usize>::new();
    for _ in 0..SHARED_CALLS {
        let Told { entry, .. } = stage.call(script::shared()).await?;
        *counts.entry(target(&entry)).or_default() += 1;
    }
    for (target, count) in counts {
        let text = format!("{count:>2} of {SHARED_CALLS} calls -> {target}");
        stage.screen.line("", &text)?;
    }
    Ok(())
}

fn target(entry: &Entry) -> String {
    let provider = entry.provider.as_deref().unwrap_or("none");
    let model = entry.model_sent.as_ref().or(entry.model.as_ref());
    format!("{provider}, as {}", model.map_or("none", |model| model))
}

/// A stream runs, the manifests change, a new call follows them, the stream ends whole.
async fn reload(stage: &mut Stage) -> anyhow::Result<()> {
    let long = script::long(LONG).addressed(stage.plane.address);
    stage.screen.block(long.title)?;
    let running = Running::default();
    let screen = Rc::clone(&stage.screen);
    let streaming = running.stream(stage.plane.address, &long, &screen);
    let (reply, edited) = tokio::join!(streaming, follow(stage, &running));
    edited?;
    let told = stage.told(long.clone(), reply?).await?;
    let text = screen::in_short(&told.entry);
    stage.screen.bright("stream", &text)?;
    Ok(())
}

/// Edits the manifests once the stream speaks, and sends a call that follows them.
async fn follow(stage: &mut Stage, running: &Running) -> anyhow::Result<()> {
    running.heard.notified().await;
    edit(stage).await?;
    let told = stage.call(script::alias()).await?;
    let when = match running.over.get() {
        false => "while the stream runs",
        true => "after the stream",
    };
    let text = format!("{}; {when}", screen::in_short(&told.entry));
    stage.screen.bright("new call", &text)?;
    Ok(())
}

/// A stream that is being heard.
#[derive(Default)]
struct Running {
    words: Cell<u32>,
    over: Cell<bool>,
    /// Enough words have come, or it is over.
    heard: Notify,
}

impl Running {
    async fn stream(
        &self,
        proxy: SocketAddr,
        call: &Call,
        screen: &Screen,
    ) -> anyhow::Result<Reply> {
        let hear = |word: &str| {
            // What cannot be written now is reported by the next block.
            let _ = screen.word("stream", word);
            self.words.set(self.words.get() + 1);
            if self.words.get() == WORDS_BEFORE_EDIT {
                self.heard.notify_one();
            }
        };
        let reply = client::send(proxy, call, hear).await;
        self.over.set(true);
        self.heard.notify_one();
        reply
    }
}

async fn edit(stage: &mut Stage) -> anyhow::Result<()> {
    let screen = Rc::clone(&stage.screen);
    screen.line("edit", &format!("{EDITED}: {MODEL_BEFORE} becomes {MODEL_AFTER}"))?;
    let before = stage.version();
    let began = Instant::now();
    stage.folder.edit()?;
    let manifests = reload::next(&mut stage.files).await;
    let reloaded = stage.reloader.apply(manifests.context("the manifests cannot be read")?);
    let (result, after) = (reloaded.result, stage.version());
    let took = began.elapsed().as_millis();
    let text = format!("{result} {took} ms after the edit: table {before} -> {after}");
    screen.line("reload", &text)?;
    Ok(())
}

fn end(stage: &Stage) -> anyhow::Result<()> {
    let received = stage.provider.all();
    let leaks = received.iter().filter(|request| holds_token(request)).count();
    let (screen, count) = (&stage.screen, received.len());
    screen.heading("The application's own token")?;
    screen.line("", &format!("reached the providers in {leaks} of {count} requests"))?;
    Ok(())
}

fn holds_token(request: &Received) -> bool {
    let finder = memchr::memmem::Finder::new(CALLERS_TOKEN);
    let mut texts = request.headers.values().map(http::HeaderValue::as_bytes);
    texts.any(|value| finder.find(value).is_some())
        || finder.find(&request.body).is_some()
        || request.target.contains(CALLERS_TOKEN)
}

fn by_hand(stage: &Stage) -> anyhow::Result<()> {
    let (screen, proxy, admin) = (&stage.screen, stage.plane.address, stage.admin);
    let manifests = stage.folder.manifests();
    let manifests = manifests.display();
    screen.heading("It stays up. Try it from another terminal; calls and edits show here")?;
    screen.text(&format!(
        r#"
curl -N http://{proxy}/v1/chat/completions \
  -H 'content-type: application/json' \
  -d '{{"model":"fast","stream":true,"messages":[{{"role":"user","content":"hi"}}]}}'

curl http://{proxy}/v1/messages -H 'content-type: application/json' \
  -d '{{"model":"claude-haiku-4-5","max_tokens":12,
       "messages":[{{"role":"user","content":"hi"}}]}}'

curl http://{proxy}/v1/models
curl http://{admin}/metrics
curl http://{admin}/table

Edit the manifests, save, and call again:
  {manifests}
The access log:
  {}

Ctrl-C ends it and removes the files.
"#,
        stage.folder.access_log().display()
    ))?;
    Ok(())
}

fn tell_reload(stage: &Stage, reloaded: &Reloaded) -> anyhow::Result<()> {
    let text = format!("{}: table {} runs", reloaded.result, stage.version());
    stage.screen.bright("reload", &text)?;
    let findings = reloaded.findings.iter();
    for finding in findings.filter(|finding| finding.severity != Severity::Note) {
        let file = finding.place.as_ref().map(|place| {
            let name = place.file.file_name().unwrap_or_default();
            format!("{}:{}: ", name.display(), place.line)
        });
        let (file, path) = (file.unwrap_or_default(), &finding.path);
        let (message, remedy) = (&finding.message, &finding.remedy);
        let severity = finding.severity.as_str();
        let text = format!("{file}{severity}: {path}: {message}; {remedy}");
        stage.screen.line("", &text)?;
    }
    Ok(())
}
