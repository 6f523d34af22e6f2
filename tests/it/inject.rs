//! Injection: pods of many shapes in and out, `pillion render`, and the API server's real questions.

mod documented;
mod pods;
mod render;

use pillion::inject::settings::Settings;
use serde_json::{Value, json};

/// Settings with all defaults.
fn settings() -> Settings {
    read_settings(json!({
        "image": "ghcr.io/pillion-dev/pillion:0.1.0",
        "controller": "pillion.pillion-system.svc:8790",
    }))
}

#[track_caller]
fn read_settings(value: Value) -> Settings {
    Settings::from_value(value).unwrap_or_else(|fault| panic!("{fault}"))
}
