//! One run: start, load, look at the memory, end, compare.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep};

use crate::books::{Books, TYPES, Totals};
use crate::callers::{Caller, Pace};
use crate::proxy::{Proxy, sum};
use crate::reloads::{self, CANARY, Written, manifests};
use crate::upstream::Upstream;

/// Enough for 500 calls a second, however long the slow ones take; at low rates there are fewer,
/// so that none is silent for so long that its connection is closed.
const CALLERS: usize = 128;
/// What a step of a steady load may add to the memory, in bytes, in the lower quartile of all steps
/// of a run's second half: a leak adds in every step (50 bytes a call come to this at 500 calls a
/// second), a new peak of calls at once only in its own.
const CREEP: i64 = 128 << 10;
/// The length of a step, in seconds.
const STEP: usize = 5;
/// What load may add to the memory of an idle process, beside [`FOR_STREAM`]: an unoptimised build,
/// measured at 128 callers.
const LOADED: u64 = 16 << 20;
/// What each open stream may add to that.
const FOR_STREAM: u64 = 128 << 10;
/// Ends that a run of some seconds comes to: each fault shows.
const ENDS: usize = 11;
/// How long it may take until everything is quiet after the load.
const SETTLING: Duration = Duration::from_secs(20);

/// What is asked of Pillion.
#[derive(Debug, Clone, Copy)]
struct Load {
    seconds: f64,
    streams: usize,
    rate: f64,
    seed: u64,
}

/// What is measured while it runs.
#[derive(Default)]
struct Memory(Vec<u64>);

#[test]
fn the_books_agree() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, run(Load::given()));
}

// === impl Load ===

impl Load {
    fn given() -> Self {
        let number = |name| std::env::var_os(name).and_then(|text| text.to_str()?.parse().ok());
        let light = number("SOAK_MINUTES").is_none();
        let seconds: f64 = number("SOAK_MINUTES").map_or(20.0, |minutes: f64| minutes * 60.0);
        Self {
            seconds,
            streams: number("SOAK_STREAMS").unwrap_or(if light { 50.0 } else { 200.0 }) as usize,
            rate: number("SOAK_RATE").unwrap_or(if light { 120.0 } else { 500.0 }),
            seed: std::env::var_os("SOAK_SEED")
                .and_then(|seed| seed.to_str()?.parse().ok())
                .unwrap_or_else(|| fastrand::u64(..)),
        }
    }
}

async fn run(load: Load) {
    println!("{load:?}");
    let books = Books::new(load.seed);
    let upstream = Upstream::start(&books).await.unwrap();
    let home = TempDir::new().unwrap();
    let folder = home.path().join("manifests");
    std::fs::create_dir(&folder).unwrap();
    reloads::write(&folder, &manifests(upstream.address, 0)).unwrap();
    let mut proxy = Proxy::start(&folder);
    let written = Rc::new(Written::default());
    while reloads::reloads(&proxy.admin, "applied").await < 1.0 {
        sleep(Duration::from_millis(20)).await;
    }
    written.good.set(1);
    let idle = proxy.descriptors();

    let began = Instant::now();
    let until = began + Duration::from_secs_f64(load.seconds);
    let pace = Rc::new(Pace { began, until, rate: load.rate, next: Cell::new(0) });
    let mut tasks = JoinSet::new();
    for _ in 0..load.streams {
        tasks.spawn_local(Caller::new(proxy.address, &books).listen(Rc::clone(&pace)));
    }
    for _ in 0..CALLERS.min(load.rate.ceil() as usize) {
        tasks.spawn_local(Caller::new(proxy.address, &books).call(Rc::clone(&pace)));
    }
    let own = (Rc::clone(&books), Rc::clone(&written));
    let admin = proxy.admin.clone();
    tasks.spawn_local(reloads::keep_reloading(admin, upstream.address, until, own));
    let memory = watch(&mut proxy, &books, &mut tasks).await;
    let took = began.elapsed();

    let quiet = settle(&mut proxy, &books, &upstream, idle).await;
    tell(&books.totals(), took, &memory, (&upstream, &written));
    let page = proxy.admin.page("/metrics").await.unwrap();
    compare(&books, &page, &written);
    assert!(quiet.is_none(), "not quiet after {SETTLING:?}: {quiet:?}");
    memory.judge(load.streams as u64);
    assert!(load.seconds < 15.0 || books.totals().calls.len() >= ENDS, "too little happened");
    let (ended, said) = proxy.end();
    assert!(ended && said.is_empty(), "{said:?}");
}

/// Reads the access log and the memory until every caller is done.
async fn watch(proxy: &mut Proxy, books: &Rc<Books>, tasks: &mut JoinSet<()>) -> Memory {
    let mut memory = Memory::default();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            line = proxy.lines.recv() => match line {
                Some(line) => enter(books, &line),
                None => panic!("Pillion ended"),
            },
            _ = ticks.tick() => memory.0.push(proxy.resident()),
            done = tasks.join_next() => match done {
                Some(done) => done.unwrap(),
                None => return memory,
            },
        }
    }
}

fn enter(books: &Books, line: &str) {
    if line.contains(CANARY) {
        books.wrong(format!("a key in the log: {line}"));
    }
    books.logged(line);
}

/// Waits until each call has its line and nothing is open any more; what is left if that never
/// comes.
async fn settle(
    proxy: &mut Proxy,
    books: &Books,
    upstream: &Upstream,
    idle: usize,
) -> Option<String> {
    let began = Instant::now();
    loop {
        while let Ok(line) = proxy.lines.try_recv() {
            enter(books, &line);
        }
        let descriptors = proxy.descriptors();
        let page = proxy.admin.page("/metrics").await.unwrap();
        let open =
            ["pillion_open_streams", "pillion_open_connections", "pillion_request_body_bytes"]
                .map(|name| (name, sum(&page, name, &[])));
        let (unpaired, pooled) = (books.unpaired(), upstream.open.get());
        let quiet = open.iter().all(|(_, value)| *value == 0.0);
        if unpaired == 0 && quiet && descriptors <= idle + pooled {
            return None;
        }
        if began.elapsed() > SETTLING {
            let fds = format!("{descriptors} descriptors, {idle} idle, {pooled} pooled");
            return Some(format!("{unpaired} unpaired, {open:?}, {fds}"));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// The metrics must say what the books say.
fn compare(books: &Books, page: &str, written: &Written) {
    let totals = books.totals();
    let mut expected: Vec<(String, f64, f64)> = Vec::new();
    let mut must = |name: &str, labels: &[(&str, &str)], value: f64| {
        expected.push((format!("{name}{labels:?}"), sum(page, name, labels), value));
    };
    for ((class, outcome), count) in &totals.calls {
        let class = if *class == 0 { "none".to_owned() } else { format!("{class}xx") };
        let labels = [("status_class", class.as_str()), ("outcome", outcome.as_str())];
        must("pillion_requests_total", &labels, *count as f64);
    }
    must("pillion_requests_total", &[], totals.all() as f64);
    for (token_type, (tokens, calls)) in TYPES.iter().zip(totals.tokens) {
        let labels = [("gen_ai_token_type", *token_type)];
        must("gen_ai_client_token_usage_sum", &labels, tokens as f64);
        must("gen_ai_client_token_usage_count", &labels, calls as f64);
    }
    must("pillion_panics_total", &[], 0.0);
    must("pillion_access_log_dropped_total", &[], 0.0);
    must("pillion_reloads_total", &[("result", "applied")], written.good.get() as f64);
    must("pillion_reloads_total", &[("result", "rejected")], written.broken.get() as f64);
    for (series, read, booked) in expected {
        if read != booked {
            books.wrong(format!("{series} is {read}, the books say {booked}"));
        }
    }
    // Whether a connection that was closed behind an answer is found out before or after the next
    // call goes out on it is a race; such a call is sent again, and not lost.
    let retries = sum(page, "pillion_upstream_retries_total", &[]);
    let (least, most) = (totals.retries as f64, (totals.retries + totals.closed) as f64);
    if retries < least || retries > most {
        books.wrong(format!("{retries} retries, not {least} to {most}"));
    }
    let defects = books.defects();
    assert!(defects.is_empty(), "{}", defects.join("\n"));
}

fn tell(
    totals: &Totals,
    took: Duration,
    memory: &Memory,
    (upstream, written): (&Upstream, &Written),
) {
    println!("{} calls in {took:.1?}", totals.all());
    for ((class, outcome), count) in &totals.calls {
        println!("  {class}xx {outcome}: {count}");
    }
    for (token_type, (tokens, calls)) in TYPES.iter().zip(totals.tokens) {
        println!("  {token_type} tokens: {tokens} in {calls} calls");
    }
    let (good, broken) = (written.good.get(), written.broken.get());
    println!("  {good} tables applied, {broken} rejected, slowest {:.1?}", written.slowest.get());
    println!("  retries at least {}, closed behind answers {}", totals.retries, totals.closed);
    println!("  abandoned calls let go within {:.1?}", upstream.let_go.get());
    let step = memory.0.len().div_ceil(24).max(1);
    let kib: Vec<u64> = memory.0.iter().step_by(step).map(|bytes| bytes >> 10).collect();
    println!("  resident KiB, each {step} s: {kib:?}");
}

// === impl Memory ===

impl Memory {
    /// It grows with the load, and then no more.
    fn judge(&self, streams: u64) {
        let half = &self.0[self.0.len() / 2..];
        let mut steps: Vec<i64> =
            half.windows(STEP + 1).map(|step| step[STEP] as i64 - step[0] as i64).collect();
        steps.sort_unstable();
        let creep = steps.get(steps.len() / 4).copied().unwrap_or_default();
        assert!(creep <= CREEP, "memory creeps up by {} KiB a step: {:?}", creep >> 10, self.0);
        let most = self.0.iter().copied().max().unwrap_or_default();
        let grown = most.saturating_sub(self.0.first().copied().unwrap_or_default());
        let bound = LOADED + streams * FOR_STREAM;
        assert!(grown <= bound, "load added {} KiB, not {}", grown >> 10, bound >> 10);
    }
}
