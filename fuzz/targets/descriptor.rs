//! Security descriptors as bytes, and the access check on whatever they say.

#![no_main]

use bailiwick_fuzz::printable;
use bailiwick_winsec::explain::explain;
use bailiwick_winsec::sddl::{self, Domains, Problem};
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
        match sddl::parse(&text, &Domains::NONE) {
            Ok(again) => {
                assert_eq!((&again.owner, &again.group), (&descriptor.owner, &descriptor.group), "in `{text}`");
                assert_eq!(sddl::to_string(&again, &Domains::NONE).as_ref(), Ok(&text));
            }
            // Bytes can hold an audit entry in a DACL; the text is written for people to see and not read again.
            Err(error) => assert!(matches!(error.problem, Problem::WrongList(_)), "`{text}` is not read: {error}"),
        }
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
