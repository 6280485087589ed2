//! Heads of responses: read, framed, and written anew.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_gate::fuzzing::http_response(bytes));
