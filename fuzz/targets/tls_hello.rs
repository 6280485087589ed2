//! The first message of a TLS client.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_gate::fuzzing::tls_hello(bytes));
