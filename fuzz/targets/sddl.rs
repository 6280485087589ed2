//! Security descriptors as text.

#![no_main]

use bailiwick_fuzz::printable;
use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::{SecurityDescriptor, Sid};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let domains = Domains::all(Sid::domain([1, 2, 3]));
    let descriptor = match sddl::parse(text, &domains) {
        Ok(descriptor) => descriptor,
        Err(error) => {
            assert!(error.position <= text.len());
            return printable(error);
        }
    };
    let written = sddl::to_string(&descriptor, &domains).expect("what was said can be said");
    assert_eq!(sddl::parse(&written, &domains).as_ref(), Ok(&descriptor), "`{written}` is another descriptor");
    let bytes = descriptor.to_bytes().expect("what reads as text can be written as bytes");
    assert_eq!(SecurityDescriptor::parse(&bytes).as_ref(), Ok(&descriptor), "its bytes are another descriptor");
});
