//! A policy document: TOML, perhaps from the workspace, which is hostile.

#![no_main]

use bailiwick_fuzz::printable;
use bailiwick_policy::document::Document;
use bailiwick_policy::origin::{Layer, Source};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let source = || Source::File("/w/.bailiwick.toml".into());
    if let Err(error) = Document::parse_bytes(bytes, source(), Layer::Project) {
        printable(error);
    }
});
