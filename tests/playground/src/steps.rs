//! What there is to try: commands for a shell, and what they show.
//!
//! Each command can be copied as it stands; `tests/it` runs them in this order and
//! looks whether they show it.

use std::net::SocketAddr;

use crate::playground::Playground;

/// Something to try.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is about.
    pub title: &'static str,
    /// What is to be seen.
    pub note: &'static str,
    /// The commands.
    pub commands: Vec<String>,
}

// === impl Playground ===

impl Playground {
    /// What another terminal needs before the steps.
    pub fn environment(&self) -> Vec<String> {
        let [tools, pillion] = self.programs();
        vec![
            format!("export KUBECONFIG={}", self.kubeconfig().display()),
            format!("export PATH={}:{}:$PATH", tools.display(), pillion.display()),
        ]
    }

    /// The steps; each builds on those before it.
    pub fn steps(&self) -> Vec<Step> {
        let (chat, agent) = (self.chat(), self.agent());
        vec![
            ask(chat, agent),
            look(),
            edit(chat),
            rotate(chat),
            mistake(agent),
            mend(agent),
            relabel(agent),
        ]
    }
}

fn ask(chat: SocketAddr, agent: SocketAddr) -> Step {
    Step {
        title: "A call through each sidecar",
        note: "The answer says which model was asked, under which key. The last call is refused: \
               the agent's sidecar has no route for it.",
        commands: vec![gpt(chat), claude(agent), gpt(agent)],
    }
}

fn look() -> Step {
    Step {
        title: "What runs where",
        note: "The pods stay pending: there is no node, and their sidecars are processes here.",
        commands: commands(["kubectl get llmroutes,providersecrets,pods", "pillion status"]),
    }
}

fn edit(chat: SocketAddr) -> Step {
    let patch = target("model", "gpt-5");
    Step {
        title: "An edit",
        note: "The next call goes to gpt-5.",
        commands: vec![format!("kubectl patch llmroute chat {patch}"), gpt(chat)],
    }
}

fn rotate(chat: SocketAddr) -> Step {
    let patch = r#"'{"stringData":{"api-key":"made-up-key-of-openai-two"}}'"#;
    Step {
        title: "A new key",
        note: "The next call goes out under the key that ends in two.",
        commands: vec![format!("kubectl patch secret openai -p \\\n  {patch}"), gpt(chat)],
    }
}

fn mistake(agent: SocketAddr) -> Step {
    let patch = target("provider/name", "openruter");
    Step {
        title: "A mistake",
        note: "ResolvedRefs is False, ProviderNotFound. What ran goes on: Programmed says \
               LastGoodKept, and the call is answered.",
        commands: vec![
            format!("kubectl patch llmroute agent {patch}"),
            claude(agent),
            "kubectl get llmroute agent -o wide".to_owned(),
            "pillion status".to_owned(),
        ],
    }
}

fn mend(agent: SocketAddr) -> Step {
    let patch = target("provider/name", "openrouter");
    Step {
        title: "The remedy",
        note: "All is well again.",
        commands: vec![
            format!("kubectl patch llmroute agent {patch}"),
            claude(agent),
            "pillion status".to_owned(),
        ],
    }
}

fn relabel(agent: SocketAddr) -> Step {
    Step {
        title: "Another label",
        note: "The agent's pod now has the chat's route: the call that was refused is answered.",
        commands: vec!["kubectl label pod agent app=chat --overwrite".to_owned(), gpt(agent)],
    }
}

fn commands<const N: usize>(commands: [&str; N]) -> Vec<String> {
    commands.map(str::to_owned).to_vec()
}

/// The arguments that replace a member of the first rule's only target.
fn target(member: &str, value: &str) -> String {
    let path = format!("/spec/rules/0/targets/0/{member}");
    let what = format!("\"op\":\"replace\",\"path\":\"{path}\"");
    format!("--type=json -p \\\n  '[{{{what},\n    \"value\":\"{value}\"}}]'")
}

fn gpt(sidecar: SocketAddr) -> String {
    let body = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}"#;
    curl(sidecar, "chat/completions", body)
}

fn claude(sidecar: SocketAddr) -> String {
    let message = r#"{"role":"user","content":"hi"}"#;
    let body = format!(
        "{{\"model\":\"claude-haiku-4-5\",\"max_tokens\":12,\n       \"messages\":[{message}]}}"
    );
    curl(sidecar, "messages", &body)
}

fn curl(sidecar: SocketAddr, path: &str, body: &str) -> String {
    let json = "-H 'content-type: application/json'";
    format!("curl -sS http://{sidecar}/v1/{path} \\\n  {json} \\\n  -d '{body}'")
}
