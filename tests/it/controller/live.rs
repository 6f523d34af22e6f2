//! Against the API server itself.
