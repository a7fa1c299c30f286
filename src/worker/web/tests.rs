use std::collections::BTreeSet;

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;

use super::{File, GLOBALS};

const FILES: [File; 10] = [
    File::Common,
    File::Url,
    File::Encoding,
    File::Events,
    File::Abort,
    File::Clone,
    File::Crypto,
    File::Performance,
    File::Base64,
    File::Fetch,
];

#[test]
fn no_file_names_a_global_that_a_script_could_have_replaced() {
    for file in FILES {
        let (name, text) = file.text();
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, SourceType::script()).parse();
        assert!(parsed.diagnostics.is_empty(), "{name}: {:?}", parsed.diagnostics);
        let semantic = SemanticBuilder::new().build(&parsed.program).semantic;
        let free: BTreeSet<&str> =
            semantic.scoping().root_unresolved_references().keys().map(|name| name.as_str()).collect();
        // The first is no global, the second cannot be replaced or declared again.
        assert!(free.iter().all(|name| ["arguments", "undefined"].contains(name)), "{name}: {free:?}");
    }
}

#[test]
fn every_file_is_the_file_of_some_global_or_is_needed_by_one() {
    for file in FILES {
        let is_used = GLOBALS.iter().any(|(_, of, _)| *of == file || of.needs() == Some(file));
        assert!(is_used, "{:?}", file.text().0);
    }
}
