//! Settings, annotations and questions; what becomes of whole pods is in `tests/it/inject`.

use serde_json::{Value, json};

use super::decide::Skip;
use super::review::Request;
use super::settings::{self, Annotation, Settings};

fn fault(change: Value) -> String {
    let mut value = json!({ "image": "pillion", "controller": "a:1" });
    for (name, changed) in change.as_object().unwrap() {
        value[name] = changed.clone();
    }
    Settings::from_value(value).unwrap_err().to_string()
}

#[test]
fn settings_have_defaults_and_are_strict() {
    let value = json!({ "image": "pillion", "controller": "pillion.a.svc:8790" });
    let settings = Settings::from_value(value).unwrap();
    assert_eq!((settings.port.number(), settings.admin_port.number()), (8787, 8788));
    assert_eq!(settings.resources.requests.memory.unwrap().to_string(), "24Mi");
    assert!(settings.resources.limits.cpu.is_none());
    for (change, said) in [
        (json!({ "prot": 1 }), "unknown field `prot`"),
        (json!({ "port": 80 }), "port is no port: write a number from 1024 to 65535"),
        (json!({ "port": "8787" }), "port invalid type"),
        (json!({ "port": 8788 }), "port is 8788, as adminPort is: choose two"),
        (json!({ "controller": "pillion" }), "controller is no address: write HOST:PORT"),
        (json!({ "controller": "https://a:1" }), "controller is no address"),
        (json!({ "image": "" }), "image is no image"),
        (json!({ "logLevel": "loud" }), "logLevel is no level"),
        (json!({ "accessLog": "file" }), "unknown variant `file`, expected `stdout` or `off`"),
        (json!({ "imagePullPolicy": "always" }), "expected one of `Always`"),
        (json!({ "resources": { "limits": { "gpu": 1 } } }), "unknown field `gpu`"),
        (
            json!({ "resources": { "limits": { "cpu": true } } }),
            "resources.limits.cpu is no quantity",
        ),
        (
            json!({ "resources": { "requests": { "cpu": 2 }, "limits": { "cpu": "1500m" } } }),
            "resources.limits.cpu is 1500m, less than the request of 2",
        ),
        (json!({ "image": null }), "image invalid type"),
    ] {
        let fault = fault(change);
        assert!(fault.contains(said), "{fault}");
    }
    assert!(Settings::from_value(json!({})).unwrap_err().to_string().contains("missing field"));
}

#[test]
fn an_annotation_that_is_no_text_or_unknown_is_seen() {
    let settings = json!({ "image": "pillion", "controller": "a:1" });
    let settings = Settings::from_value(settings).unwrap();
    for annotation in Annotation::ALL {
        let annotations = json!({ (annotation.name()): 7 });
        let fault = settings.overridden(annotations.as_object().unwrap()).unwrap_err();
        assert!(fault.to_string().starts_with(&format!("annotation {} is no", annotation.name())));
    }
    let annotations = json!({
        "pillion.dev/port": "9000",
        "pillion.dev/injected": "1",
        "pillion.dev/controller-ca": "",
        "pillion.dev/prot": "1",
        "other.dev/port": "1",
    });
    let unknown = settings::unknown(annotations.as_object().unwrap());
    assert_eq!(unknown.into_iter().collect::<Vec<_>>(), ["pillion.dev/prot"]);
}

#[test]
fn a_question_is_read_with_members_of_the_future() {
    let review = |operation: &str, kind: &str, part: &str| {
        json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "later": {},
            "request": {
                "uid": "7",
                "kind": { "group": "", "version": "v1", "kind": kind, "later": 1 },
                "operation": operation,
                "subResource": part,
                "object": { "metadata": { "generateName": "app-" } },
                "later": [],
            },
        })
        .to_string()
    };
    let read = |text: String| Request::read(text.as_bytes()).unwrap();
    let pod = read(review("CREATE", "Pod", ""));
    assert_eq!((pod.concern(), pod.pod()), (Ok(()), "app-"));
    for (operation, kind, part) in
        [("UPDATE", "Pod", ""), ("CREATE", "Job", ""), ("CREATE", "Pod", "binding")]
    {
        assert_eq!(read(review(operation, kind, part)).concern(), Err(Skip::NotANewPod));
    }
}
