//! What becomes of the fields of which no other dialect knows anything.

use crate::llm::translate::fate::Fate;

pub(in crate::llm::translate) const PREVIOUS: Fate = refused(
    "no answer is kept here: send the earlier messages, calls and outputs in `input` instead",
);

pub(in crate::llm::translate) const CONVERSATION: Fate = refused(
    "no conversation is kept here: send the earlier messages, calls and outputs in `input` instead",
);

pub(in crate::llm::translate) const PROMPT: Fate = refused(
    "templates are kept by the service that has them: send their text in `instructions` and \
     `input`",
);

pub(in crate::llm::translate) const BACKGROUND: Fate = Fate::Refused {
    why: "an answer is given while the call waits: leave it out, or stream",
    unless: &["false"],
};

pub(in crate::llm::translate) const MODERATION: Fate =
    refused("nothing is moderated where this model is served: leave it out and check by yourself");

pub(in crate::llm::translate) const LOGPROBS: Fate = Fate::Refused {
    why: "the probabilities of tokens are not told here: leave it out",
    unless: &["0"],
};

pub(in crate::llm::translate) const REFERENCE: Fate =
    refused("nothing is kept here: send the item itself");

pub(in crate::llm::translate) const COMPACTION: Fate =
    refused("only the service that made it can read it: send the messages themselves");

pub(in crate::llm::translate) const HOSTED: Fate = refused(
    "run by the service that has it, with its data or machines: offer a function tool instead",
);

pub(in crate::llm::translate) const STORE: Fate =
    Fate::Dropped("nothing is kept, and the answer says so");

pub(in crate::llm::translate) const INCLUDE: Fate =
    Fate::Dropped("thoughts always come with what proves them; the rest is of hosted tools");

pub(in crate::llm::translate) const METADATA: Fate =
    Fate::Dropped("notes on what is kept; the answer repeats them");

pub(in crate::llm::translate) const HOSTED_CALLS: Fate =
    Fate::Dropped("records of hosted tools; what came of them stands in the messages that follow");

pub(in crate::llm::translate) const OFFERED: Fate =
    Fate::Dropped("the model goes without; it is refused if there are no other tools");

pub(in crate::llm::translate) const PROGRAMS: Fate =
    Fate::Dropped("the model itself calls the tools, without a program");

pub(in crate::llm::translate) const TRUNCATION: Fate =
    Fate::Dropped("a conversation that is too long is refused by the provider");

pub(in crate::llm::translate) const MANAGEMENT: Fate =
    Fate::Dropped("nothing is compacted here; clients do so by themselves");

pub(in crate::llm::translate) const HOSTED_LIMIT: Fate =
    Fate::Dropped("counts the calls of hosted tools, and there are none");

pub(in crate::llm::translate) const CACHE_HINT: Fate =
    Fate::Dropped("a hint for the service's own cache, and unknown members are often refused");

pub(in crate::llm::translate) const PRIVATE: Fate =
    Fate::Dropped("means something to the service itself only");

pub(in crate::llm::translate) const NO_PADDING: Fate =
    Fate::Dropped("no padding is added, and none is needed");

pub(in crate::llm::translate) const PHASE: Fate =
    Fate::Dropped("a mark for the client, not for the model");

pub(in crate::llm::translate) const ADDITIONAL: Fate =
    Fate::Approximated("as if they stood in `tools`, each name once");

pub(in crate::llm::translate) const AGENTS: Fate = Fate::Approximated(
    "a user's message; what OpenAI's service encrypted is refused, for only that can read it",
);

pub(in crate::llm::translate) const NAMESPACE: Fate = Fate::Approximated(
    "one tool each, named after both; calls come back with both names, the description is left out",
);

const fn refused(why: &'static str) -> Fate {
    Fate::Refused { why, unless: &[] }
}
