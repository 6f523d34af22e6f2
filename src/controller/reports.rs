//! What the other replicas tell the one that writes status: who is connected to them, and what
//! those sidecars answered.
//!
//! One HTTP/2 request over TLS to the holder's push server, whose address stands in the Lease:
//! `POST /v1/reports`. Its body is a stream of lines, each a whole [`Report`], the newest wins; the
//! answer has no content and ends when the holder goes. Both sides show the certificate that all
//! replicas share (`certificates::replicas`), which is the only proof asked for.
//!
//! Reading order: [`report`] (what is said), [`reporter`] (who says it), [`desk`] (where it is
//! kept). A report counts for as long as its stream, and [`desk::LINGER`] longer. Does not know
//! what the answers come to (`status`), nor who may connect (`push`).

pub mod desk;
pub mod report;
pub mod reporter;

pub use desk::{Desk, Place};
pub use report::Report;
