//! An upstream's answer of HTTP/1.1: what it comes to must not depend on how it is cut.

#![no_main]

use bytes::Bytes;
use http::Method;
use libfuzzer_sys::fuzz_target;
use pillion::proxy::upstream::h1::reader::Reader;

fuzz_target!(|input: &[u8]| {
    let Some((cut, bytes)) = input.split_first() else { return };
    let cut = usize::from(*cut).max(1);
    let method = if cut % 7 == 0 { Method::HEAD } else { Method::POST };
    assert_eq!(read(bytes, cut, &method), read(bytes, bytes.len().max(1), &method));
});

/// Status and headers, data, and whether all of it came or what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    head: Option<String>,
    data: Vec<u8>,
    end: Option<Result<(), String>>,
}

fn read(bytes: &[u8], cut: usize, method: &Method) -> Read {
    let (mut reader, mut read) =
        (Reader::default(), Read { head: None, data: Vec::new(), end: None });
    for piece in bytes.chunks(cut) {
        let data = match &read.head {
            Some(_) if reader.has_ended() => break,
            Some(_) => Some(reader.data(Bytes::copy_from_slice(piece))),
            None => match reader.head(piece, method) {
                Err(error) => {
                    read.end = Some(Err(error.to_string()));
                    return read;
                }
                Ok(None) => None,
                Ok(Some(head)) => {
                    read.head = Some(format!("{} {:?}", head.status(), head.headers()));
                    reader.ahead()
                }
            },
        };
        read.data.extend(data.unwrap_or_default());
        if let Some(fault) = reader.fault() {
            read.end = Some(Err(fault));
            return read;
        }
    }
    assert!(read.data.len() <= bytes.len());
    if read.head.is_some() && reader.has_ended() {
        read.end = Some(Ok(()));
    }
    read
}
