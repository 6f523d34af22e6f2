//! The call to be explained: a request, made of arguments.
//!
//! Owns the sample bodies, the smallest that each operation's API takes. Does not know routes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use serde_json::{Value, json};

use crate::llm::json::{self, BodyScanner, Splice};
use crate::llm::operation::{self, Ask, Kind, ModelAt, Operation};

/// The call.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The call")]
pub(super) struct CallArgs {
    /// Its method
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "POST")]
    method: String,

    /// Its path, with the query if it has one: /v1/messages?beta=true
    #[arg(long, value_name = "PATH")]
    path: String,

    /// The model that it asks for: in a sample body, or in place of that in --body
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,

    /// It asks for a stream (in the sample body)
    #[arg(long, conflicts_with = "body")]
    stream: bool,

    /// A header of it, as curl takes it (repeatable): 'x-team: search'
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// Its body, a file, or - for standard input; default: a sample body of the path's API
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
}

/// A call, and what is to be said of how it was made.
#[derive(Debug)]
pub(super) struct Given {
    /// The call.
    pub(super) request: Request<Bytes>,
    /// Is the body a sample?
    pub(super) origin: BodyOrigin,
    /// What was odd about the arguments.
    pub(super) warnings: Vec<String>,
}

/// Where a body comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyOrigin {
    /// It was given.
    Given,
    /// It is a sample of ours.
    Sample,
    /// There is none.
    None,
}

/// Makes the call.
///
/// # Errors
/// When the arguments do not make one.
pub(super) fn make(args: &CallArgs) -> anyhow::Result<Given> {
    let method = Method::from_bytes(args.method.to_ascii_uppercase().as_bytes())
        .with_context(|| format!("--method {}: this is no method", args.method))?;
    let uri: Uri = args.path.parse().map_err(|error| {
        anyhow!("--path {}: {error}: write a path such as /v1/messages", args.path)
    })?;
    let mut headers = HeaderMap::new();
    for line in &args.headers {
        let (name, value) = header(line)?;
        headers.append(name, value);
    }
    let ask = operation::ask(&method, uri.path(), &headers);
    let (body, origin) = body(args, &method, &ask)?;
    if origin != BodyOrigin::None && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let mut request = Request::new(body);
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    *request.headers_mut() = headers;
    Ok(Given { request, origin, warnings: odd(args, &ask, origin) })
}

/// A line as `curl -H` takes it. What is wrong is told without the value, which may be a key.
fn header(line: &str) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let Some((name, value)) = line.split_once(':') else {
        bail!("--header: a value has no colon: write it as 'name: value'");
    };
    let bad = || format!("--header '{name}: …'");
    let parsed = HeaderName::from_bytes(name.trim().as_bytes());
    let header = parsed.with_context(|| format!("{}: this is no header's name", bad()))?;
    let value = HeaderValue::from_str(value.trim())
        .with_context(|| format!("{}: the value cannot stand in a header", bad()))?;
    Ok((header, value))
}

fn body(args: &CallArgs, method: &Method, ask: &Ask) -> anyhow::Result<(Bytes, BodyOrigin)> {
    match (&args.body, ask) {
        (Some(path), _) => {
            let body = read(path).with_context(|| format!("--body {}", path.display()))?;
            Ok((renamed(body, args.model.as_deref())?, BodyOrigin::Given))
        }
        (None, Ask::Call(operation)) if *method == Method::POST => {
            Ok(match sample(operation, args) {
                Value::Null => (Bytes::new(), BodyOrigin::None),
                sample => (Bytes::from(sample.to_string()), BodyOrigin::Sample),
            })
        }
        (None, _) => Ok((Bytes::new(), BodyOrigin::None)),
    }
}

fn read(path: &Path) -> io::Result<Bytes> {
    let mut body = Vec::new();
    match path == Path::new("-") {
        true => io::stdin().lock().read_to_end(&mut body)?,
        false => File::open(path)?.read_to_end(&mut body)?,
    };
    Ok(body.into())
}

fn renamed(body: Bytes, model: Option<&str>) -> anyhow::Result<Bytes> {
    let Some(model) = model else {
        return Ok(body);
    };
    let mut scanner = BodyScanner::default();
    scanner.feed(&body);
    let facts = scanner.finish().context("--model with --body")?;
    let member =
        facts.model.context("--model with --body: the body has no `model` to put it into")?;
    let with = json::quoted(model);
    let at = member.span;
    Ok(json::splice(&[body], &[Splice { at, with }]).concat().into())
}

/// The smallest body that the operation takes; nothing for uploads and the like.
fn sample(operation: &Operation, args: &CallArgs) -> Value {
    let messages = json!([{ "role": "user", "content": "hi" }]);
    let rest = match operation.kind {
        Kind::ChatCompletions | Kind::CountTokens => json!({ "messages": messages }),
        Kind::Messages => json!({ "max_tokens": 16, "messages": messages }),
        Kind::Completions => json!({ "prompt": "hi" }),
        Kind::Responses | Kind::Embeddings => json!({ "input": "hi" }),
        Kind::GenerateContent | Kind::StreamGenerateContent => {
            return json!({ "contents": [{ "parts": [{ "text": "hi" }] }] });
        }
        Kind::Other if operation.model == ModelAt::Body => json!({}),
        Kind::Other => return Value::Null,
    };
    let model = args.model.iter().map(|m| ("model".to_owned(), json!(m)));
    let stream = args.stream.then(|| ("stream".to_owned(), json!(true)));
    let Value::Object(rest) = rest else {
        return rest;
    };
    Value::Object(model.chain(stream).chain(rest).collect())
}

fn odd(args: &CallArgs, ask: &Ask, origin: BodyOrigin) -> Vec<String> {
    let model_at = match ask {
        Ask::Call(operation) => Some(&operation.model),
        _ => None,
    };
    let odd = match (model_at, &args.model) {
        (Some(ModelAt::Body), None) if origin == BodyOrigin::Sample => {
            "the sample body names no model, because neither --model nor --body is given"
        }
        (Some(ModelAt::Body), _) | (_, None) => return Vec::new(),
        (Some(ModelAt::Path(_)), Some(_)) => "--model has no effect: this path names the model",
        (Some(ModelAt::Nowhere) | None, Some(_)) => {
            "--model has no effect: such a request names no model"
        }
    };
    vec![odd.to_owned()]
}
