//! Proofs of thoughts on their way through a client of the responses API.
//!
//! Such a client gives `encrypted_content` back as it came and looks at nothing in it. So the
//! signature of a thought, or a thought that only its maker can read, travels there, marked as
//! ours. A signature is bound to its text: a fingerprint of the text travels with it, and where
//! the text came back changed, the signature is left out, because it would prove nothing and its
//! maker would refuse the whole request. The text itself travels as the summary, once.

use crate::llm::translate::conversation::Thought;
use crate::llm::translate::fingerprint::fingerprint;

/// What `encrypted_content` of ours begins with: no base64, which the service's own is.
const SIGNED: &str = "pillion:signed:";
const REDACTED: &str = "pillion:redacted:";

/// For the signature of a thought with this text.
pub(super) fn signed(text: &str, signature: &str) -> String {
    format!("{SIGNED}{:016x}:{signature}", fingerprint(text))
}

/// For a thought that only its maker can read.
pub(super) fn redacted(data: &str) -> String {
    format!("{REDACTED}{data}")
}

/// The thought again. `None`: this envelope is not ours.
pub(super) fn open(encrypted: &str, text: &str) -> Option<Thought> {
    if let Some(data) = encrypted.strip_prefix(REDACTED) {
        return Some(Thought::Redacted(data.to_owned()));
    }
    let (fingerprinted, signature) = encrypted.strip_prefix(SIGNED)?.split_once(':')?;
    let text = text.to_owned();
    if fingerprinted == format!("{:016x}", fingerprint(&text)) {
        return Some(Thought::Signed { text, signature: signature.to_owned() });
    }
    Some(Thought::Plain(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_comes_back_with_its_text_only() {
        let sealed = signed("so be it", "c2ln:==");
        let (text, signature) = ("so be it".to_owned(), "c2ln:==".to_owned());
        assert_eq!(open(&sealed, "so be it"), Some(Thought::Signed { text, signature }));
        assert_eq!(open(&sealed, "so be"), Some(Thought::Plain("so be".to_owned())));
    }

    #[test]
    fn a_redacted_thought_comes_back() {
        let sealed = redacted("ZGF0YQ==");
        assert_eq!(open(&sealed, ""), Some(Thought::Redacted("ZGF0YQ==".to_owned())));
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        assert_eq!(open("gAAAAABo", "text"), None);
        assert_eq!(open("pillion:signed:nothing", "text"), None);
    }
}
