//! From a client's path to the provider's: no call leaves the path prefix of its base URL, however
//! often a server decodes what it gets. The input is four lines: base URL, path, query, model.

#![no_main]

use http::{HeaderMap, Method, Uri};
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use pillion::llm::Api;
use pillion::llm::operation::{self, Ask, ModelAt, Operation};
use pillion::secret::Secret;
use pillion::table::endpoint::{PathPrefix, strip_query};
use pillion::table::{CallPath, Endpoint, Suffix, Trust};

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (base, path, query, model) = (line(), line(), line(), line());
    // What hyper would not take for a request target never reaches us, nor does a fragment.
    let Ok(uri) = Uri::try_from(format!("{path}?{query}")) else { return };
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    let ask = operation::ask(&Method::POST, path, &HeaderMap::new());
    let Ask::Call(operation) = ask else { return };
    for api in Api::ALL {
        if let Ok(endpoint) = Endpoint::parse(api, base, Trust::System) {
            assert_ne!(endpoint.origin.port, 0);
            joined(&endpoint, path, query, &operation, model);
        }
    }
});

fn joined(endpoint: &Endpoint, path: &str, query: &str, operation: &Operation, model: &str) {
    let suffix = match &operation.model {
        ModelAt::Path(span) => Suffix::Renamed {
            before: &path[operation.suffix.start..span.start],
            model,
            after: &path[span.end..operation.suffix.end],
        },
        ModelAt::Body | ModelAt::Nowhere => Suffix::AsSent(&path[operation.suffix.clone()]),
    };
    let query = strip_query(query, "key");
    assert!(!query.split('&').any(|pair| decoded(pair).starts_with("key=")), "{query}");
    let call = CallPath {
        version: &path[operation.version.clone()],
        suffix,
        model: Some(model),
        query: Some(&query),
    };
    let Ok(secret) = Secret::new(b"s3cret") else { return };
    let value = secret.query_value();
    let Ok(target) = endpoint.path_and_query(call, Some(("key", &value))) else { return };
    let (got, shown) = (target.path(), target.as_str());
    if let PathPrefix::Fixed(prefix) = &endpoint.prefix {
        assert!(got.starts_with(&**prefix), "{shown} left {prefix}");
    }
    assert!(got.starts_with('/') && !got.contains("//"), "{shown}");
    assert!(shown.ends_with("key=s3cret"), "{shown}");
    assert!(shown.bytes().all(|byte| (0x21..0x7f).contains(&byte) || byte >= 0x80), "{shown}");
    let once = decoded(got);
    assert!(once.split(['/', '\\']).all(|segment| !matches!(segment, "." | "..")), "{shown}");
    assert!(!once.contains('\0'), "{shown}");
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
