//! The control sequences (`ESC [` …) that may pass.

use super::modes::{self, Modes};

/// Digits of the largest parameter: terminals take 16-bit numbers; more only makes a weak one count for long.
const MOST_DIGITS: usize = 5;

/// A control sequence taken apart.
struct Sequence<'a> {
    /// `?`, `>`, `=` or `<`, if it starts with one.
    private: Option<u8>,
    /// Numbers, `;` and `:`.
    parameters: &'a [u8],
    /// Bytes from space to `/`.
    intermediates: &'a [u8],
    last: u8,
}

impl<'a> Sequence<'a> {
    /// Takes `body` apart; `None` if it is not well-formed.
    fn parse(body: &'a [u8], last: u8) -> Option<Sequence<'a>> {
        let (private, rest) = match body.split_first() {
            Some((&mark @ b'<'..=b'?', rest)) => (Some(mark), rest),
            _ => (None, body),
        };
        let end = rest.iter().position(|byte| !is_parameter(*byte)).unwrap_or(rest.len());
        let (parameters, intermediates) = rest.split_at(end);
        let well_formed = intermediates.iter().all(|byte| (0x20..=0x2f).contains(byte))
            && parameters.split(|byte| !byte.is_ascii_digit()).all(|digits| digits.len() <= MOST_DIGITS);
        well_formed.then_some(Sequence { private, parameters, intermediates, last })
    }

    /// The parameters as numbers, an empty one being 0; one with parts (`4:3`) is `None`.
    fn numbers(&self) -> impl Iterator<Item = Option<u32>> {
        self.parameters.split(|byte| *byte == b';').map(|text| {
            let mut value = 0;
            for byte in text {
                if !byte.is_ascii_digit() {
                    return None;
                }
                value = value * 10 + u32::from(byte - b'0');
            }
            Some(value)
        })
    }

    /// Whether every parameter is one of `allowed`.
    fn only(&self, allowed: &[u32]) -> bool {
        self.numbers().all(|number| number.is_some_and(|number| allowed.contains(&number)))
    }

    fn has_one_number(&self) -> bool {
        self.parameters.iter().all(u8::is_ascii_digit)
    }
}

fn is_parameter(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b';' || byte == b':'
}

/// Appends `ESC [ body last` to `out` if it may pass, or the part of it that may. `replies`: whether the terminal's answers
/// reach the inside.
pub(super) fn pass(body: &[u8], last: u8, replies: bool, modes: &mut Modes, out: &mut Vec<u8>) {
    let Some(sequence) = Sequence::parse(body, last) else { return };
    if sequence.private == Some(b'?') && sequence.intermediates.is_empty() && matches!(last, b'h' | b'l') {
        pass_modes(&sequence, replies, modes, out);
        return;
    }
    if allowed(&sequence, replies) && modes.note_sequence(sequence.private, sequence.intermediates, body, last) {
        write(body, last, out);
    }
}

fn write(body: &[u8], last: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    out.extend_from_slice(body);
    out.push(last);
}

/// `ESC [ ? … h` and `l`: those of the modes that may be switched.
fn pass_modes(sequence: &Sequence<'_>, replies: bool, modes: &mut Modes, out: &mut Vec<u8>) {
    let mut separator: &[u8] = b"\x1b[?";
    for number in sequence.numbers().flatten() {
        let Some(mode) = modes::find(number) else { continue };
        if mode.keyboard && !replies {
            continue;
        }
        modes.note_mode(number, sequence.last == b'h');
        out.extend_from_slice(separator);
        out.extend_from_slice(number.to_string().as_bytes());
        separator = b";";
    }
    if separator == b";" {
        out.push(sequence.last);
    }
}

/// The allow list. What is not in it does not pass.
fn allowed(sequence: &Sequence<'_>, replies: bool) -> bool {
    match (sequence.private, sequence.intermediates, sequence.last) {
        (None, [], last) => allowed_plain(sequence, last, replies),
        // Selective erase.
        (Some(b'?'), [], b'J' | b'K') => true,
        // Cursor shape of the Linux console.
        (Some(b'?'), [], b'c') => true,
        // Cursor position report.
        (Some(b'?'), [], b'n') => replies && sequence.only(&[6]),
        // Secondary device attributes.
        (Some(b'>'), [], b'c') => replies && sequence.only(&[0]),
        // modifyOtherKeys.
        (Some(b'>'), [], b'm') => replies && sequence.numbers().next() == Some(Some(4)),
        // The keyboard protocol of kitty: query; push; pop; set.
        (Some(b'?'), [], b'u') => replies && sequence.parameters.is_empty(),
        (Some(b'>' | b'<'), [], b'u') => replies && sequence.has_one_number(),
        (Some(b'='), [], b'u') => replies,
        // Is this mode set? The answer is a number.
        (None | Some(b'?'), [b'$'], b'p') => replies && sequence.has_one_number(),
        // Soft reset.
        (None, [b'!'], b'p') => sequence.parameters.is_empty(),
        // Shape of the cursor.
        (None, [b' '], b'q') => sequence.has_one_number(),
        _ => false,
    }
}

/// Sequences without mark and intermediate byte.
fn allowed_plain(sequence: &Sequence<'_>, last: u8, replies: bool) -> bool {
    match last {
        // Insert and delete characters and lines, move, erase, tabs, repeat, scroll region, save and restore the cursor.
        b'@' | b'A'..=b'M' | b'P' | b'S' | b'X' | b'Z' | b'`' | b'a' | b'b' | b'd'..=b'g' | b'r' | b's' => true,
        b'u' => sequence.parameters.is_empty(),
        // Scroll down. With five parameters it is highlight tracking, which waits for an answer.
        b'T' => sequence.has_one_number(),
        // Colours and attributes.
        b'm' => true,
        // Insert mode, and the cursor's blinking in screen's description. Not: keyboard lock, local echo, newline mode.
        b'h' | b'l' => sequence.only(&[4, 34]),
        // Status and cursor position.
        b'n' => replies && sequence.only(&[5, 6]),
        // Primary device attributes.
        b'c' => replies && sequence.only(&[0]),
        _ => false,
    }
}
