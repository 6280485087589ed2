//! The first handshake message of a client, put together from its records (RFC 8446 5.1).

use super::Malformed;

/// Most bytes of a hello with its records. Real ones have 200 to 2,000.
pub const LONGEST: usize = 64 * 1024;
/// Most records of one hello; each call walks over all of them.
const MOST_RECORDS: usize = 64;
/// Record type: handshake.
const HANDSHAKE: u8 = 22;
/// Record type: a change of the cipher, one byte.
const CHANGE_CIPHER: u8 = 20;
/// Record type: an alert, two bytes.
const ALERT: u8 = 21;
/// Message type: `ClientHello`.
const CLIENT_HELLO: u8 = 1;
/// Longest content of a plain record.
const LONGEST_RECORD: usize = 1 << 14;
/// Bytes before the content of a record: type, version, length.
const RECORD_HEAD: usize = 5;
/// Bytes before the body of a message: type, length.
const MESSAGE_HEAD: usize = 4;

/// What the first bytes hold.
pub(super) enum Message {
    NotTls,
    Incomplete,
    Malformed(Malformed),
    /// The body of the `ClientHello`.
    Whole(Vec<u8>),
}

pub(super) fn message(bytes: &[u8]) -> Message {
    match bytes {
        [] | [HANDSHAKE] => Message::Incomplete,
        [HANDSHAKE, 3, ..] => match walk(bytes) {
            Ok(Some(body)) => Message::Whole(body),
            Ok(None) => Message::Incomplete,
            Err(why) => Message::Malformed(why),
        },
        // Some servers take every version below 16 for TLS in a first record with a hello.
        [HANDSHAKE, 0..16, _, 0..=0x40, _, CLIENT_HELLO, ..] => Message::Malformed(Malformed::Record),
        [HANDSHAKE, 0..16]
        | [HANDSHAKE, 0..16, _]
        | [HANDSHAKE, 0..16, _, 0..=0x40]
        | [HANDSHAKE, 0..16, _, 0..=0x40, _] => Message::Incomplete,
        [HANDSHAKE, ..] => Message::NotTls,
        // Before a hello, some servers pass over warnings and changes of the cipher: it would come unseen behind them.
        [ALERT | CHANGE_CIPHER, 3, 0..=4, 0, 1 | 2, ..] => Message::Malformed(Malformed::Record),
        [ALERT | CHANGE_CIPHER]
        | [ALERT | CHANGE_CIPHER, 3]
        | [ALERT | CHANGE_CIPHER, 3, 0..=4]
        | [ALERT | CHANGE_CIPHER, 3, 0..=4, 0] => Message::Incomplete,
        _ => ssl_2(bytes),
    }
}

/// A hello of SSL 2: length with the high bit set, message type 1, version 2 or 3.x (RFC 5246 E.2).
fn ssl_2(bytes: &[u8]) -> Message {
    match bytes {
        [0x80..=0xff, _, 1, 0, 2, ..] | [0x80..=0xff, _, 1, 3, ..] => Message::Malformed(Malformed::Ssl2),
        [0x80..=0xff] | [0x80..=0xff, _] | [0x80..=0xff, _, 1] | [0x80..=0xff, _, 1, 0] => Message::Incomplete,
        _ => Message::NotTls,
    }
}

/// Walks over the records until the message is whole. `None`: more bytes are needed.
///
/// Nothing is copied before it is whole: a client that sends byte by byte makes this run for every byte.
fn walk(bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut rest = bytes;
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut gathered = 0;
    while parts.len() < MOST_RECORDS {
        let Some((head, after)) = rest.split_at_checked(RECORD_HEAD) else {
            check_part_of_head(rest)?;
            return Ok(None);
        };
        let length = record_length(head)?;
        let (content, next) = after.split_at(length.min(after.len()));
        parts.push(content);
        if let Some(wanted) = message_length(&parts)? {
            // A hello ends with its record: what comes after it may be under another key (RFC 8446 5.1).
            if gathered + length > wanted {
                return Err(Malformed::Trailing);
            }
            if gathered + content.len() == wanted {
                return Ok(Some(parts.concat().split_off(MESSAGE_HEAD)));
            }
        }
        if content.len() < length {
            return Ok(None);
        }
        gathered += length;
        rest = next;
    }
    Err(Malformed::Records)
}

/// As much of a record's head as there is must fit, so that nothing waits for what can only be refused.
fn check_part_of_head(part: &[u8]) -> Result<(), Malformed> {
    match part {
        [] | [HANDSHAKE] | [HANDSHAKE, 3, ..] => Ok(()),
        _ => Err(Malformed::Record),
    }
}

fn record_length(head: &[u8]) -> Result<usize, Malformed> {
    match *head {
        [HANDSHAKE, 3, _, high, low] => match usize::from(u16::from_be_bytes([high, low])) {
            length @ 1..=LONGEST_RECORD => Ok(length),
            _ => Err(Malformed::RecordLength),
        },
        _ => Err(Malformed::Record),
    }
}

/// The length of the message with its head, as soon as its head is there.
fn message_length(parts: &[&[u8]]) -> Result<Option<usize>, Malformed> {
    let mut first = parts.iter().copied().flatten().copied();
    if first.next().is_some_and(|kind| kind != CLIENT_HELLO) {
        return Err(Malformed::Message);
    }
    let (Some(high), Some(middle), Some(low)) = (first.next(), first.next(), first.next()) else { return Ok(None) };
    let length = u32::from_be_bytes([0, high, middle, low]) as usize + MESSAGE_HEAD;
    if length + RECORD_HEAD * MOST_RECORDS > LONGEST { Err(Malformed::Long) } else { Ok(Some(length)) }
}
