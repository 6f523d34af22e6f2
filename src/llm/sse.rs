//! Server-sent events (WHATWG HTML 9.2), read incrementally from any split of the bytes.
