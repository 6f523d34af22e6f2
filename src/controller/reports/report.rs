//! A report, and its one line of JSON.
//!
//! Pods with the same answer stand together: a thousand sidecars that run the same bundle, or
//! refuse it with the same long reason, cost their names. Unknown fields are passed over, because
//! replicas of two versions live side by side during an upgrade.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::bundle::push::Answer;
use crate::controller::sidecars::Sidecar;
use crate::controller::snapshot::PodId;

/// The path of the stream.
pub const PATH: &str = "/v1/reports";
/// The longest report, in bytes: room for some hundred thousand pods.
pub const MAX_REPORT: usize = 16 << 20;

/// All sidecars of one replica.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which replica it is.
    replica: String,
    sidecars: Vec<Alike>,
}

/// Those that answered the same.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Alike {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
    pods: Vec<Pod>,
}

/// Namespace, name and uid.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pod(String, String, String);

// === impl Report ===

impl Report {
    /// What a replica has to say.
    pub fn of(replica: &str, sidecars: Vec<Sidecar>) -> Self {
        let mut alike: BTreeMap<Option<Answer>, Vec<Pod>> = BTreeMap::new();
        for Sidecar { pod, answer, .. } in sidecars {
            alike.entry(answer).or_default().push(Pod(pod.namespace, pod.name, pod.uid));
        }
        let sidecars = alike.into_iter().map(|(answer, pods)| Alike { answer, pods }).collect();
        Self { replica: replica.to_owned(), sidecars }
    }

    /// Which replica says it.
    pub fn replica(&self) -> &str {
        &self.replica
    }

    /// Whom it tells of. What was sent to them only their own replica knows.
    pub fn into_sidecars(self) -> Vec<Sidecar> {
        let all = self.sidecars.into_iter().flat_map(|Alike { answer, pods }| {
            pods.into_iter().map(move |Pod(namespace, name, uid)| {
                let pod = PodId { namespace, name, uid };
                Sidecar { pod, sent: None, answer: answer.clone() }
            })
        });
        all.collect()
    }

    /// As a line, with its end.
    ///
    /// # Errors
    /// Never: it is text, and lists of text.
    pub fn line(&self) -> serde_json::Result<Bytes> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar(name: &str, answer: Option<Answer>) -> Sidecar {
        let (namespace, name) = ("team".to_owned(), name.to_owned());
        let pod = PodId { namespace, uid: format!("{name}-uid"), name };
        Sidecar { pod, sent: None, answer }
    }

    #[test]
    fn sidecars_come_out_as_they_went_in_and_answers_stand_once() {
        let why = "a field is not known here, which takes many words to say";
        let rejected = Some(Answer::Rejected { version: "2".into(), reason: why.into() });
        let applied = Some(Answer::Applied { version: "2".into(), held: Vec::new() });
        let told = [
            sidecar("a", None),
            sidecar("b", applied),
            sidecar("c", rejected.clone()),
            sidecar("d", rejected),
        ];
        let line = Report::of("one", told.to_vec()).line().unwrap();
        let text = std::str::from_utf8(&line).unwrap();
        assert!(text.ends_with("}\n") && text.lines().count() == 1, "{text}");
        assert_eq!(text.matches(why).count(), 1, "{text}");
        let read: Report = serde_json::from_slice(&line).unwrap();
        assert_eq!(read.replica(), "one");
        let mut read: Vec<_> = read.into_sidecars();
        read.sort_by(|one, other| one.pod.cmp(&other.pod));
        let facts = |sidecars: &[Sidecar]| -> Vec<_> {
            sidecars.iter().map(|sidecar| (sidecar.pod.clone(), sidecar.answer.clone())).collect()
        };
        assert_eq!(facts(&read), facts(&told));
    }

    #[test]
    fn a_newer_replica_may_say_more() {
        let line = r#"{"replica":"new","colour":"red","sidecars":
            [{"pods":[["team","a","uid"]],"since":7}]}"#;
        let read: Report = serde_json::from_str(line).unwrap();
        assert_eq!(read.into_sidecars()[0].pod.name, "a");
    }
}
