//! The steps that need a node: pods that run, Helm, logs, metrics.

use super::caller::Caller;
use super::{Line, Step, ask, changes};

/// All steps on a node; each builds on those before it.
pub fn steps() -> Vec<Step> {
    let [chat, agent] = ["chat", "agent"].map(Caller::In);
    let mut steps = vec![look(), log_of_application(), ask(&chat, &agent), stream(&chat)];
    steps.extend(changes(&chat, &agent));
    steps.extend([plain(), log_of_sidecar(), metrics(), upgrade(), lose_controllers(&chat)]);
    steps
}

fn look() -> Step {
    let routes = "kubectl get llmroutes,providersecrets";
    Step {
        title: "What there is",
        note: "Each pod was written with one container and has two: the sidecar was put in. Both \
               routes run in one of one sidecars.",
        lines: vec![
            Line::new("kubectl get pods", &["agent", "chat", "2/2"]),
            Line::new(routes, &["1/1", "OpenRouter"]),
            Line::new("pillion status", &["all is well", "gpt-4o-mini"]),
            Line::new("kubectl get pods -n pillion-system", &["1/1"]),
        ],
    }
}

fn log_of_application() -> Step {
    Step {
        title: "What the applications are answered",
        note: "They call every five seconds, with what their SDKs would read from the environment: \
               a base URL on loopback, and a key that is none.",
        lines: vec![
            Line::new("kubectl logs chat -c app --tail=1", &["gpt-4o-mini"]),
            Line::new("kubectl exec chat -c app -- env | grep OPENAI", &["http://127.0.0.1:"]),
        ],
    }
}

fn stream(chat: &Caller) -> Step {
    Step {
        title: "A stream",
        note: "It is relayed as it comes, to its end.",
        lines: vec![chat.streamed(&["chat.completion.chunk", "[DONE]"])],
    }
}

fn plain() -> Step {
    let run = "kubectl run plain --image=pillion.test/shell:1";
    let wait = "kubectl wait pod/plain --for=condition=Ready --timeout=60s";
    Step {
        title: "A pod without the label",
        note: "It has one container, and nobody has told it anything.",
        lines: vec![
            Line::new(run, &["plain"]),
            Line::new(wait, &["condition met"]),
            Line::new("kubectl get pod plain", &["1/1"]),
        ],
    }
}

fn log_of_sidecar() -> Step {
    let log = "kubectl logs chat -c pillion --tail=1";
    Step {
        title: "What the sidecar logs",
        note: "A line a call: which route and provider, what the model was called before and after, \
               tokens, and no key.",
        lines: vec![Line::new(log, &["\"model_sent\":\"gpt-5\"", "playground/openai"])],
    }
}

fn metrics() -> Step {
    let forward = "kubectl port-forward chat 18788:8788 >/dev/null &";
    let page = "curl -s --retry 9 --retry-connrefused http://127.0.0.1:18788/metrics";
    let grep = "grep operation_duration_seconds_count; kill $!";
    Step {
        title: "Metrics",
        note: "Calls so far, by route, provider and model.",
        lines: vec![Line::new(
            format!("{forward}\n{page} |\n  {grep}"),
            &["gen_ai_request_model=\"gpt-5\""],
        )],
    }
}

fn upgrade() -> Step {
    let chart = pillion_cluster::chart();
    let upgrade = format!("helm upgrade pillion \\\n  {} \\\n  ", chart.display());
    let values = "-n pillion-system --set controller.replicas=3 --wait |\n  grep REVISION";
    Step {
        title: "An upgrade",
        note: "A third replica of the controller. The sidecars stay as they are.",
        lines: vec![
            Line::new(upgrade + values, &["REVISION"]),
            Line::new("kubectl get deploy -n pillion-system", &["3/3"]),
        ],
    }
}

fn lose_controllers(chat: &Caller) -> Step {
    let which = "-l app.kubernetes.io/component=controller";
    let delete = format!("kubectl delete pod -n pillion-system \\\n  {which} --wait=false");
    let back = "kubectl rollout status -n pillion-system deploy/pillion";
    Step {
        title: "All controllers are lost",
        note: "Calls go on under what the sidecars know; then the controllers are back.",
        lines: vec![
            Line::new(delete, &["deleted"]),
            chat.gpt(&["gpt-5, under the key that ends in two."]),
            Line::new(back, &["successfully rolled out"]),
        ],
    }
}
