//! Which replica writes: the holder of a Lease.
