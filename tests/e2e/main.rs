//! Pillion on a real node: the image, the chart and two objects, and pods that have a label and
//! nothing else. `make e2e` runs it; it needs root, and is not among `cargo test`'s own.
//!
//! One story, told in order, because each part needs what those before it have made: [`story`]. The
//! pods have no way out of the node; what answers them is the scripted provider of
//! `tests/playground`, as a pod. At its end `make cluster` is tried there: [`playground`]. What was said and what there was is kept when it fails:
//! [`records`].

#[cfg(test)]
mod application;
#[cfg(test)]
mod playground;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod records;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod story;
