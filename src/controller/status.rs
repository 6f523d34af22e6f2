//! Verdicts and answers as conditions and Events, written by the holder of the lease alone and only
//! where something changed.
