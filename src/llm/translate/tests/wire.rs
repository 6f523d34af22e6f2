//! Server-sent events, read from the whole of a stream.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wire {
    /// Its `event` line.
    pub(super) name: Option<String>,
    /// Its data lines.
    pub(super) data: String,
}

/// Reads whatever is a stream, as a browser would; an event at the end needs no blank line.
pub(super) fn events(stream: &[u8]) -> Vec<Wire> {
    let text = String::from_utf8_lossy(stream).replace("\r\n", "\n").replace('\r', "\n");
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (mut events, mut name, mut data) = (Vec::new(), None, Vec::new());
    for line in text.split('\n').chain([""]) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => name = Some(value.to_owned()),
            "data" => data.push(value),
            _ => {}
        }
        if line.is_empty() {
            let name = name.take();
            if !data.is_empty() {
                events.push(Wire { name, data: data.join("\n") });
            }
            data.clear();
        }
    }
    events
}

/// Where each event ends, in bytes.
pub(super) fn cuts(stream: &[u8]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    let mut start = 0;
    for at in 1..stream.len() {
        let two = &stream[at - 1..=at];
        if two == b"\n\n" || stream[..=at].ends_with(b"\r\n\r\n") {
            chunks.push(&stream[start..=at]);
            start = at + 1;
        }
    }
    chunks.push(&stream[start..]);
    chunks
}

/// Reads what this project writes: an `event` line or none, one `data` line, a blank line, and
/// nothing else but comments.
pub(super) fn strict(stream: &[u8]) -> Result<Vec<Wire>, String> {
    let text = std::str::from_utf8(stream).map_err(|error| error.to_string())?;
    let mut events = Vec::new();
    let Some(whole) = text.strip_suffix("\n\n") else {
        return if text.is_empty() { Ok(events) } else { Err("cut inside an event".to_owned()) };
    };
    for block in whole.split("\n\n").filter(|block| !block.starts_with(':')) {
        let lines: Vec<&str> = block.split('\n').collect();
        let (name, data) = match lines[..] {
            [event, data] => (event.strip_prefix("event: "), data),
            [data] => (None, data),
            _ => return Err(format!("{} lines: {block}", lines.len())),
        };
        if lines.len() == 2 && name.is_none() {
            return Err(format!("not an event line: {block}"));
        }
        let data = data.strip_prefix("data: ").ok_or(format!("not a data line: {block}"))?;
        events.push(Wire { name: name.map(str::to_owned), data: data.to_owned() });
    }
    Ok(events)
}

#[test]
fn any_framing_is_read() {
    let wire = |name: Option<&str>, data: &str| Wire {
        name: name.map(str::to_owned),
        data: data.to_owned(),
    };
    let read = events(b"\xef\xbb\xbfevent: a\r\ndata:1\r\n\r\n: comment\n\ndata: 2\ndata:  3");
    assert_eq!(read, [wire(Some("a"), "1"), wire(None, "2\n 3")]);
}

#[test]
fn what_is_written_is_plain() {
    assert_eq!(strict(b"event: a\ndata: {}\n\ndata: [DONE]\n\n").unwrap().len(), 2);
    assert_eq!(strict(b": ping\n\ndata: {}\n\n").unwrap().len(), 1);
    for bad in ["data: {}\n", "data:{}\n\n", "id: 1\ndata: {}\n\n", "data: 1\ndata: 2\n\n"] {
        assert!(strict(bad.as_bytes()).is_err(), "{bad}");
    }
}
