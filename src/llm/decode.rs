//! Decodes a copy of a compressed answer, so that usage is seen while the client gets the bytes
//! that the provider sent.
