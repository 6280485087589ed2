//! Doors for the fuzz targets; see `crate::fuzzing`.

use bailiwick_policy::host_pattern::Host;

use super::hello::{Hello, LONGEST, read};
use crate::fuzzing::ends;

/// A hello says the same however its bytes are cut and however its message is spread over records.
pub fn hello(bytes: &[u8]) {
    let whole = read(bytes);
    assert!(whole != Hello::Incomplete || bytes.len() < LONGEST, "more than the longest hello is wanted");
    for end in ends(bytes) {
        let part = read(&bytes[..end]);
        assert!(part == Hello::Incomplete || part == whole, "after {end} bytes {part:?}, at last {whole:?}");
    }
    let Hello::Found(hello) = &whole else { return };
    if let Some(name) = &hello.server_name {
        let host = Host::parse(name).unwrap();
        assert_eq!(host, Host::Name(name.clone()), "the server name is not canonical");
        assert_eq!(hello.names(&host).is_ok(), !hello.encrypted);
        assert!(hello.names(&Host::Name("other.invalid".to_owned())).is_err() || name == "other.invalid");
    }
    let message = message_of(bytes);
    let record = message.len().div_ceil(60).max(1 + crate::fuzzing::number(bytes) as usize % 80);
    let spread: Vec<u8> = message.chunks(record).flat_map(as_record).collect();
    if record < 1 << 14 && spread.len() < LONGEST {
        assert_eq!(read(&spread), whole, "spread over records of {record} bytes");
    }
}

fn as_record(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[22, 3, 1], length.as_slice(), content].concat()
}

/// The handshake message of a whole hello, out of its records.
fn message_of(mut bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    while message.len() < 4 || message.len() < 4 + u32::from_be_bytes([0, message[1], message[2], message[3]]) as usize
    {
        let length = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        message.extend_from_slice(&bytes[5..5 + length]);
        bytes = &bytes[5 + length..];
    }
    message
}
