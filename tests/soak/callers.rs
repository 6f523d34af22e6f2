//! The callers: each makes a call, looks at what comes, and writes into the books what must be
//! logged of it.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use crate::bodies::{self, ERROR};
use crate::books::Books;
use crate::script::{Fate, NOTHING, Plan, Shape, Told};
use crate::wire::{Body, Head, Wire};

/// Nothing takes this long.
const GUARD: Duration = Duration::from_secs(60);

/// One caller with its connection.
pub(crate) struct Caller {
    address: SocketAddr,
    books: Rc<Books>,
    wire: Option<Wire>,
}

/// When calls begin.
pub(crate) struct Pace {
    pub(crate) began: Instant,
    pub(crate) until: Instant,
    /// Calls a second.
    pub(crate) rate: f64,
    pub(crate) next: Cell<u64>,
}

/// What a caller got.
struct Got {
    head: Head,
    body: Vec<u8>,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Broken,
    /// The caller's, who leaves.
    OwnWill,
}

// === impl Caller ===

impl Caller {
    pub(crate) fn new(address: SocketAddr, books: &Rc<Books>) -> Self {
        Self { address, books: Rc::clone(books), wire: None }
    }

    /// Calls at the common pace.
    pub(crate) async fn call(mut self, pace: Rc<Pace>) {
        loop {
            let number = pace.next.get();
            pace.next.set(number + 1);
            let due = pace.began + Duration::from_secs_f64(number as f64 / pace.rate);
            if due >= pace.until {
                return;
            }
            sleep_until(due).await;
            self.one(Shape::Call).await;
        }
    }

    /// Opens one stream after another.
    pub(crate) async fn listen(mut self, pace: Rc<Pace>) {
        while Instant::now() < pace.until {
            self.one(Shape::Stream).await;
        }
    }

    async fn one(&mut self, shape: Shape) {
        let plan = self.books.plan(shape);
        let told = match timeout(GUARD, self.make(&plan)).await {
            Ok(Ok(told)) => told,
            Ok(Err(error)) => Err(format!("{error}")),
            Err(_) => Err("nothing comes of it".to_owned()),
        };
        match told {
            Ok(told) => self.books.ended(&plan, told),
            Err(what) => {
                self.wire = None;
                self.books.wrong(format!("call {} ({:?}, {shape:?}): {what}", plan.id, plan.fate));
            }
        }
    }

    async fn make(&mut self, plan: &Plan) -> io::Result<Result<Told, String>> {
        let mut wire = match self.wire.take() {
            Some(wire) => wire,
            None => Wire::connect(self.address).await?,
        };
        wire.write(bodies::request(plan)).await?;
        if (plan.fate, plan.shape) == (Fate::Left, Shape::Call) {
            plan.arrived.notified().await;
            drop(wire);
            plan.seen.notify_one();
            return Ok(Ok(expected(plan, 0, "client_closed", 0)));
        }
        let Some(head) = wire.head().await? else {
            return Ok(Err("closed without an answer".to_owned()));
        };
        let (body, end) = hear(&mut wire, plan, head.body()).await;
        if end == End::OwnWill {
            return Ok(judge_left(plan, &body));
        }
        if end == End::Whole && head.header("connection") != Some("close") {
            self.wire = Some(wire);
        }
        Ok(judge(plan, &Got { head, body, end }))
    }
}

/// Reads an answer for as long as the plan has it.
async fn hear(wire: &mut Wire, plan: &Plan, mut body: Body) -> (Vec<u8>, End) {
    let (wanted, mut got) = (plan.visible().len(), Vec::new());
    loop {
        if got.len() >= wanted && plan.shape == Shape::Stream {
            plan.seen.notify_one();
            if plan.fate == Fate::Left {
                return (got, End::OwnWill);
            }
        }
        match wire.piece(&mut body).await {
            Ok(Some(piece)) => got.extend(piece),
            Ok(None) => return (got, End::Whole),
            Err(_) => return (got, End::Broken),
        }
    }
}

/// What must be logged of a call, if all that came of it is in order.
fn judge(plan: &Plan, got: &Got) -> Result<Told, String> {
    if plan.must_come_again.get() && plan.tries.get() != 2 {
        return Err(format!("was not sent again: {:?}", got.head));
    }
    if got.head.status() == 502 && plan.tries.get() == 0 && plan.fate != Fate::Refused {
        // Sent on a connection that the script was just closing behind an answer.
        return match plan.is_held() {
            true => Err("never came to the upstream".to_owned()),
            false => refused(plan, got, 502, "upstream_broken"),
        };
    }
    match (plan.fate, plan.shape) {
        (Fate::Whole | Fate::CloseAfter, _) => whole(plan, got),
        (Fate::ResetOnce, _) if plan.tries.get() == 2 => whole(plan, got),
        (Fate::Status(status), _) => {
            let fine = got.body == ERROR.as_bytes() && got.end == End::Whole;
            agreed(fine, plan, got, told(status.into(), "served", NOTHING, ERROR.len()))
        }
        (Fate::ResetOnce | Fate::ResetAlways, _) => refused(plan, got, 502, "upstream_broken"),
        (Fate::Refused, _) => refused(plan, got, 502, "connect_failed"),
        (Fate::NoRoute, _) => refused(plan, got, 404, "no_route"),
        (Fate::Silent, Shape::Call) => refused(plan, got, 504, "first_byte_timeout"),
        (Fate::Silent, Shape::Stream) => error_event(plan, got, "idle_timeout"),
        (Fate::CutBetween | Fate::ResetBetween, _) => error_event(plan, got, "upstream_broken"),
        (Fate::CutWithin, Shape::Call) => {
            let fine = got.end == End::Broken && plan.json.text.as_bytes().starts_with(&got.body);
            let cut = plan.json.text.len() / 4;
            agreed(fine, plan, got, told(200, "upstream_broken", NOTHING, cut))
        }
        (Fate::CutWithin, Shape::Stream) => {
            let (before, half) = (plan.visible(), &plan.events[plan.after]);
            let half = &half.text.as_bytes()[..half.text.len() / 2];
            let rest = got.body.strip_prefix(&before[..]);
            let fine = got.end == End::Broken && rest.is_some_and(|rest| half.starts_with(rest));
            // A chat's filter holds a beginning back until it knows what it begins.
            let passed = if plan.dialect == crate::script::Dialect::Chat { 0 } else { half.len() };
            let bytes = before.len() + passed;
            agreed(fine, plan, got, told(200, "upstream_broken", plan.counts(), bytes))
        }
        (Fate::Left, _) => Err("the caller should have left".to_owned()),
    }
}

fn whole(plan: &Plan, got: &Got) -> Result<Told, String> {
    let (body, counts) = match plan.shape {
        Shape::Call => (plan.json.text.clone().into_bytes(), plan.json.counts),
        Shape::Stream => (plan.visible(), plan.counts()),
    };
    let fine = got.body == body && got.end == End::Whole;
    agreed(fine, plan, got, told(200, "served", counts, body.len()))
}

fn error_event(plan: &Plan, got: &Got, outcome: &str) -> Result<Told, String> {
    let before = plan.visible();
    let rest = got.body.strip_prefix(&before[..]);
    let error = plan.dialect.error().as_bytes();
    let fine = got.end == End::Whole && rest.is_some_and(|rest| rest.starts_with(error));
    agreed(fine, plan, got, told(200, outcome, plan.counts(), before.len()))
}

fn refused(plan: &Plan, got: &Got, status: u64, reason: &str) -> Result<Told, String> {
    let fine = got.end == End::Whole && got.head.header("x-pillion-reason") == Some(reason);
    agreed(fine, plan, got, told(status, reason, NOTHING, got.body.len()))
}

fn judge_left(plan: &Plan, got: &[u8]) -> Result<Told, String> {
    match got == plan.visible() {
        true => Ok(expected(plan, 200, "client_closed", got.len())),
        false => Err(format!("not what was sent: {}", String::from_utf8_lossy(got))),
    }
}

fn expected(plan: &Plan, status: u64, outcome: &str, bytes: usize) -> Told {
    told(status, outcome, plan.counts(), bytes)
}

fn told(status: u64, outcome: &str, counts: crate::script::Counts, bytes: usize) -> Told {
    Told { status, outcome: outcome.to_owned(), counts, bytes: bytes as u64 }
}

fn agreed(fine: bool, plan: &Plan, got: &Got, told: Told) -> Result<Told, String> {
    if fine && got.head.status() == told.status {
        return Ok(told);
    }
    let body = String::from_utf8_lossy(&got.body);
    let tries = plan.tries.get();
    Err(format!("{:?} after {tries} tries, {:?}: {body}", got.head, got.end))
}
