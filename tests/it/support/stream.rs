//! A blocking connection, plain or TLS, that can be ended in every way that TCP knows.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, SockRef, Socket, Type};

use super::GUARD;

/// One end of a connection; reads and writes give up after [`GUARD`].
pub(crate) enum Stream {
    Plain(TcpStream),
    Server(Box<StreamOwned<ServerConnection, TcpStream>>),
    Client(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::Plain(guarded(TcpStream::connect_timeout(&address, GUARD)?)?))
    }

    pub(crate) fn connect_tls(
        address: SocketAddr,
        name: &'static str,
        config: Arc<ClientConfig>,
    ) -> io::Result<Self> {
        let tcp = guarded(TcpStream::connect_timeout(&address, GUARD)?)?;
        let session = ClientConnection::new(config, name.try_into().unwrap()).unwrap();
        let mut stream = StreamOwned::new(session, tcp);
        stream.conn.complete_io(&mut stream.sock)?;
        Ok(Self::Client(Box::new(stream)))
    }

    /// Takes an accepted connection, over TLS where there is a config.
    pub(crate) fn accept(tcp: TcpStream, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let tcp = guarded(tcp)?;
        let Some(config) = tls else {
            return Ok(Self::Plain(tcp));
        };
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), tcp);
        stream.conn.complete_io(&mut stream.sock)?;
        Ok(Self::Server(Box::new(stream)))
    }

    /// What ALPN settled on.
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Server(stream) => stream.conn.alpn_protocol(),
            Self::Client(stream) => stream.conn.alpn_protocol(),
        }
    }

    /// Ends this direction: `close_notify` over TLS, then FIN. Reading goes on.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => {}
            Self::Server(stream) => stream.conn.send_close_notify(),
            Self::Client(stream) => stream.conn.send_close_notify(),
        }
        self.flush()?;
        self.tcp().shutdown(Shutdown::Write)
    }

    /// FIN without `close_notify`: what TLS calls a truncation. Over plain TCP as [`finish`].
    ///
    /// [`finish`]: Self::finish
    pub(crate) fn truncate(&mut self) -> io::Result<()> {
        self.tcp().shutdown(Shutdown::Write)
    }

    /// Ends with RST: what was sent and not yet read by the peer may be lost.
    pub(crate) fn reset(self) -> io::Result<()> {
        SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO))
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Server(stream) => &stream.sock,
            Self::Client(stream) => &stream.sock,
        }
    }
}

// === impl Read and Write ===

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Server(stream) => stream.read(buffer),
            Self::Client(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Server(stream) => stream.write(bytes),
            Self::Client(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Server(stream) => stream.flush(),
            Self::Client(stream) => stream.flush(),
        }
    }
}

/// A port at which nobody listens, and nobody else will for as long as the socket is kept.
pub(crate) fn nobodys_port() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

fn guarded(tcp: TcpStream) -> io::Result<TcpStream> {
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(GUARD))?;
    tcp.set_write_timeout(Some(GUARD))?;
    Ok(tcp)
}
