//! The scripted provider: says which model was asked for and under which key, in OpenAI's or
//! Anthropic's words.
//!
//! One thread a connection, HTTP/1.1 with lengths only, whole answers only: what a sidecar sends
//! for the calls that the playground proposes. The keys are made up, and the last word of one may
//! be shown.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

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

/// A request as it arrived.
struct Asked {
    path: String,
    key: String,
    body: Value,
}

// === impl Provider ===

impl Provider {
    /// Starts it on a free port.
    pub(crate) fn start(listener: Listener) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, over) = (socket.local_addr()?, Arc::new(AtomicBool::new(false)));
        let ended = Arc::clone(&over);
        thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let listener = Arc::clone(&listener);
                // A sidecar that leaves has had its answer.
                thread::spawn(move || serve(&stream, &listener));
            }
        });
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

fn serve(stream: &TcpStream, listener: &Listener) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader)? {
        let (model, key) = (asked.model(), &asked.key);
        listener(&format!("{}, model {model}, key ...-{key}", asked.path));
        // The newline is for whoever reads it in a terminal.
        let answer = format!("{}\n", asked.answer());
        let length = answer.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        (&mut &*stream).write_all(format!("{head}{answer}").as_bytes())?;
    }
    Ok(())
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
            "authorization" => key = value.rsplit('-').next().unwrap_or_default().to_owned(),
            _ => {}
        }
    }
    let mut body = Vec::new();
    reader.take(length.min(MOST)).read_to_end(&mut body)?;
    Ok(Some(Asked { path, key, body: serde_json::from_slice(&body).unwrap_or_default() }))
}

// === impl Asked ===

impl Asked {
    fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or("none")
    }

    fn answer(&self) -> Value {
        let (model, key) = (self.model(), &self.key);
        let text = format!("Hello, this is {model}, under the key that ends in {key}.");
        match self.path.contains("/messages") {
            true => json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": model,
                "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
                "usage": {"input_tokens": 1, "output_tokens": 12},
            }),
            false => json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": model,
                "choices": [{
                    "index": 0, "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                }],
                "usage": {"prompt_tokens": 1, "completion_tokens": 12, "total_tokens": 13},
            }),
        }
    }
}
