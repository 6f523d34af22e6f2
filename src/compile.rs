//! World -> Table: pure, deterministic, collects every fault. Every URI, header, weight and
//! duration is parsed here, never later.

pub mod fault;
pub mod world;

use crate::table::Table;
pub use fault::{Fault, ObjectId, ResourceKind, Severity};
pub use world::World;

/// What a compile run comes to.
#[derive(Debug)]
pub struct Compiled {
    /// The table: what is wrong is left out of it, or refuses.
    pub table: Table,
    /// Every fault, in the order of the objects.
    pub faults: Vec<Fault>,
}

/// Compiles a world. The same world gives the same table and faults, whatever its objects' order.
pub fn compile(world: &World) -> Compiled {
    let _ = world;
    Compiled {
        table: Table::default(),
        faults: Vec::new(),
    }
}
