//! Heads of requests: read, made out, and written anew.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_gate::fuzzing::http_request(bytes));
