//! A port of the system's choice on loopback that stays ours, or one in a network that nobody else
//! uses.
//!
//! The socket is bound and never listens, so that nobody else is given the port, also while the
//! server that belongs there is down: connections are then refused. The server shares the port by
//! `SO_REUSEPORT`, so there is no gap between choosing a port and using it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use socket2::{Domain, Socket, Type};

/// A port that is held.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _socket: Option<Socket>,
}

// === impl Port ===

impl Port {
    pub(crate) fn hold() -> anyhow::Result<Self> {
        let held: io::Result<(Socket, SocketAddr)> = (|| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.set_reuse_port(true)?;
            socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
            let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidData)?;
            Ok((socket, address))
        })();
        let (socket, address) = held.context("cannot take a port on loopback")?;
        Ok(Self { number: address.port(), _socket: Some(socket) })
    }

    /// A port where nobody else is.
    pub(crate) fn alone(number: u16) -> Self {
        Self { number, _socket: None }
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}
