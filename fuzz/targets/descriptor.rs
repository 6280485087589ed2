//! Security descriptors as bytes, and the access check on whatever they say.

#![no_main]

use bailiwick_fuzz::printable;
use bailiwick_winsec::explain::explain;
use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::{AccessMask, Request, SecurityDescriptor, Sid, Token, check};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let descriptor = match SecurityDescriptor::parse(bytes) {
        Ok(descriptor) => descriptor,
        Err(error) => return printable(error),
    };
    if let Ok(written) = descriptor.to_bytes() {
        assert_eq!(SecurityDescriptor::parse(&written).as_ref(), Ok(&descriptor), "written anew, it is another one");
    }
    if let Ok(text) = sddl::to_string(&descriptor, &Domains::NONE) {
        let again = sddl::parse(&text, &Domains::NONE).unwrap_or_else(|error| panic!("`{text}` is not read: {error}"));
        assert_eq!((&again.owner, &again.group), (&descriptor.owner, &descriptor.group), "in `{text}`");
        assert_eq!(sddl::to_string(&again, &Domains::NONE).as_ref(), Ok(&text));
    }
    let token = Token::plain(Sid::account([1, 2, 3], 1001), &[Sid::EVERYONE, Sid::AUTHENTICATED_USERS]);
    for desired in [AccessMask::FILE_ALL_ACCESS, AccessMask(0x0200_0000), AccessMask(0x8000_0000)] {
        let request = Request::file(desired);
        let verdict = check(&token, &descriptor, request);
        let explanation = explain(&token, &descriptor, request);
        assert_eq!(explanation.verdict, verdict, "the explanation explains another verdict");
        printable(explanation.sentence());
    }
});
