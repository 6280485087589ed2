//! DNS messages, read and written (RFC 1035).

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_gate::fuzzing::dns_message(bytes));
