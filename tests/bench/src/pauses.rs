//! How a processor of this machine stands still: what an empty loop sees of the clock.
//!
//! On a machine that is shared, the host takes processors away for milliseconds, from whoever runs
//! on them. No latency at a high percentile can be better than that.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::process::Program;
use crate::settings::Settings;

/// How long is looked.
const LOOK: Duration = Duration::from_secs(3);
/// A pause that is counted: longer than any loop takes by itself.
const COUNTED: Duration = Duration::from_micros(100);

/// All pauses of the peers' processor together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pauses {
    /// Of the time.
    pub(crate) share: f64,
    pub(crate) longest: Duration,
}

/// Looks where the peers will run, while nobody runs there.
pub(crate) fn look(settings: &Settings) -> anyhow::Result<Pauses> {
    let own = std::env::current_exe()?.to_string_lossy().into_owned();
    let program = Program {
        name: "pauses".to_owned(),
        command: vec![own, "pauses".to_owned()],
        folder: settings.folder.as_path(),
        cpu: settings.peer_cpu.as_deref(),
    };
    let (_process, line) = program.start_and_read()?;
    let (share, longest) = line.split_once(' ').context("two numbers")?;
    Ok(Pauses { share: share.parse()?, longest: Duration::from_micros(longest.parse()?) })
}

/// The other side of [`look`]: prints what it sees.
pub(crate) fn run() {
    let pauses = pauses(Instant::now, LOOK);
    println!("{} {}", pauses.share, pauses.longest.as_micros());
}

fn pauses(mut now: impl FnMut() -> Instant, look: Duration) -> Pauses {
    let began = now();
    let (mut last, mut lost, mut longest) = (began, Duration::ZERO, Duration::ZERO);
    while last - began < look {
        let this = now();
        let pause = this - last;
        if pause > COUNTED {
            lost += pause;
            longest = longest.max(pause);
        }
        last = this;
    }
    Pauses { share: lost.as_secs_f64() / (last - began).as_secs_f64(), longest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_what_the_clock_jumps_over() {
        let began = Instant::now();
        let mut times = [0, 50, 99, 2099, 2100, 7100, 10_000].into_iter();
        let now = || began + Duration::from_micros(times.next().unwrap());
        let seen = pauses(now, Duration::from_millis(10));
        assert_eq!(seen.longest, Duration::from_millis(5));
        assert!((seen.share - 0.99).abs() < 1e-9, "{}", seen.share);
    }
}
