//! YAML documents as plain values, read as kubectl reads them, whatever they hold.

use serde_json::Value;
use thiserror::Error;

use super::yaml;

/// Why a document cannot be read. Never quotes it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct BadDocument {
    /// Where, counted from 1.
    pub line: usize,
    /// Where in the line, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Every document of a text; those without content are left out.
pub fn values(text: &str) -> Vec<Result<Value, BadDocument>> {
    let documents = yaml::documents(text).into_iter();
    let value = |document: Result<yaml::Node, yaml::SyntaxError>| match document {
        Ok(node) => Ok(node.to_json()),
        Err(yaml::SyntaxError { at, message }) => {
            Err(BadDocument { line: at.line, column: at.column, message })
        }
    };
    documents.map(value).collect()
}
