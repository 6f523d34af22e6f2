//! The upstream: does to each call what its plan says, and sees to it that requests are of one
//! table and that abandoned calls are let go.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use crate::bodies::ERROR;
use crate::books::Books;
use crate::reloads::is_of_one_table;
use crate::script::{Fate, Plan, Shape};
use crate::wire::{Head, Wire};

/// A call that nobody waits for any more must be let go within this time.
const LET_GO: Duration = Duration::from_secs(10);

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// The upstream, while its tasks run.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    /// Connections that are open now.
    pub(crate) open: Rc<Cell<usize>>,
    /// The longest that it took to hear that a call was abandoned.
    pub(crate) let_go: Rc<Cell<Duration>>,
}

/// What becomes of a connection.
enum Next {
    Another,
    Close,
}

impl Upstream {
    pub(crate) async fn start(books: &Rc<Books>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let upstream =
            Self { address: listener.local_addr()?, open: Rc::default(), let_go: Rc::default() };
        let (books, open) = (Rc::clone(books), Rc::clone(&upstream.open));
        let let_go = Rc::clone(&upstream.let_go);
        spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(wire) = Wire::new(stream) else { continue };
                let (books, let_go) = (Rc::clone(&books), Rc::clone(&let_go));
                let open = Rc::clone(&open);
                open.set(open.get() + 1);
                spawn_local(async move {
                    Connection { wire, books, let_go, served: 0 }.serve().await;
                    open.set(open.get() - 1);
                });
            }
        });
        Ok(upstream)
    }
}

struct Connection {
    wire: Wire,
    books: Rc<Books>,
    let_go: Rc<Cell<Duration>>,
    served: usize,
}

impl Connection {
    async fn serve(mut self) {
        // A proxy that leaves in the middle of an answer is one whose caller left, or a defect that
        // the caller's side of the books shows.
        while let Ok(Some(head)) = self.wire.head().await {
            let Ok(body) = self.wire.rest(head.body()).await else { return };
            let id = head.header("x-claude-code-session-id").unwrap_or_default();
            let Some(plan) = self.books.under_way(id) else {
                self.books.wrong(format!("a request of no call: {head:?}"));
                return;
            };
            self.check(&plan, &head, &body);
            plan.tries.set(plan.tries.get() + 1);
            plan.arrived.notify_one();
            if is_reset(&plan) {
                // A connection that had served before was pooled: Pillion tries again if it can.
                if self.served > 0 && plan.is_held() {
                    self.books.retried();
                    plan.must_come_again.set(true);
                }
                drop(self.wire.reset());
                return;
            }
            match self.answer(&plan).await {
                Ok(Next::Another) => self.served += 1,
                Ok(Next::Close) | Err(_) => return,
            }
        }
    }

    fn check(&self, plan: &Plan, head: &Head, body: &[u8]) {
        if !is_of_one_table(head, &String::from_utf8_lossy(body)) {
            self.books.wrong(format!("call {} mixes two tables: {head:?}", plan.id));
        }
        if plan.tries.get() > 0 && plan.fate != Fate::ResetOnce && plan.fate != Fate::ResetAlways {
            self.books.wrong(format!("call {} was sent twice", plan.id));
        }
    }

    async fn answer(&mut self, plan: &Plan) -> io::Result<Next> {
        match (plan.fate, plan.shape) {
            (Fate::Status(status), _) => {
                let length = ERROR.len();
                self.wire
                    .write(format!(
                        "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\n\
                         content-length: {length}\r\n\r\n{ERROR}"
                    ))
                    .await?;
                Ok(Next::Another)
            }
            (_, Shape::Call) => self.answer_call(plan).await,
            (_, Shape::Stream) => self.stream(plan).await,
        }
    }

    async fn answer_call(&mut self, plan: &Plan) -> io::Result<Next> {
        if matches!(plan.fate, Fate::Silent | Fate::Left) {
            return self.abandoned(plan).await;
        }
        sleep(plan.pause).await;
        let text = &plan.json.text;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        // The usage comes last, so what is cut off holds it.
        let cut = if plan.fate == Fate::CutWithin { text.len() / 4 } else { text.len() };
        self.wire.write(head + &text[..cut]).await?;
        self.after(plan)
    }

    async fn stream(&mut self, plan: &Plan) -> io::Result<Next> {
        if plan.fate == Fate::Silent {
            // All at once, so that the only silence is the one that is meant.
            let events = plan.before().iter().map(|event| chunk(&event.text));
            self.wire.write(HEAD.to_owned() + &events.collect::<String>()).await?;
            return self.abandoned(plan).await;
        }
        self.wire.write(HEAD).await?;
        for event in plan.before() {
            self.wire.write(chunk(&event.text)).await?;
            sleep(plan.pause).await;
        }
        match plan.fate {
            Fate::Left => return self.abandoned(plan).await,
            Fate::CutWithin => {
                let half = &plan.events[plan.after].text;
                self.wire.write(chunk(&half[..half.len() / 2])).await?;
            }
            // RST may overtake what was sent before it.
            Fate::ResetBetween => plan.seen.notified().await,
            Fate::CutBetween => {}
            _ => self.wire.write("0\r\n\r\n").await?,
        }
        self.after(plan)
    }

    /// What becomes of the connection when all that is said has been said.
    fn after(&self, plan: &Plan) -> io::Result<Next> {
        match plan.fate {
            Fate::CloseAfter => self.books.closed(),
            Fate::CutWithin | Fate::CutBetween => {}
            Fate::ResetBetween => self.wire.reset()?,
            _ => return Ok(Next::Another),
        }
        Ok(Next::Close)
    }

    /// Waits until Pillion lets go.
    async fn abandoned(&mut self, plan: &Plan) -> io::Result<Next> {
        if plan.fate == Fate::Left {
            plan.seen.notified().await;
        }
        let began = Instant::now();
        if timeout(LET_GO, self.wire.left()).await.is_err() {
            self.books.wrong(format!("call {} ({:?}) was not let go", plan.id, plan.fate));
        }
        if plan.fate == Fate::Left {
            self.let_go.set(self.let_go.get().max(began.elapsed()));
        }
        Ok(Next::Close)
    }
}

fn is_reset(plan: &Plan) -> bool {
    match plan.fate {
        Fate::ResetAlways => true,
        Fate::ResetOnce => plan.tries.get() == 1,
        _ => false,
    }
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
