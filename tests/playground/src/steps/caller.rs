//! Calls with curl: of who stands beside a sidecar that is a process, or in a pod that has one.

use std::net::SocketAddr;

use super::Line;

/// Where the call comes from.
pub(super) enum Caller {
    /// Any terminal; the sidecar listens on loopback.
    Beside(SocketAddr),
    /// The application's container of this pod, which was told where its sidecar is.
    In(&'static str),
}

// === impl Caller ===

impl Caller {
    /// A call in OpenAI's dialect.
    pub(super) fn gpt(&self, shows: &'static [&'static str]) -> Line {
        let body = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}"#;
        Line::new(self.curl("", ["$OPENAI_BASE_URL", "chat/completions"], body), shows)
    }

    /// The same, streamed.
    pub(super) fn streamed(&self, shows: &'static [&'static str]) -> Line {
        let body = "{\"model\":\"gpt-4o\",\"stream\":true,\n  \
                    \"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";
        Line::new(self.curl("N", ["$OPENAI_BASE_URL", "chat/completions"], body), shows)
    }

    /// A call in Anthropic's dialect.
    pub(super) fn claude(&self, shows: &'static [&'static str]) -> Line {
        let message = r#"{"role":"user","content":"hi"}"#;
        let body = format!(
            "{{\"model\":\"claude-haiku-4-5\",\"max_tokens\":12,\n       \"messages\":[{message}]}}"
        );
        Line::new(self.curl("", ["$ANTHROPIC_BASE_URL/v1", "messages"], &body), shows)
    }

    fn curl(&self, option: &str, [base, path]: [&str; 2], body: &str) -> String {
        let json = "-H 'content-type: application/json'";
        match self {
            Self::Beside(sidecar) => {
                let url = format!("http://{sidecar}/v1/{path}");
                format!("curl -sS{option} {url} \\\n  {json} \\\n  -d '{body}'")
            }
            // The body comes by standard input: quotes within quotes are nothing to copy.
            Self::In(pod) => {
                let exec = format!("kubectl exec -i {pod} -c app -- sh -c");
                let curl = format!("curl -sS{option} {base}/{path} -d @-");
                let json = "-H \"content-type: application/json\"";
                format!("echo '{body}' |\n  {exec} \\\n  '{curl} \\\n   {json}'")
            }
        }
    }
}
