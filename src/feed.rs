//! Where a proxy's world comes from: a folder of manifests, or a controller's bundles.
//!
//! Bundles: [`subscription`] (the stream that they come by), [`cache`] (the last one, kept for the
//! next start). Manifests: [`files`] (watches the folder and says when to read it again),
//! [`folder`] (what is read), [`manifests`] (their objects, as a `World` with everything that is
//! wrong), [`finding`] (what is wrong where), [`documents`] (any YAML as plain values). Private:
//! `listing` (which files there are), `draft`, `yaml` (text to values with positions), `schema`
//! (the bounds of the generated definitions, so that files and API server agree), `secrets`.
//!
//! Invariants: a broken document never hides a good one; nothing that is reported carries a value
//! from a file or a bundle, only names of fields and objects; nothing here reads the environment.
//! Does not know what the objects come to (`compile`'s) nor what a caller does about a broken
//! folder.

pub mod cache;
pub mod documents;
mod draft;
pub mod files;
pub mod finding;
pub mod folder;
mod listing;
pub mod manifests;
mod schema;
mod secrets;
pub mod subscription;
mod yaml;

pub use files::{Files, OpenError, Watching};
pub use finding::{Finding, Place, Sources};
pub use folder::Folder;
pub use manifests::{GivenKey, Manifests};
