//! An egress proxy: takes CONNECT, and passes bytes to wherever it was asked to.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::stream::Stream;
use super::wire::{Head, Wire};

/// The proxy; its thread lives as long as the process.
pub(crate) struct Tunnel {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Head>>>,
}

impl Tunnel {
    /// A proxy that answers each CONNECT with these bytes; a tunnel stands only after a 200.
    pub(crate) fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tunnel = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let asked = tunnel.asked.clone();
        thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                let asked = asked.clone();
                // A connection that breaks is seen from the other end.
                thread::spawn(move || drop(serve(tcp, answer, &asked)));
            }
        });
        tunnel
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The heads of the requests so far.
    pub(crate) fn asked(&self) -> Vec<Head> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(tcp: TcpStream, answer: &str, asked: &Mutex<Vec<Head>>) -> io::Result<()> {
    let mut wire = Wire::new(Stream::accept(tcp.try_clone()?, None)?);
    let Some(head) = wire.head()? else {
        return Ok(());
    };
    let to = head.first_line.split(' ').nth(1).unwrap().to_owned();
    asked.lock().unwrap().push(head);
    (&tcp).write_all(answer.as_bytes())?;
    if !answer.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    let there = TcpStream::connect(to)?;
    let (back, forth) = (there.try_clone()?, tcp.try_clone()?);
    let returning = thread::spawn(move || pass(&back, &forth));
    pass(&tcp, &there)?;
    returning.join().unwrap()
}

fn pass(mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
    io::copy(&mut from, &mut to)?;
    to.shutdown(Shutdown::Write)
}
