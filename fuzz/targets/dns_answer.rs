//! Queries of the inside, as the gate answers them.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_gate::fuzzing::dns_answer(bytes));
