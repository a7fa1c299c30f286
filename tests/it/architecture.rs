//! The absences that the crate doc promises. A grep is enough: what a file does not name, it does not use.

use std::path::{Path, PathBuf};

/// Every Rust file below `src`, by its path from there.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let read = |path: PathBuf| {
        let code = std::fs::read_to_string(&path).unwrap();
        // Comments may name anything.
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        (path.strip_prefix(&root).unwrap().to_owned(), code)
    };
    files.into_iter().map(read).collect()
}

#[track_caller]
fn only_in(word: &str, allowed: &[&str]) {
    let sources = sources();
    assert!(sources.iter().any(|(_, code)| code.contains(word)), "nothing names {word}: this test has lost its object");
    for (path, code) in sources {
        let is_allowed = allowed.iter().any(|folder| path.starts_with(folder));
        assert!(is_allowed || !code.contains(word), "{} names {word}", path.display());
    }
}

#[test]
fn actix_is_named_in_http_alone() {
    only_in("actix", &["http"]);
}

#[test]
fn the_engine_is_named_in_the_worker_and_where_it_needs_unsafe_code_alone() {
    only_in("rquickjs", &["worker", "sandbox/heap.rs", "sandbox/proxy.rs", "sandbox/values.rs"]);
}

#[test]
fn unsafe_code_is_in_the_sandbox_alone() {
    only_in("unsafe ", &["sandbox"]);
}

#[test]
fn the_server_side_names_nothing_of_the_worker_and_never_enters_the_box() {
    for (path, code) in sources() {
        let is_server = ["http", "session", "pool", "metrics.rs"].iter().any(|folder| path.starts_with(folder));
        let names = ["crate::worker", "sandbox::enter"].iter().find(|name| code.contains(**name));
        assert!(!is_server || names.is_none(), "{} names {names:?}", path.display());
    }
}
