//! Settings, annotations and reviews; what becomes of whole pods is in `tests/it/inject`.
