//! Answers of the host's name servers, as the resolver reads them.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_gate::fuzzing::dns_response(bytes));
