//! The benchmark of Pillion's data plane beside nginx, HAProxy, Envoy and a bare hyper relay.
//!
//! One binary, four roles: `run` starts everything, loads it, measures and reports; `upstream` is
//! the provider that everybody forwards to; `relay` is the least that a proxy made with hyper does;
//! `pauses` looks at the machine.
//! `scripts/bench` builds and starts it. Knows Pillion as a program only, never its code.
//!
//! In reading order: [`plan`] (what is measured), [`bench`] (how), [`peer`] (who), [`load`] and
//! [`upstream`] (under what), [`dialect`], [`request`] and [`answer`] (what is said), [`proc`] (from
//! where), [`pauses`] (how good it can be), [`results`], [`figures`] and [`report`] (what is said of it).

mod answer;
mod bench;
mod check;
mod dialect;
mod figures;
mod http1;
mod load;
mod machine;
mod median;
mod pauses;
mod peer;
mod plan;
mod proc;
mod process;
mod relay;
mod report;
mod request;
mod results;
mod settings;
mod streams;
mod tls;
mod upstream;

use std::process::ExitCode;

use anyhow::bail;

fn main() -> ExitCode {
    match role() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn role() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run", folder, report] => bench::run(folder.as_ref(), report.as_ref()),
        ["pauses"] => {
            pauses::run();
            Ok(())
        }
        ["upstream", folder] => upstream::run(folder.as_ref()),
        ["relay", upstream, scheme, folder] => relay::run(upstream, scheme, folder.as_ref()),
        _ => bail!("start me with `make bench`"),
    }
}
