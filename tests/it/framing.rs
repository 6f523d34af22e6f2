//! Request smuggling and response splitting: hostile framing in raw bytes, towards both sides.
//!
//! What one side framed is never more, nor less, on the other: an upstream sees one request for one
//! that is well framed, in one strict form, and no whole one for any other; a caller sees one answer
//! to each request, and no byte that the upstream did not frame.

mod cases;
mod faults;
mod leaks;
mod requests;
mod responses;
mod strict;

use std::sync::{Arc, Mutex};

use crate::support::client::Client;
use crate::support::proxy::{Launch, Proxy};
use crate::support::upstream::Upstream;
use crate::support::yaml::{all_to, provider};

/// Every byte that arrived at an upstream, by connection.
type Arrived = Arc<Mutex<Vec<Vec<u8>>>>;

/// A path that is passed on as it comes, its body not read.
const PASSED: &str = "/v1/files";

/// An answer without a body, so that it fits a HEAD as well.
const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// An upstream that keeps every byte, and answers each request that is strictly whole.
fn recording() -> (Upstream, Arrived) {
    let arrived = Arrived::default();
    let log = Arc::clone(&arrived);
    let upstream = Upstream::start(move |connection| {
        let (index, mut answered) = (connection.index, 0);
        loop {
            let more = connection.some()?;
            if more.is_empty() {
                return Ok(());
            }
            let all = {
                let mut log = log.lock().unwrap();
                let length = log.len().max(index + 1);
                log.resize(length, Vec::new());
                log[index].extend(more);
                log[index].clone()
            };
            let whole = strict::requests(&all).iter().filter(|request| request.whole).count();
            for _ in answered..whole {
                connection.write(EMPTY)?;
            }
            answered = whole;
        }
    });
    (upstream, arrived)
}

/// What arrived so far, connection by connection.
fn requests_of(arrived: &Arrived) -> Vec<strict::Request> {
    arrived.lock().unwrap().iter().flat_map(|bytes| strict::requests(bytes)).collect()
}

/// A proxy that waits for nobody: whoever stops sending is cut off soon.
fn hasty(url: &str) -> Proxy {
    let launch = Launch::new().flag("--head-timeout", "300ms").flag("--body-idle", "300ms");
    launch.start(&(provider("there", url, "") + &all_to("there")))
}

/// Sends bytes and reads until the proxy closes.
fn exchange(proxy: &Proxy, bytes: &[u8]) -> Vec<u8> {
    let mut client = proxy.client();
    // The proxy may have refused it and gone before its end.
    let _ = client.try_send(bytes);
    until_closed(&mut client)
}

fn until_closed(client: &mut Client) -> Vec<u8> {
    let mut all = Vec::new();
    // A reset ends it as well: what was read before stays.
    while let Some(more) = client.some().ok().filter(|more| !more.is_empty()) {
        all.extend(more);
    }
    all
}
