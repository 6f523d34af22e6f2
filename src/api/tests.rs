use serde_json::{Value, json};

use super::*;

fn rules(rules: Value) -> Value {
    json!({"rules": rules})
}

#[test]
fn defaults_leave_no_trace() {
    let spec: LlmRouteSpec =
        serde_json::from_value(rules(json!([{"targets": [{"provider": {"name": "p"}}]}]))).unwrap();
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(text, r#"{"rules":[{"targets":[{"provider":{"name":"p"}}]}]}"#);
    assert_eq!(spec.rules[0].targets[0].weight, 1);
}
