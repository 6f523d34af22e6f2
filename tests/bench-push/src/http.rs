//! Pages of the admin port.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A page, head and body, on a connection of its own.
pub(crate) async fn page(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut page = Vec::new();
    stream.read_to_end(&mut page).await?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Whether it answers 200.
pub(crate) async fn is_ready(address: SocketAddr) -> bool {
    page(address, "/readyz").await.is_ok_and(|page| page.starts_with("HTTP/1.1 200"))
}
