//! SOCKS5 messages of a client.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_gate::fuzzing::socks(bytes));
