//! `make cluster` where it is not root: every line that it prints, in the order in which it prints
//! them. Those of a node are tried by `tests/e2e`.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pillion_playground::screen::Screen;
use pillion_playground::terminal::{Shown, Terminal};
use pillion_playground::{Listener, Playground};
use tempfile::TempDir;
use tokio::time::sleep;

/// Every made-up key begins so.
const CANARY: &str = "made-up-key-";

#[tokio::test]
async fn every_line_does_what_is_said_of_it() {
    let (shown, arrived) = (Shown::default(), Arc::new(Mutex::new(Vec::new())));
    let screen = Screen::of(Box::new(shown.clone()));
    let heard = Arc::clone(&arrived);
    let listener: Listener = Arc::new(move |line| heard.lock().unwrap().push(line.to_owned()));
    let pillion = Path::new(env!("CARGO_BIN_EXE_pillion"));
    let playground = Playground::start(pillion, &screen, listener).await.unwrap();
    screen.tell(&playground).unwrap();

    let (folder, environment) = (TempDir::new().unwrap(), playground.environment().join("\n"));
    let home = folder.path().to_owned();
    let terminal = Terminal { home, environment, printed: shown.text() };
    terminal.take(&playground.steps()).await.unwrap();
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

/// The controller has all the rights that it needs, and nobody tells a key.
fn logs(playground: &Playground) {
    for log in playground.logs() {
        let text = std::fs::read_to_string(log).unwrap();
        assert!(text.contains("listening") && !text.contains(CANARY), "{text}");
        assert!(!text.to_lowercase().contains("forbidden"), "{text}");
        assert!(!text.contains("\"level\":\"ERROR\""), "{text}");
    }
}
