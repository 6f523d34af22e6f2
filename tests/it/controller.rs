//! The controller on a real Kubernetes API server.

mod lease;
mod status;
mod status_command;
