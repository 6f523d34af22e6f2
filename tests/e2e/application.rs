//! The application: calls with curl, by the variables that the webhook has put into its pod.

use anyhow::{Context, ensure};
use pillion_cluster::until;

use crate::stage::{Stage, TEAM};

/// A dialect that the application speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
}

// === impl Dialect ===

impl Dialect {
    /// A shell's command that makes a call; `options` are curl's.
    pub(crate) fn call(self, message: &str, options: &str) -> String {
        let (url, model, headers) = match self {
            Self::OpenAi => (
                "$OPENAI_BASE_URL/chat/completions",
                "gpt-5",
                r#"-H "authorization: Bearer $OPENAI_API_KEY""#,
            ),
            Self::Anthropic => (
                "$ANTHROPIC_BASE_URL/v1/messages",
                "claude-sonnet-4-5",
                r#"-H "x-api-key: $ANTHROPIC_API_KEY" -H "anthropic-version: 2023-06-01""#,
            ),
        };
        let stream = options.contains("--no-buffer");
        let message = format!(r#"{{"role":"user","content":"{message}"}}"#);
        let body = format!(
            r#"{{"model":"{model}","max_tokens":99,"stream":{stream},"messages":[{message}]}}"#
        );
        let json = "-H 'content-type: application/json'";
        let curl = format!("curl -sS --fail-with-body --max-time 60 {options}");
        format!(r#"{curl} "{url}" {headers} {json} -d '{body}'"#)
    }
}

// === impl Stage ===

impl Stage {
    /// Runs a command in the application's container.
    pub(crate) async fn exec(&self, pod: &str, command: &str) -> anyhow::Result<String> {
        let exec = ["exec", "-n", TEAM, pod, "-c", "app", "--", "sh", "-c", command];
        self.site.kubectl(&exec).await
    }

    /// What a call of pod `chat` is answered.
    pub(crate) async fn call(&self, dialect: Dialect) -> anyhow::Result<String> {
        self.exec("chat", &dialect.call("hi", "")).await.context("a call")
    }

    /// Calls until the answer says `what`; none may fail until then.
    pub(crate) async fn until_answered(&self, what: &str) -> anyhow::Result<()> {
        let next = async || Ok(self.call(Dialect::OpenAi).await?.contains(what));
        until(&format!("an answer with `{what}`"), next).await
    }

    /// That a stream comes in events and ends as it should.
    pub(crate) async fn stream(&self, dialect: Dialect, end: &str) -> anyhow::Result<()> {
        let text = self.exec("chat", &dialect.call("hi", "--no-buffer")).await?;
        let events = text.lines().filter(|line| line.starts_with("data: ")).count();
        ensure!(events > 1 && text.contains(end), "not a stream that ends with {end}: {text}");
        Ok(())
    }
}
