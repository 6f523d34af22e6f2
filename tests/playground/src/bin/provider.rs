//! The scripted provider as a program of its own, for a pod: `pillion-provider ADDR:PORT`. It
//! says on standard output what it is asked.

use std::env;
use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context;
use pillion_playground::provider::{self, Listener};

fn main() -> anyhow::Result<()> {
    let address = env::args().nth(1).context("usage: pillion-provider ADDR:PORT")?;
    let socket = TcpListener::bind(&address).with_context(|| address.clone())?;
    let listener: Listener = Arc::new(|line| {
        // Nobody need read it.
        let _ = writeln!(io::stdout(), "{line}");
    });
    provider::serve(&socket, &listener);
    Ok(())
}
