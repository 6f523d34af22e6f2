//! The controller's CA and serving certificate: made and renewed here and kept in a Secret, or
//! supplied as files.
