//! World -> Table: pure, deterministic, collects every fault. Every URI, header, weight and
//! duration is parsed here, never later.
//!
//! In reading order: [`providers`] (a ProviderSecret: [`endpoints`], [`auth`], [`accounts`],
//! [`headers`], [`tls`], [`translation`],
//! [`grants`]), [`routes`] (an LlmRoute: [`clients`], [`rules`] with their
//! [`matches`], [`targets`] and [`timeouts`]), [`shadow`] (which match another one takes the calls
//! from), [`models`] (what is listed), [`version`]; [`hold`] (which objects of the world before go
//! on, because their edits are bad). [`Selector`] reads label selectors for all.
//!
//! What holds whatever is wrong: one bad object never hides a good one; what cannot be used is
//! left out, and its share goes to the others; a rule that matches but has nothing left refuses,
//! so that no wider rule catches its calls. Does not know where the world comes from.

mod accounts;
mod auth;
mod clients;
mod durations;
mod endpoints;
pub mod fault;
mod grants;
mod headers;
pub mod hold;
mod keys;
mod matches;
mod models;
mod providers;
mod report;
mod routes;
mod rules;
mod selector;
mod shadow;
mod targets;
#[cfg(test)]
mod tests;
mod timeouts;
mod tls;
mod translation;
mod version;
pub mod world;

use crate::table::{Index, Table};
pub use fault::{Fault, ObjectId, ResourceKind, Severity, Subject};
pub use grants::may_name;
pub use selector::Selector;
pub use world::World;

/// What a compile run comes to.
#[derive(Debug)]
pub struct Compiled {
    /// The table: what is wrong is left out of it, or refuses.
    pub table: Table,
    /// Every fault, in the order of the objects.
    pub faults: Vec<Fault>,
}

/// A world's content hash: 16 hex digits, the same for the same objects and keys in whatever order.
/// It is the version of the table that the world comes to, and of the bundle that carries it.
pub fn version_of(world: &World) -> String {
    version::of(world)
}

/// Compiles a world. The same world gives the same table and faults, whatever its objects' order.
pub fn compile(world: &World) -> Compiled {
    let mut faults = Vec::new();
    let providers = providers::compile(world, &mut faults);
    let routes = routes::compile(world, &providers, &mut faults);
    let candidates = Index::new(routes.candidates);
    shadow::report(&candidates, &routes.rules, &mut faults);
    let models = models::list(&candidates, &routes.rules, &mut faults);
    // Stable: within an object, faults stay in the order in which they were found.
    faults.sort_by(|a, b| a.object.cmp(&b.object));
    let table = Table {
        version: version::of(world),
        candidates,
        models,
        model_labels: models::labels(world),
    };
    Compiled { table, faults }
}
