//! The description of a Windows host.

#![no_main]

use bailiwick_fuzz::printable;
use bailiwick_windows::facts::Facts;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Facts::parse(text) {
        Ok(facts) => {
            for object in &facts.objects {
                assert_eq!(facts.object(&object.path), Some(object), "what is described is not found");
            }
        }
        Err(error) => printable(error),
    }
});
