//! What there is to try: commands for a shell, and what they show.
//!
//! Each command can be copied as it stands; tests run them in this order and look whether they show
//! it: `tests/it` those of an API server alone, `tests/e2e` those of a node.

mod caller;
mod node;

use std::path::Path;

use crate::playground::Playground;
use caller::Caller;

pub use node::steps as of_node;

/// Something to try.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is about.
    pub title: &'static str,
    /// What is to be seen.
    pub note: &'static str,
    /// The commands.
    pub lines: Vec<Line>,
}

/// A command, which may be of several lines.
#[derive(Debug, Clone)]
pub struct Line {
    /// It.
    pub command: String,
    /// What is to be found in what it says.
    pub shows: &'static [&'static str],
}

/// What another terminal needs before the steps.
pub(crate) fn environment(kubeconfig: &Path, folders: &[&Path]) -> Vec<String> {
    let mut path: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    path.dedup();
    vec![
        format!("export KUBECONFIG={}", kubeconfig.display()),
        format!("export PATH={}:$PATH", path.join(":")),
    ]
}

// === impl Playground ===

impl Playground {
    /// What another terminal needs before the steps.
    pub fn environment(&self) -> Vec<String> {
        environment(self.kubeconfig(), &self.programs())
    }

    /// The steps; each builds on those before it.
    pub fn steps(&self) -> Vec<Step> {
        let [chat, agent] = [self.chat(), self.agent()].map(Caller::Beside);
        let mut steps = vec![ask(&chat, &agent), look()];
        steps.extend(changes(&chat, &agent));
        steps
    }
}

// === impl Line ===

impl Line {
    fn new(command: impl Into<String>, shows: &'static [&'static str]) -> Self {
        Self { command: command.into(), shows }
    }
}

fn ask(chat: &Caller, agent: &Caller) -> Step {
    Step {
        title: "A call through each sidecar",
        note: "The answer says which model was asked, under which key. The last call is refused: \
               the agent's sidecar has no route for it.",
        lines: vec![
            chat.gpt(&["gpt-4o-mini, under the key that ends in one."]),
            agent.claude(&["z-ai/glm-4.5-air, under the key that ends in one."]),
            agent.gpt(&["no route takes the model `gpt-4o`"]),
        ],
    }
}

fn look() -> Step {
    let all = &["pod/agent", "Pending", "1/1", "OpenRouter"];
    Step {
        title: "What runs where",
        note: "The pods stay pending: there is no node, and their sidecars are processes here.",
        lines: vec![
            Line::new("kubectl get llmroutes,providersecrets,pods", all),
            Line::new("pillion status", &["all is well", "gpt-4o-mini"]),
        ],
    }
}

/// Edits of objects, and what they do to the next call.
fn changes(chat: &Caller, agent: &Caller) -> [Step; 5] {
    [edit(chat), rotate(chat), mistake(agent), mend(agent), relabel(agent)]
}

fn edit(chat: &Caller) -> Step {
    Step {
        title: "An edit",
        note: "The next call goes to gpt-5.",
        lines: vec![
            retarget("chat", "model", "gpt-5"),
            chat.gpt(&["gpt-5, under the key that ends in one."]),
        ],
    }
}

fn rotate(chat: &Caller) -> Step {
    let patch = r#"'{"stringData":{"api-key":"made-up-key-of-openai-two"}}'"#;
    Step {
        title: "A new key",
        note: "The next call goes out under the key that ends in two.",
        lines: vec![
            Line::new(format!("kubectl patch secret openai -p \\\n  {patch}"), &["patched"]),
            chat.gpt(&["gpt-5, under the key that ends in two."]),
        ],
    }
}

fn mistake(agent: &Caller) -> Step {
    Step {
        title: "A mistake",
        note: "ResolvedRefs is False, ProviderNotFound. What ran goes on: Programmed says \
               LastGoodKept, and the call is answered.",
        lines: vec![
            retarget("agent", "provider/name", "openruter"),
            agent.claude(&["z-ai/glm-4.5-air, under the key that ends in one."]),
            Line::new("kubectl get llmroute agent -o wide", &["False", "openruter"]),
            Line::new("pillion status", &["ProviderNotFound", "LastGoodKept"]),
        ],
    }
}

fn mend(agent: &Caller) -> Step {
    Step {
        title: "The remedy",
        note: "All is well again.",
        lines: vec![
            retarget("agent", "provider/name", "openrouter"),
            agent.claude(&["z-ai/glm-4.5-air"]),
            Line::new("pillion status", &["all is well"]),
        ],
    }
}

fn relabel(agent: &Caller) -> Step {
    Step {
        title: "Another label",
        note: "The agent's pod now has the chat's route: the call that was refused is answered.",
        lines: vec![
            Line::new("kubectl label pod agent app=chat --overwrite", &["labeled"]),
            agent.gpt(&["gpt-5, under the key that ends in two."]),
        ],
    }
}

/// Replaces a member of a route's first rule's only target.
fn retarget(route: &str, member: &str, value: &str) -> Line {
    let path = format!("/spec/rules/0/targets/0/{member}");
    let what = format!("\"op\":\"replace\",\"path\":\"{path}\"");
    let patch = format!("--type=json -p \\\n  '[{{{what},\n    \"value\":\"{value}\"}}]'");
    Line::new(format!("kubectl patch llmroute {route} {patch}"), &["patched"])
}
