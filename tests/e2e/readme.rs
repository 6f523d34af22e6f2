//! The README's first screen for a cluster, as commands.
//!
//! They are run as they stand there, but for the provider's address and the application's image:
//! nothing leads out of the node.

use std::fs;

use anyhow::{Context, anyhow, ensure};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const SECTION: &str = "\n## In a cluster\n";

const ENDPOINTS: &str = "\
    provider: OpenRouter, \
    endpoints: [{ api: OpenAi, baseUrl: \"http://provider.provider/v1\" }],";

/// What is something else here.
const REPLACED: [[&str; 2]; 2] =
    [["provider: OpenRouter,", ENDPOINTS], ["curlimages/curl:8.11.0", "pillion.test/shell:1"]];

/// How it is installed, what is written, and what an application does.
pub(crate) fn commands() -> anyhow::Result<[String; 3]> {
    let text = fs::read_to_string(README)?;
    let (_, section) = text.split_once(SECTION).context("the README has no such section")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut blocks: String = section
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect::<Vec<_>>()
        .join("\0");
    for [there, here] in REPLACED {
        ensure!(blocks.contains(there), "the README's commands have no `{there}`");
        blocks = blocks.replace(there, here);
    }
    let blocks: Vec<String> = blocks.split('\0').map(str::to_owned).collect();
    blocks.try_into().map_err(|blocks: Vec<_>| anyhow!("{} blocks of commands", blocks.len()))
}
