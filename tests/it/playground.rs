//! `make cluster`: every line that it prints, in the order in which it prints them.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pillion_playground::screen::Screen;
use pillion_playground::steps::Step;
use pillion_playground::{Listener, Playground};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::support::GUARD;

/// Every made-up key begins so.
const CANARY: &str = "made-up-key-";

/// What each command of each step must show.
const SHOWN: [&[&[&str]]; 7] = [
    &[
        &["gpt-4o-mini, under the key that ends in one."],
        &["z-ai/glm-4.5-air, under the key that ends in one."],
        &["no route takes the model `gpt-4o`"],
    ],
    &[&["pod/agent", "Pending", "1/1", "OpenRouter"], &["all is well", "gpt-4o-mini"]],
    &[&["patched"], &["gpt-5, under the key that ends in one."]],
    &[&["patched"], &["gpt-5, under the key that ends in two."]],
    &[
        &["patched"],
        &["z-ai/glm-4.5-air, under the key that ends in one."],
        &["False", "openruter"],
        &["ProviderNotFound", "LastGoodKept"],
    ],
    &[&["patched"], &["z-ai/glm-4.5-air"], &["all is well"]],
    &[&["labeled"], &["gpt-5, under the key that ends in two."]],
];

/// What was written, for whoever wrote it and for us.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Another terminal.
struct Terminal {
    home: TempDir,
    environment: String,
}

impl Terminal {
    fn run(&self, command: &str) -> String {
        let script = format!("{}\n{command}", self.environment);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).env("HOME", self.home.path());
        let output = shell.output().unwrap();
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        format!("{stdout}{stderr}")
    }

    /// Runs it until it shows all this: a change takes milliseconds, and this asks faster.
    async fn shows(&self, command: &str, facts: &[&str]) {
        let begun = Instant::now();
        loop {
            let said = self.run(command);
            if facts.iter().all(|fact| said.contains(fact)) {
                return;
            }
            assert!(begun.elapsed() < GUARD, "no {facts:?}: {command}\n{said}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn every_line_does_what_is_said_of_it() {
    let (shown, arrived) = (Shown::default(), Arc::new(Mutex::new(Vec::new())));
    let screen = Screen::of(Box::new(shown.clone()));
    let heard = Arc::clone(&arrived);
    let listener: Listener = Arc::new(move |line| heard.lock().unwrap().push(line.to_owned()));
    let pillion = Path::new(env!("CARGO_BIN_EXE_pillion"));
    let playground = Playground::start(pillion, &screen, listener).await.unwrap();
    screen.tell(&playground).unwrap();
    let (text, environment) = (shown.text(), playground.environment().join("\n"));
    assert!(text.contains(&environment));

    let terminal = Terminal { home: TempDir::new().unwrap(), environment };
    let steps = playground.steps();
    assert_eq!(steps.len(), SHOWN.len());
    for (step, shown) in steps.iter().zip(SHOWN) {
        take(&terminal, step, shown, &text).await;
    }
    let arrived = arrived.lock().unwrap().clone();
    let last = "/openai/v1/chat/completions, model gpt-5, key ...-two";
    assert!(arrived.iter().any(|line| line == last), "{arrived:?}");
    logs(&playground);

    let folder = playground.kubeconfig().parent().unwrap().to_owned();
    drop(playground);
    while folder.exists() {
        sleep(Duration::from_millis(20)).await;
    }
}

async fn take(terminal: &Terminal, step: &Step, shown: &[&[&str]], text: &str) {
    assert_eq!(step.commands.len(), shown.len(), "{}", step.title);
    for (command, facts) in step.commands.iter().zip(shown) {
        assert!(text.contains(command.as_str()), "it is not printed: {command}");
        let wide = command.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None);
        terminal.shows(command, facts).await;
    }
}

/// The controller has all the rights that it needs, and nobody tells a key.
fn logs(playground: &Playground) {
    for log in playground.logs() {
        let text = std::fs::read_to_string(log).unwrap();
        assert!(text.contains("listening") && !text.contains(CANARY), "{text}");
        assert!(!text.to_lowercase().contains("forbidden"), "{text}");
        assert!(!text.contains("\"level\":\"ERROR\""), "{text}");
    }
}
