//! What a Kubernetes Service is to sidecars: one address, before whichever replicas there are.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The address; clones are the same one. Its thread lives as long as the process.
#[derive(Clone)]
pub(crate) struct Service {
    address: SocketAddr,
    behind: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Service {
    /// Nobody is behind it yet: connections are closed at once.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let service = Self { address, behind: Arc::default() };
        let behind = service.behind.clone();
        thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                if let Some(there) = reach(&behind) {
                    // A connection that breaks is seen from both ends.
                    thread::spawn(move || drop(forward(&tcp, &there)));
                }
            }
        });
        service
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections go there too from now on.
    pub(crate) fn add(&self, replica: SocketAddr) {
        self.behind.lock().unwrap().push(replica);
    }

    /// No new connection goes there any more.
    pub(crate) fn remove(&self, replica: SocketAddr) {
        self.behind.lock().unwrap().retain(|address| *address != replica);
    }
}

/// The next one in turn that can be reached.
fn reach(behind: &Mutex<Vec<SocketAddr>>) -> Option<TcpStream> {
    let mut behind = behind.lock().unwrap();
    let count = behind.len();
    (0..count).find_map(|_| {
        behind.rotate_left(1);
        TcpStream::connect(behind[count - 1]).ok()
    })
}

fn forward(here: &TcpStream, there: &TcpStream) -> io::Result<()> {
    here.set_nodelay(true)?;
    there.set_nodelay(true)?;
    let (back, forth) = (there.try_clone()?, here.try_clone()?);
    let returning = thread::spawn(move || pass(&back, &forth));
    let gone = pass(here, there);
    let returned = returning.join().unwrap();
    gone.and(returned)
}

/// Until either end leaves; a reset is handed on as an end, which is as final for HTTP/2.
fn pass(mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
    let passed = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    passed.map(drop)
}
