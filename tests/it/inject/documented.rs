//! The manual has every annotation, every reason and every variable.

use std::fs;

use pillion::inject::decide::Skip;
use pillion::inject::settings::Annotation;

#[test]
fn the_manual_is_complete() {
    let manual = fs::read_to_string("docs/injection.md").unwrap();
    for annotation in Annotation::ALL {
        assert!(manual.contains(&format!("| `{}` |", annotation.name())), "{annotation:?}");
    }
    for skip in Skip::ALL {
        assert!(manual.contains(&format!("| `{}` |", skip.label())), "{skip:?}");
    }
    let plain = fs::read_to_string("tests/fixtures/inject/plain/out.yaml").unwrap();
    let names = plain.lines().filter_map(|line| line.trim().strip_prefix("- name: "));
    let variables: Vec<&str> = names
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        .collect();
    assert_eq!(variables.len(), 7, "{variables:?}");
    for name in variables {
        assert!(manual.contains(&format!("`{name}`")), "{name}");
    }
}
