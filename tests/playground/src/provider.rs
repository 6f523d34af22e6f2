//! The scripted provider: says which model was asked for and under which key, in OpenAI's or
//! Anthropic's words, whole or streamed.
//!
//! One thread a connection, HTTP/1.1 with lengths only: what a sidecar sends. A stream whose last
//! message is `hold` stops in the middle until somebody asks for `/release`. The keys are made up,
//! and the last word of one may be shown.

mod answers;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use answers::Asked;

/// Told of each request that arrives, in a line.
pub type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// The longest request that anybody sends by hand.
const MOST: u64 = 1 << 20;

/// The provider; takes no further connection once it is dropped.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    over: Arc<AtomicBool>,
}

/// Who waits in the middle of a stream, and how often all of them were let go.
#[derive(Default)]
struct Gate {
    opened: Mutex<u64>,
    bell: Condvar,
}

/// Serves whoever connects to `socket`, for as long as the process lives.
pub fn serve(socket: &TcpListener, listener: &Listener) {
    serve_until(socket, listener, &AtomicBool::new(false));
}

// === impl Provider ===

impl Provider {
    /// Starts it on a free port.
    pub(crate) fn start(listener: Listener) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, over) = (socket.local_addr()?, Arc::new(AtomicBool::new(false)));
        let ended = Arc::clone(&over);
        thread::spawn(move || serve_until(&socket, &listener, &ended));
        Ok(Self { address, over })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // So that it looks.
        let _ = TcpStream::connect(self.address);
    }
}

// === impl Gate ===

impl Gate {
    /// How often it was opened so far.
    fn opened(&self) -> u64 {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has been opened again.
    fn pass(&self, before: u64) {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        // Poisoned or not, it is open then.
        drop(self.bell.wait_while(opened, |opened| *opened == before));
    }

    fn open(&self) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.bell.notify_all();
    }
}

fn serve_until(socket: &TcpListener, listener: &Listener, over: &AtomicBool) {
    let gate = Arc::new(Gate::default());
    for stream in socket.incoming().flatten() {
        if over.load(Ordering::Relaxed) {
            return;
        }
        let (listener, gate) = (Arc::clone(listener), Arc::clone(&gate));
        // A sidecar that leaves has had its answer.
        thread::spawn(move || serve_one(&stream, &listener, &gate));
    }
}

fn serve_one(stream: &TcpStream, listener: &Listener, gate: &Gate) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader)? {
        if asked.path == "/release" {
            gate.open();
            write_whole(stream, "{}\n")?;
            continue;
        }
        let (model, key) = (asked.model(), &asked.key);
        listener(&format!("{}, model {model}, key ...-{key}", asked.path));
        match asked.wants_stream() {
            true => write_stream(stream, &asked, gate)?,
            // The newline is for whoever reads it in a terminal.
            false => write_whole(stream, &format!("{}\n", asked.answer()))?,
        }
    }
    Ok(())
}

fn write_whole(mut stream: &TcpStream, answer: &str) -> io::Result<()> {
    let length = answer.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(format!("{head}{answer}").as_bytes())
}

fn write_stream(mut stream: &TcpStream, asked: &Asked, gate: &Gate) -> io::Result<()> {
    let before = gate.opened();
    let [words, end] = asked.events();
    let chunk = |events: &str| format!("{:x}\r\n{events}\r\n", events.len());
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                transfer-encoding: chunked\r\n\r\n";
    stream.write_all(format!("{head}{}", chunk(&words)).as_bytes())?;
    if asked.wants_hold() {
        gate.pass(before);
    }
    stream.write_all(format!("{}0\r\n\r\n", chunk(&end)).as_bytes())
}

/// The next request of a connection, if there is one.
fn read(reader: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut key) = (0, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "authorization" | "x-api-key" => {
                key = value.rsplit('-').next().unwrap_or_default().to_owned()
            }
            _ => {}
        }
    }
    let mut body = Vec::new();
    reader.take(length.min(MOST)).read_to_end(&mut body)?;
    Ok(Some(Asked { path, key, body: serde_json::from_slice(&body).unwrap_or_default() }))
}
