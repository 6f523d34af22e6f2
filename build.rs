//! Links a release by `link/sidecar.ld`, which puts together what a sidecar runs.
//!
//! The kernel maps 16 pages around each one that is run, so code that is strewn about the file is
//! resident with all its neighbours. Order is all that the script changes. For other targets than
//! the one that it was recorded on, a release is linked as the compiler would have it.

use std::env;

const SCRIPT: &str = "link/sidecar.ld";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SCRIPT}");
    let target = ["OS", "ENV", "ARCH"].map(|part| given(&format!("CARGO_CFG_TARGET_{part}")));
    if target != ["linux", "gnu", "x86_64"] || given("PROFILE") != "release" {
        return;
    }
    println!("cargo::rustc-link-arg-bin=pillion=-T{}/{SCRIPT}", given("CARGO_MANIFEST_DIR"));
    // Relocations in their short form need a C library of 2022 where the program is started, unless
    // it brings its own.
    if given("CARGO_CFG_TARGET_FEATURE").split(',').any(|feature| feature == "crt-static") {
        println!("cargo::rustc-link-arg-bin=pillion=-Wl,-z,pack-relative-relocs");
    }
}

#[expect(clippy::disallowed_methods, reason = "cargo speaks to a build script by variables")]
fn given(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
