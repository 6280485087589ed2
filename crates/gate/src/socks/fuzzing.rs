//! Doors for the fuzz targets; see `crate::fuzzing`.

use std::fmt::Debug;

use super::message::{Malformed, Parsed, Wanted, greeting, login, request};

type Message<T> = Result<Parsed<T>, Malformed>;

/// Every message of a client, however it is cut.
pub fn messages(bytes: &[u8]) {
    cut(bytes, greeting);
    cut(bytes, login);
    cut(bytes, request);
    if let Ok(Parsed::Whole(Wanted::Connect(host, port), _)) = request(bytes) {
        assert_ne!(port, 0);
        let text = host.to_string();
        assert_eq!(bailiwick_policy::host_pattern::Host::parse(&text), Ok(host), "`{text}` names another host");
    }
}

/// Bytes that come later change nothing, and a message is whole exactly when its last byte is there.
fn cut<T: Debug + PartialEq>(bytes: &[u8], read: impl Fn(&[u8]) -> Message<T>) {
    // The longest message, a log-in, has 513 bytes.
    let bytes = &bytes[..bytes.len().min(600)];
    let whole = read(bytes);
    for end in 0..bytes.len() {
        let part = read(&bytes[..end]);
        match (&part, &whole) {
            (Ok(Parsed::More), Ok(Parsed::Whole(_, length))) => assert!(end < *length, "{end} bytes were enough"),
            (Ok(Parsed::More), _) => {}
            _ => assert_eq!(part, whole, "after {end} bytes"),
        }
    }
    if let Ok(Parsed::Whole(_, length)) = whole {
        assert!(length > 0 && length <= bytes.len());
    }
}
