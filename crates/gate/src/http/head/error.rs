//! What is wrong with a head.

use std::fmt;

/// Why a head was refused. None of these repeats bytes of the message: they are hostile, and the place says enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadError {
    /// More than [`super::MOST_BYTES`].
    TooLarge,
    /// More than [`super::MOST_FIELDS`].
    TooManyFields,
    /// LF without CR before it.
    BareLineFeed,
    /// CR without LF after it.
    BareCarriageReturn,
    /// The message begins with an empty line.
    EmptyFirstLine,
    /// A control byte: its offset and value.
    Control(usize, u8),
    /// The first byte is that of a TLS record.
    Tls,
    /// It ends before its last empty line.
    Unfinished,
    /// Not `method SP target SP version`.
    RequestLine,
    /// Not `version SP status SP reason`.
    StatusLine,
    /// The method is no token.
    Method,
    /// The target holds something else than visible ASCII, or a fragment.
    Target,
    /// Neither HTTP/1.1 nor HTTP/1.0.
    Version,
    /// A line that continues the one before it (obs-fold).
    Folded,
    /// A field line without colon.
    FieldLine,
    /// A field name that is no token, or with a blank before its colon.
    FieldName,
}

impl HeadError {
    /// A control byte at an offset of the head.
    pub(crate) fn control(at: usize, byte: u8) -> HeadError {
        match (at, byte) {
            (0, 0x16) => HeadError::Tls,
            _ => HeadError::Control(at, byte),
        }
    }

    /// The status and its reason phrase that answer it.
    pub(crate) fn status(self) -> (u16, &'static str) {
        match self {
            HeadError::TooLarge | HeadError::TooManyFields => (431, "Request Header Fields Too Large"),
            HeadError::Version => (505, "HTTP Version Not Supported"),
            _ => (400, "Bad Request"),
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeadError::TooLarge => write!(f, "its head is larger than {} bytes", super::MOST_BYTES),
            HeadError::TooManyFields => write!(f, "its head has more than {} fields", super::MOST_FIELDS),
            HeadError::BareLineFeed => f.write_str("a line of its head ends in LF without CR"),
            HeadError::BareCarriageReturn => f.write_str("its head has a CR without LF"),
            HeadError::EmptyFirstLine => f.write_str("it begins with an empty line"),
            HeadError::Control(at, byte) => write!(f, "its head has the control byte 0x{byte:02x} at offset {at}"),
            HeadError::Tls => f.write_str("it begins with a TLS record where plain HTTP is spoken"),
            HeadError::Unfinished => f.write_str("its head is not finished"),
            HeadError::RequestLine => f.write_str("its first line is not `METHOD TARGET HTTP/1.1` with single spaces"),
            HeadError::StatusLine => {
                f.write_str("its first line is not `HTTP/1.1 STATUS REASON` with a status of 100 to 599")
            }
            HeadError::Method => f.write_str("its method is not a token"),
            HeadError::Target => f.write_str("its target holds something else than visible ASCII, or a `#`"),
            HeadError::Version => {
                f.write_str("its version is neither HTTP/1.1 nor HTTP/1.0; HTTP/2 is not spoken here, use HTTP/1.1")
            }
            HeadError::Folded => f.write_str("a field of its head is continued on a second line"),
            HeadError::FieldLine => f.write_str("a line of its head has no colon"),
            HeadError::FieldName => f.write_str("the name of a field is not a token followed by its colon"),
        }
    }
}

impl std::error::Error for HeadError {}
