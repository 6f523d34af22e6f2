//! The API server takes every object of `examples/`.

use std::fs;
use std::path::Path;

use pillion_cluster::documents;

use crate::support::cluster::shared;

#[tokio::test]
async fn every_example_is_accepted() {
    let cluster = shared().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let example = entry.unwrap().path();
        if !example.is_dir() {
            continue;
        }
        for entry in fs::read_dir(example).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let accepted = cluster.dry_run("default", &text).await;
            let accepted = accepted.unwrap_or_else(|error| panic!("{path:?}: {error:#}"));
            assert_eq!(accepted.len(), documents(&text).unwrap().len());
            assert!(accepted.len() > 1, "{path:?}");
            files += 1;
        }
    }
    assert!(files > 4, "{files} examples");
}
