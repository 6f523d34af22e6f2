//! The script's own books: what each call must be logged as, and what all of them come to.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use fastrand::Rng;
use serde_json::Value;

use crate::script::{Fate, Plan, Shape, Told};

/// The types of `gen_ai_token_type`.
pub(crate) const TYPES: [&str; 4] = ["input", "output", "cache_read", "cache_creation"];

/// So many defects are told in full.
const SHOWN: usize = 20;

/// The books.
pub(crate) struct Books(RefCell<Inner>);

struct Inner {
    rng: Rng,
    next: u64,
    plans: HashMap<u64, Rc<Plan>>,
    /// One half of each pair that the other half is awaited for.
    halves: HashMap<u64, Half>,
    totals: Totals,
    wrong: Vec<String>,
}

/// What is known of a call from one side.
enum Half {
    Expected(Told),
    Logged(Told),
}

/// What everything comes to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    /// By status class and outcome.
    pub(crate) calls: BTreeMap<(u64, String), u64>,
    /// Sum and count by [`TYPES`].
    pub(crate) tokens: [(u64, u64); 4],
    /// Connections that died under a call that was then sent again.
    pub(crate) retries: u64,
    /// Connections that were closed behind an answer.
    pub(crate) closed: u64,
}

// === impl Books ===

impl Books {
    pub(crate) fn new(seed: u64) -> Rc<Self> {
        Rc::new(Self(RefCell::new(Inner {
            rng: Rng::with_seed(seed),
            next: 0,
            plans: HashMap::new(),
            halves: HashMap::new(),
            totals: Totals::default(),
            wrong: Vec::new(),
        })))
    }

    /// A new call.
    pub(crate) fn plan(&self, shape: Shape) -> Rc<Plan> {
        let mut inner = self.0.borrow_mut();
        let id = inner.next;
        inner.next += 1;
        let plan = Rc::new(Plan::draw(id, shape, &mut inner.rng));
        inner.plans.insert(id, Rc::clone(&plan));
        plan
    }

    /// The call with this id, while the upstream may hear of it.
    pub(crate) fn under_way(&self, id: &str) -> Option<Rc<Plan>> {
        self.0.borrow().plans.get(&id.parse().ok()?).map(Rc::clone)
    }

    /// The caller is done: this is what must be logged.
    pub(crate) fn ended(&self, plan: &Plan, told: Told) {
        let mut inner = self.0.borrow_mut();
        // Pillion may give up before a busy upstream has read the request.
        if plan.fate != Fate::Silent {
            inner.plans.remove(&plan.id);
        }
        inner.totals.add(&told);
        inner.pair(plan.id, Half::Expected(told));
    }

    /// A line of the access log.
    pub(crate) fn logged(&self, line: &str) {
        let read = serde_json::from_str::<Value>(line).ok().and_then(|line| told(&line));
        match read {
            Some((id, told)) => self.0.borrow_mut().pair(id, Half::Logged(told)),
            None => self.wrong(format!("no line of a call: {line}")),
        }
    }

    pub(crate) fn retried(&self) {
        self.0.borrow_mut().totals.retries += 1;
    }

    pub(crate) fn closed(&self) {
        self.0.borrow_mut().totals.closed += 1;
    }

    pub(crate) fn wrong(&self, what: String) {
        self.0.borrow_mut().wrong.push(what);
    }

    /// How many calls have ended or been logged, but not both.
    pub(crate) fn unpaired(&self) -> usize {
        self.0.borrow().halves.len()
    }

    pub(crate) fn totals(&self) -> Totals {
        self.0.borrow().totals.clone()
    }

    /// Everything that is not as the script has it.
    pub(crate) fn defects(&self) -> Vec<String> {
        let inner = self.0.borrow();
        let unpaired = inner.halves.iter().map(|(id, half)| match half {
            Half::Expected(told) => format!("{id} has no line: {told:?}"),
            Half::Logged(told) => format!("{id} has a line and no end: {told:?}"),
        });
        let all: Vec<_> = inner.wrong.iter().cloned().chain(unpaired).collect();
        let more = all.len().saturating_sub(SHOWN);
        let mut shown: Vec<_> = all.into_iter().take(SHOWN).collect();
        shown.extend((more > 0).then(|| format!("and {more} more")));
        shown
    }
}

// === impl Inner ===

impl Inner {
    fn pair(&mut self, id: u64, half: Half) {
        match (self.halves.remove(&id), half) {
            (None, half) => {
                self.halves.insert(id, half);
            }
            (Some(Half::Expected(expected)), Half::Logged(logged))
            | (Some(Half::Logged(logged)), Half::Expected(expected)) => {
                if expected != logged {
                    self.wrong.push(format!("call {id}: {logged:?}, not {expected:?}"));
                }
            }
            (Some(_), Half::Logged(_)) => self.wrong.push(format!("call {id} was logged twice")),
            (Some(_), Half::Expected(_)) => self.wrong.push(format!("call {id} ended twice")),
        }
    }
}

// === impl Totals ===

impl Totals {
    pub(crate) fn all(&self) -> u64 {
        self.calls.values().sum()
    }

    fn add(&mut self, told: &Told) {
        *self.calls.entry((told.status / 100, told.outcome.clone())).or_default() += 1;
        for (total, count) in self.tokens.iter_mut().zip(told.counts) {
            if let Some(count) = count {
                *total = (total.0 + count, total.1 + 1);
            }
        }
    }
}

fn told(line: &Value) -> Option<(u64, Told)> {
    let id = line["session"].as_str()?.parse().ok()?;
    let told = Told {
        status: line["status"].as_u64()?,
        outcome: line["outcome"].as_str()?.to_owned(),
        counts: TYPES.map(|name| line[format!("{name}_tokens")].as_u64()),
        bytes: line["response_bytes"].as_u64()?,
    };
    Some((id, told))
}
