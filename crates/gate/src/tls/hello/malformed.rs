//! What can be wrong with a hello.

use std::fmt;

/// What is wrong with a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The hello of SSL 2, which has no server name.
    Ssl2,
    /// A record that is no handshake stands before the end of the hello.
    Record,
    /// A record is empty or longer than the standard allows.
    RecordLength,
    /// The hello is cut into more records than any real client makes.
    Records,
    /// The first message is no `ClientHello`.
    Message,
    /// The hello is longer than the gate reads.
    Long,
    /// A length points past the end.
    Short,
    /// Bytes are left after the end.
    Trailing,
    /// The version is none of TLS.
    Version,
    /// The session id is too long.
    SessionId,
    /// The list of cipher suites is empty or odd.
    Suites,
    /// The list of compression methods is empty.
    Compression,
    /// An extension comes twice.
    Twice(u16),
    /// More extensions than any real client sends.
    Extensions,
    /// The server name is not a `host_name`.
    NameType,
    /// More than one server name.
    Names,
    /// The server name is not a plain DNS name.
    Name,
    /// The list of protocols (ALPN) is empty, has an empty name, or is too long.
    Protocols,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Malformed::Ssl2 => "it is one of SSL 2, which has no server name",
            Malformed::Record => "another kind of record stands before its end",
            Malformed::RecordLength => "a record is empty or longer than 16,384 bytes",
            Malformed::Records => "it is cut into more records than any real client makes",
            Malformed::Message => "the first message is another one",
            Malformed::Long => "it is longer than 64 KiB",
            Malformed::Short => "a length in it points past its end",
            Malformed::Trailing => "bytes are left after its end",
            Malformed::Version => "its version is none of TLS",
            Malformed::SessionId => "its session id is longer than 32 bytes",
            Malformed::Suites => "its list of cipher suites is empty or odd",
            Malformed::Compression => "its list of compression methods is empty",
            Malformed::Twice(kind) => return write!(f, "the TLS hello is malformed: extension {kind} comes twice"),
            Malformed::Extensions => "it has more extensions than any real client sends",
            Malformed::NameType => "its server name is of an unknown kind",
            Malformed::Names => "it has more than one server name",
            Malformed::Name => "its server name is not a plain DNS name",
            Malformed::Protocols => "its list of protocols (ALPN) is not as the standard has it",
        };
        write!(f, "the TLS hello is malformed: {what}")
    }
}

impl std::error::Error for Malformed {}
