//! Whole conversations of a client with the gate, to one host and with the proxy.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_gate::fuzzing::http_conversation(bytes));
