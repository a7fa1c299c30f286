//! Every fuzz target's function over its stored corpus: what was once found stays mended, on a machine without cargo-fuzz too.

use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

/// The corpus is to stay small enough to be read by a person and run by every test.
const MOST_FILES: usize = 300;
const MOST_BYTES: u64 = 16 << 10;

#[test]
fn every_fuzz_target_passes_over_its_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut files = 0;
    for (name, target) in fuzz::TARGETS {
        let inputs =
            std::fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("the corpus of {name}: {error}"));
        let mut any = false;
        for input in inputs {
            let path = input.expect("a file of the corpus").path();
            let data = std::fs::read(&path).expect("a file of the corpus");
            assert!(data.len() as u64 <= MOST_BYTES, "{} is too large to keep", path.display());
            // The name of a failing file is in the test's output.
            println!("{}", path.display());
            target(&data);
            any = true;
            files += 1;
        }
        assert!(any, "{name} has no corpus");
    }
    assert!(files < MOST_FILES, "{files} files: minimise the corpus");
}
