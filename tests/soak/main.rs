//! The soak: callers, streams, faults and reloads against one Pillion for as long as one likes, and
//! books that must agree to the last call and token. `make soak` runs it.
//!
//! Everything that goes wrong is in the script ([`script`]): the upstream does what a call's plan
//! says, the caller knows what that must look like, and [`books`] compare both with each line of the
//! access log and with the metrics. What the script did not cause fails the test; nothing is tried
//! again.
//!
//! `SOAK_MINUTES`, `SOAK_STREAMS`, `SOAK_RATE` (calls a second), `SOAK_SEED` set the load; without
//! them it is a short and light one, for `make test`.

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod books;
#[cfg(test)]
mod callers;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod reloads;
#[cfg(test)]
mod run;
#[cfg(test)]
mod script;
#[cfg(test)]
mod upstream;
#[cfg(test)]
mod wire;
