//! What a call cost in tokens, as its provider reported it: read, never estimated.
//!
//! Owns the names that each dialect gives its counts ([`Count::named`]) and the sums that make four
//! disjoint counts of them. Arithmetic saturates; a count that is no unsigned integer is left out.
//! Does not know where in an answer a report stands: that is `tap`'s part.

/// Tokens by type. The four are disjoint in every dialect: `input` excludes both cache counts
/// (OpenAI's `prompt_tokens` and Gemini's `promptTokenCount` include them; they are subtracted).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Prompt tokens that no cache served.
    pub input: Option<u64>,
    /// Generated tokens, reasoning included.
    pub output: Option<u64>,
    /// Prompt tokens read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Prompt tokens written to the provider's cache.
    pub cache_creation: Option<u64>,
}

/// A count that some provider's usage object holds, by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// The whole prompt, cached tokens included.
    Prompt,
    /// `input_tokens`: the whole prompt (OpenAI), or what no cache served (Anthropic).
    Input,
    /// The answer.
    Output,
    /// The part of the prompt that came from a cache (OpenAI's forms, Gemini's).
    Cached,
    /// The part of the prompt that was written to a cache (OpenAI's forms).
    CacheWrite,
    /// Anthropic's `cache_read_input_tokens`, outside `input_tokens`.
    CacheReadInput,
    /// Anthropic's `cache_creation_input_tokens`, outside `input_tokens`.
    CacheCreationInput,
    /// Reasoning tokens: inside the answer's count (OpenAI), or beside it (Gemini, some clones).
    Reasoning,
    /// Gemini's prompt tokens for tool results, outside `promptTokenCount`.
    ToolPrompt,
    /// Prompt and answer together.
    Total,
}

/// One usage object, as a provider wrote it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    counts: [Option<u64>; COUNTS],
}

// === impl Usage ===

impl Usage {
    /// Takes over a later report of the same answer, whole. Zeros do not undo what was reported,
    /// and what was zero gives way: some providers send zeros in every chunk but one.
    pub fn replace(&mut self, later: Self) {
        if later.is_reported() && (later.is_positive() || !self.is_positive()) {
            *self = later;
        }
    }

    /// Takes over the counts that a later report of the same answer has, keeping the others.
    /// Anthropic's reports are cumulative and spread over two events. A prompt does not shrink, so
    /// a later zero there is a clone's way of saying nothing; the answer's count does go back to
    /// zero, in a refusal.
    pub fn accumulate(&mut self, later: Self) {
        self.output = later.output.or(self.output);
        accumulate(&mut self.input, later.input);
        accumulate(&mut self.cache_read, later.cache_read);
        accumulate(&mut self.cache_creation, later.cache_creation);
    }

    /// Was any count reported?
    pub fn is_reported(&self) -> bool {
        self.counts().iter().any(Option::is_some)
    }

    fn is_positive(&self) -> bool {
        self.counts().iter().any(|count| count.unwrap_or(0) > 0)
    }

    fn counts(&self) -> [Option<u64>; 4] {
        [self.input, self.output, self.cache_read, self.cache_creation]
    }
}

// === impl Count ===

impl Count {
    /// The count that a member of a usage object is. A name means the same in every dialect here,
    /// so one list serves all.
    pub fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"prompt_tokens" | b"promptTokenCount" => Self::Prompt,
            b"input_tokens" => Self::Input,
            b"completion_tokens" | b"output_tokens" | b"candidatesTokenCount" => Self::Output,
            b"prompt_cache_hit_tokens" | b"cached_tokens" | b"num_cached_tokens" => Self::Cached,
            b"cachedContentTokenCount" => Self::Cached,
            b"cache_read_input_tokens" => Self::CacheReadInput,
            b"cache_creation_input_tokens" => Self::CacheCreationInput,
            b"thoughtsTokenCount" => Self::Reasoning,
            b"toolUsePromptTokenCount" => Self::ToolPrompt,
            b"total_tokens" => Self::Total,
            _ => return None,
        })
    }

    /// The count that a member of a `*_tokens_details` object is.
    pub fn named_in_details(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"cached_tokens" => Self::Cached,
            b"cache_write_tokens" => Self::CacheWrite,
            b"reasoning_tokens" => Self::Reasoning,
            _ => return None,
        })
    }
}

// === impl Report ===

impl Report {
    /// Notes a count. The cached part stands under several names, of which some say zero.
    pub fn set(&mut self, count: Count, tokens: u64) {
        let known = &mut self.counts[count as usize];
        *known = match count {
            Count::Cached => (*known).max(Some(tokens)),
            _ => Some(tokens),
        };
    }

    /// The four counts of an OpenAI report: chat, completions, responses, embeddings.
    pub fn openai(&self) -> Usage {
        let prompt = self.get(Count::Prompt).or(self.get(Count::Input));
        let cache_read = self.get(Count::Cached);
        let cache_creation = self.get(Count::CacheWrite);
        Usage {
            input: prompt.map(|tokens| less(less(tokens, cache_read), cache_creation)),
            output: self.openai_output(prompt),
            cache_read,
            cache_creation,
        }
    }

    /// The four counts of an Anthropic report.
    pub fn anthropic(&self) -> Usage {
        Usage {
            input: self.get(Count::Input),
            output: self.get(Count::Output),
            cache_read: self.get(Count::CacheReadInput),
            cache_creation: self.get(Count::CacheCreationInput),
        }
    }

    /// The four counts of a Gemini report.
    pub fn gemini(&self) -> Usage {
        let cache_read = self.get(Count::Cached);
        let prompt = sum(self.get(Count::Prompt), self.get(Count::ToolPrompt));
        Usage {
            input: prompt.map(|tokens| less(tokens, cache_read)),
            output: sum(self.get(Count::Output), self.get(Count::Reasoning)),
            cache_read,
            cache_creation: None,
        }
    }

    /// Some providers count reasoning beside the answer, not inside; their total tells.
    fn openai_output(&self, prompt: Option<u64>) -> Option<u64> {
        let answer = self.get(Count::Output)?;
        let apart = answer.saturating_add(self.get(Count::Reasoning).unwrap_or(0));
        let total = self.get(Count::Total);
        Some(if total.is_some() && total == sum(prompt, Some(apart)) { apart } else { answer })
    }

    fn get(&self, count: Count) -> Option<u64> {
        self.counts[count as usize]
    }
}

// === private parts ===

const COUNTS: usize = Count::Total as usize + 1;

fn accumulate(known: &mut Option<u64>, later: Option<u64>) {
    if later.unwrap_or(0) > 0 || known.is_none() {
        *known = later.or(*known);
    }
}

fn less(tokens: u64, part: Option<u64>) -> u64 {
    tokens.saturating_sub(part.unwrap_or(0))
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (None, None) => None,
        _ => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(counts: &[(Count, u64)]) -> Report {
        let mut report = Report::default();
        counts.iter().for_each(|(count, tokens)| report.set(*count, *tokens));
        report
    }

    fn usage(counts: [i64; 4]) -> Usage {
        let [input, output, cache_read, cache_creation] = counts.map(|n| u64::try_from(n).ok());
        Usage { input, output, cache_read, cache_creation }
    }

    #[test]
    fn an_openai_prompt_is_cut_into_disjoint_parts() {
        use Count::*;
        let openai = |counts: &[(Count, u64)]| report(counts).openai();
        assert_eq!(openai(&[]), usage([-1, -1, -1, -1]));
        assert_eq!(openai(&[(Prompt, 10), (Output, 5)]), usage([10, 5, -1, -1]));
        assert_eq!(openai(&[(Input, 10), (Cached, 4)]), usage([6, -1, 4, -1]));
        let written = [(Prompt, 10), (Cached, 4), (CacheWrite, 3)];
        assert_eq!(openai(&written), usage([3, -1, 4, 3]));
        assert_eq!(openai(&[(Prompt, 3), (Cached, 9)]), usage([0, -1, 9, -1]));
        assert_eq!(openai(&[(Cached, 9), (Cached, 0)]), usage([-1, -1, 9, -1]));
    }

    #[test]
    fn reasoning_counts_once() {
        use Count::*;
        let inside = [(Prompt, 10), (Output, 8), (Reasoning, 5), (Total, 18)];
        assert_eq!(report(&inside).openai().output, Some(8));
        let beside = [(Prompt, 10), (Output, 8), (Reasoning, 5), (Total, 23)];
        assert_eq!(report(&beside).openai().output, Some(13));
        assert_eq!(report(&[(Output, 8), (Reasoning, 5)]).openai().output, Some(8));
    }

    #[test]
    fn gemini_sums_saturate() {
        use Count::*;
        let gemini = [(Prompt, 10), (ToolPrompt, 2), (Cached, 4), (Output, 3), (Reasoning, 7)];
        assert_eq!(report(&gemini).gemini(), usage([8, 10, 4, -1]));
        let huge = [(Prompt, u64::MAX), (ToolPrompt, 2)];
        assert_eq!(report(&huge).gemini().input, Some(u64::MAX));
    }

    #[test]
    fn pain_17_the_first_zero_report_does_not_stay() {
        let mut known = Usage::default();
        let reports = [[0, 0, -1, -1], [-1, -1, -1, -1], [7, 3, -1, -1], [0, 0, 0, -1]];
        reports.iter().for_each(|counts| known.replace(usage(*counts)));
        assert_eq!(known, usage([7, 3, -1, -1]));
    }

    #[test]
    fn anthropic_counts_come_in_two_events() {
        let mut known = Usage::default();
        for counts in [[0, 1, 5, -1], [20, 9, -1, 0], [0, -1, 0, -1]] {
            known.accumulate(usage(counts));
        }
        assert_eq!(known, usage([20, 9, 5, 0]));
        known.accumulate(usage([-1, 0, -1, -1]));
        assert_eq!(known.output, Some(0));
    }
}
