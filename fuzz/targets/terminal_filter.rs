//! What the inside says to the user's terminal.

#![no_main]

use bailiwick_linux::terminal::Filter;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for make in [Filter::new, || Filter::new().without_replies(), || Filter::new().seven_bit()] {
        let mut whole = Vec::new();
        make().feed(bytes, &mut whole);
        assert!(whole.len() <= bytes.len() * 3 + 300);
        let (mut pieces, mut filter) = (Vec::new(), make());
        for byte in bytes {
            filter.feed(&[*byte], &mut pieces);
        }
        assert_eq!(pieces, whole, "split, it is another output");
        // Every token of the output passes again, whole.
        let mut again = Vec::new();
        make().feed(&whole, &mut again);
        assert_eq!(again, whole, "what has passed does not pass");
    }
});
