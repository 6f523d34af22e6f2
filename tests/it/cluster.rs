//! Pillion's resources on a real Kubernetes API server, and that server's own life.

mod columns;
mod examples;
mod lifecycle;
mod manual;
mod providers;
mod refused;
mod routes;
mod watching;
