//! The lines that a sidecar sends: each an answer, each bounded.

use bytes::Bytes;
use http_body::Body;
use thiserror::Error;

use super::lines::{Lines, NoLine};
use crate::bundle::push::{Answer, MAX_ANSWER};

/// So many answers more than bundles are taken: each wakes whoever writes status.
const SLACK: usize = 16;

/// Answers, as they come.
#[derive(Debug)]
pub(super) struct Answers<B> {
    lines: Lines<B>,
    /// How many more may come before another bundle is sent.
    allowed: usize,
}

/// What is no answer. The session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Garbage {
    /// No end of line within [`MAX_ANSWER`].
    #[error("an answer is longer than {MAX_ANSWER} bytes")]
    TooLong,
    /// Not the JSON that is expected.
    #[error("an answer cannot be read")]
    Unreadable,
    /// More answers than questions.
    #[error("there are more answers than bundles")]
    TooMany,
    /// The stream was reset, or the connection broke.
    #[error("the stream broke off")]
    Broken,
}

// === impl Answers ===

impl<B: Body<Data = Bytes> + Unpin> Answers<B> {
    pub(super) fn new(body: B) -> Self {
        Self { lines: Lines::new(body, MAX_ANSWER), allowed: SLACK }
    }

    /// A bundle was sent, which may be answered.
    pub(super) fn one_more(&mut self) {
        self.allowed = self.allowed.saturating_add(1);
    }

    /// The next answer; waits for ever once the sidecar has said that no more will come. May be
    /// dropped at any time and called again.
    pub(super) async fn next(&mut self) -> Result<Answer, Garbage> {
        let line = match self.lines.next().await {
            Ok(line) => line,
            Err(NoLine::TooLong) => return Err(Garbage::TooLong),
            Err(NoLine::Broken) => return Err(Garbage::Broken),
            Err(NoLine::Ended) => return std::future::pending().await,
        };
        self.allowed = self.allowed.checked_sub(1).ok_or(Garbage::TooMany)?;
        serde_json::from_slice(&line).map_err(|_| Garbage::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    const APPLIED: &str = r#"{"type":"applied","version":"1"}"#;

    async fn check(chunks: &[&str], expected: &[Result<&str, Garbage>]) {
        let frames: Vec<_> = chunks
            .iter()
            .map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::from((*chunk).to_owned()))))
            .collect();
        let mut answers = Answers::new(StreamBody::new(stream::iter(frames)));
        for expected in expected {
            let answer = answers.next().await;
            let version = answer.map(|answer| match answer {
                Answer::Applied { version, .. } | Answer::Rejected { version, .. } => version,
            });
            assert_eq!(version, expected.map(str::to_owned));
        }
    }

    #[tokio::test]
    async fn lines_are_answers_however_they_are_cut() {
        let rejected = r#"{"type":"rejected","version":"2","reason":"no"}"#;
        let whole = format!("{APPLIED}\n{rejected}\n");
        for at in 0..whole.len() {
            let (first, second) = whole.split_at(at);
            check(&[first, second], &[Ok("1"), Ok("2")]).await;
        }
    }

    #[tokio::test]
    async fn garbage_is_told_apart() {
        check(&["\n"], &[Err(Garbage::Unreadable)]).await;
        check(&[APPLIED, "\n", "{}\n"], &[Ok("1"), Err(Garbage::Unreadable)]).await;
        let long = " ".repeat(MAX_ANSWER);
        check(&[&long], &[Err(Garbage::TooLong)]).await;
        check(&[&long[1..], "  \n"], &[Err(Garbage::TooLong)]).await;
        let line = format!("{APPLIED}\n");
        let mut expected = vec![Ok("1"); SLACK];
        expected.push(Err(Garbage::TooMany));
        check(&[&line.repeat(SLACK + 1)], &expected).await;
    }
}
