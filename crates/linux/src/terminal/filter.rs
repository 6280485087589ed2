//! The output filter: what the inside may say to the user's terminal.
//!
//! The filter is a parser whose output is made of whole, known tokens only: printable characters, a few control
//! characters, and control sequences from an allow list (`csi`), each of them complete before its first byte is passed
//! on. So it does not matter how the user's terminal would have parsed the input, nor where it thinks that a string ends:
//! there is no byte in the output that is not part of a known token. State is bounded: strings (OSC, DCS, APC, PM, SOS) are
//! skipped as they come and not kept.
//!
//! What is refused, and why: title, clipboard, hyperlink, notification and colour strings reach outside the window;
//! device-control strings draw images, define keys or answer with text of the sender's choice; reports of the title, of
//! checksums and the answerback (ENQ) type what the inside chose into whatever reads the keyboard next; media copy prints;
//! window operations move the user's windows; 8-bit controls and switching the terminal out of UTF-8 open other ways to
//! all of these.
//!
//! Sources: ECMA-48, "XTerm Control Sequences" (ctlseqs), the state machine of the DEC parser (vt100.net), console_codes(4).

mod csi;
mod modes;
#[cfg(test)]
mod tests;

use modes::Modes;

/// Longest control sequence that is kept, in bytes after `ESC [`. Longer ones are skipped. Real programs stay below 100.
const LONGEST_SEQUENCE: usize = 256;

/// What replaces a byte that is not UTF-8: U+FFFD, as terminals do.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

const ESC: u8 = 0x1b;

/// A streaming filter for output of the inside on its way to the user's terminal.
///
/// Pure: no I/O. Splitting the input anywhere gives the same output.
#[derive(Clone, Debug)]
pub struct Filter {
    state: State,
    /// The sequence or character being collected.
    held: Vec<u8>,
    /// Modes that the inside has left switched on.
    modes: Modes,
    /// Whether answers of the terminal reach the inside.
    replies: bool,
    /// Whether characters above ASCII may be passed.
    eight_bit: bool,
}

/// Where the parser stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between tokens.
    Ground,
    /// In a UTF-8 character that has this many bytes in all; those seen are held.
    Utf8(usize),
    /// After `ESC`; intermediate bytes are held.
    Escape,
    /// After `ESC [`; parameter and intermediate bytes are held.
    Csi,
    /// In a control sequence that is refused already: skipped up to its last byte.
    CsiSkipped,
    /// After `ESC ]`: the Linux console's two forms without an end are told apart from OSC here.
    OscStart,
    /// In `ESC ] P`, the Linux console's palette, with this many hexadecimal digits to come.
    Palette(u8),
    /// In a string that is skipped. `true`: BEL ends it too (OSC).
    String(bool),
}

impl Default for Filter {
    fn default() -> Self {
        Self::new()
    }
}

impl Filter {
    /// A filter for a UTF-8 terminal whose keyboard is relayed to the inside.
    pub fn new() -> Filter {
        Filter {
            state: State::Ground,
            held: Vec::with_capacity(LONGEST_SEQUENCE),
            modes: Modes::default(),
            replies: true,
            eight_bit: true,
        }
    }

    /// The same, for a terminal whose keyboard is not relayed: nothing that makes the terminal answer, or that changes what
    /// keys send, may pass, for somebody else would receive it.
    #[must_use]
    pub fn without_replies(mut self) -> Filter {
        self.replies = false;
        self
    }

    /// The same, for a terminal that is not in UTF-8: everything above ASCII is replaced by `?`, because the second byte of
    /// a harmless UTF-8 character can be an 8-bit control there.
    #[must_use]
    pub fn seven_bit(mut self) -> Filter {
        self.eight_bit = false;
        self
    }

    /// Filters `input` and appends what may pass to `out`: at most three times as many bytes as `input`, plus 300.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let mut rest = input;
        while let Some((&byte, after)) = rest.split_first() {
            if self.state == State::Ground && is_printable_ascii(byte) {
                let run = rest.iter().position(|byte| !is_printable_ascii(*byte)).unwrap_or(rest.len());
                let (text, after) = rest.split_at(run);
                out.extend_from_slice(text);
                rest = after;
                continue;
            }
            self.step(byte, out);
            rest = after;
        }
    }

    /// Ends the output: drops an unfinished token and appends what puts back the modes that the inside has left switched on
    /// (alternate screen, mouse reports, hidden cursor …). Nothing for a program that used none. The filter is as new
    /// afterwards.
    pub fn farewell(&mut self, out: &mut Vec<u8>) {
        self.state = State::Ground;
        self.held.clear();
        self.modes.undo(out);
        self.modes = Modes::default();
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.state {
            State::Ground => self.ground(byte, out),
            State::Utf8(length) => self.utf8(byte, length, out),
            State::Escape => self.escape(byte, out),
            State::Csi | State::CsiSkipped => self.csi(byte, out),
            State::OscStart => match byte {
                // `ESC ] R` resets the Linux console's palette and has no end; no OSC of xterm starts so.
                b'R' => self.state = State::Ground,
                b'P' => self.state = State::Palette(7),
                _ => self.string(byte, true),
            },
            State::Palette(left) if byte.is_ascii_hexdigit() => {
                self.state = if left > 1 { State::Palette(left - 1) } else { State::Ground };
            }
            State::Palette(_) => {
                self.state = State::Ground;
                self.step(byte, out);
            }
            State::String(bell_ends) => self.string(byte, bell_ends),
        }
    }

    fn ground(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            ESC => self.start(State::Escape),
            0x00..=0x1f => pass_control(byte, &mut self.modes, out),
            0x20..=0x7e => out.push(byte),
            0x7f => {}
            0xc2..=0xdf => self.start_character(byte, 2),
            0xe0..=0xef => self.start_character(byte, 3),
            0xf0..=0xf4 => self.start_character(byte, 4),
            // A continuation byte without a start, a raw 8-bit control, or a byte that UTF-8 never has.
            0x80..=0xc1 | 0xf5..=0xff => self.replace(out),
        }
    }

    fn start(&mut self, state: State) {
        self.held.clear();
        self.state = state;
    }

    fn start_character(&mut self, byte: u8, length: usize) {
        self.start(State::Utf8(length));
        self.held.push(byte);
    }

    fn replace(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.eight_bit { REPLACEMENT } else { b"?" });
    }

    fn utf8(&mut self, byte: u8, length: usize, out: &mut Vec<u8>) {
        if !may_continue(&self.held, byte) {
            // The start of the character was no character after all; this byte is looked at afresh.
            self.state = State::Ground;
            self.replace(out);
            self.step(byte, out);
            return;
        }
        self.held.push(byte);
        if self.held.len() < length {
            return;
        }
        self.state = State::Ground;
        match *self.held.as_slice() {
            // U+0080 to U+009F: 8-bit controls as UTF-8. Terminals take them for the two-byte forms, and so does the
            // filter, so that the string that one of them opens is skipped as a whole.
            [0xc2, second @ 0x80..=0x9f] => {
                self.start(State::Escape);
                self.escape(second - 0x40, out);
            }
            _ if self.eight_bit => out.extend_from_slice(&self.held),
            _ => out.push(b'?'),
        }
    }

    fn escape(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            ESC => self.start(State::Escape),
            0x18 | 0x1a => self.state = State::Ground,
            0x00..=0x1f => pass_control(byte, &mut self.modes, out),
            0x20..=0x2f if self.held.len() < 2 => self.held.push(byte),
            // More intermediate bytes than any known sequence has: no list holds it; the last byte ends it.
            0x20..=0x2f => {}
            0x7f => {}
            b'[' if self.held.is_empty() => self.start(State::Csi),
            b']' if self.held.is_empty() => self.state = State::OscStart,
            // DCS, SOS, PM, APC, and the title of screen and tmux (`ESC k`), which ends as they do.
            b'P' | b'X' | b'^' | b'_' | b'k' if self.held.is_empty() => self.state = State::String(false),
            0x30..=0x7e => {
                self.state = State::Ground;
                self.finish_escape(byte, out);
            }
            0x80..=0xff => {
                self.state = State::Ground;
                self.ground(byte, out);
            }
        }
    }

    /// `ESC`, the intermediate bytes held, and `last`.
    fn finish_escape(&mut self, last: u8, out: &mut Vec<u8>) {
        let allowed = match (self.held.as_slice(), last) {
            // Save and restore the cursor, index, next line, set a tab stop, reverse index, full reset.
            ([], b'7' | b'8' | b'D' | b'E' | b'H' | b'M' | b'c') => true,
            // Keypad modes change what keys send.
            ([], b'=' | b'>') => self.replies,
            // Character sets: ASCII, line drawing, British.
            ([b'(' | b')' | b'*' | b'+'], b'B' | b'0' | b'A') => true,
            _ => false,
        };
        if allowed {
            self.modes.note_escape(&self.held, last);
            out.push(ESC);
            out.extend_from_slice(&self.held);
            out.push(last);
        }
    }

    fn csi(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            ESC => self.start(State::Escape),
            0x18 | 0x1a => self.state = State::Ground,
            // Terminals obey control characters in the middle of a sequence; here they come before it.
            0x00..=0x1f => pass_control(byte, &mut self.modes, out),
            0x20..=0x3f if self.state == State::Csi && self.held.len() < LONGEST_SEQUENCE => self.held.push(byte),
            0x20..=0x3f => self.state = State::CsiSkipped,
            0x40..=0x7e => {
                let whole = self.state == State::Csi;
                self.state = State::Ground;
                if whole {
                    csi::pass(&self.held, byte, self.replies, &mut self.modes, out);
                }
            }
            0x7f => {}
            0x80..=0xff => {
                self.state = State::Ground;
                self.ground(byte, out);
            }
        }
    }

    fn string(&mut self, byte: u8, bell_ends: bool) {
        self.state = match byte {
            // The start of `ESC \`, or of a sequence that ends the string by its start: both as on terminals.
            ESC => {
                self.held.clear();
                State::Escape
            }
            0x18 | 0x1a => State::Ground,
            0x07 if bell_ends => State::Ground,
            _ => State::String(bell_ends),
        };
    }
}

fn is_printable_ascii(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte)
}

/// BEL, BS, HT, LF, VT, FF, CR, SO and SI pass; all other control characters do not.
fn pass_control(byte: u8, modes: &mut Modes, out: &mut Vec<u8>) {
    if matches!(byte, 0x07..=0x0f) {
        modes.note_control(byte);
        out.push(byte);
    }
}

/// Whether `byte` may follow `held` in a UTF-8 character: no overlong forms, no surrogates, nothing above U+10FFFF
/// (The Unicode Standard, table 3-7).
fn may_continue(held: &[u8], byte: u8) -> bool {
    match held {
        [0xe0] => (0xa0..=0xbf).contains(&byte),
        [0xed] => (0x80..=0x9f).contains(&byte),
        [0xf0] => (0x90..=0xbf).contains(&byte),
        [0xf4] => (0x80..=0x8f).contains(&byte),
        _ => (0x80..=0xbf).contains(&byte),
    }
}

/// Whether the locale that these variables choose is in UTF-8, or says nothing (`C`, unset), as `LC_ALL`, `LC_CTYPE` and
/// `LANG` in this order. Terminals are in UTF-8 today; only a locale that names another encoding speaks against it.
pub fn locale_is_utf8(variables: [Option<&[u8]>; 3]) -> bool {
    let Some(locale) = variables.into_iter().flatten().find(|value| !value.is_empty()) else { return true };
    if matches!(locale, b"C" | b"POSIX") {
        return true;
    }
    let lower: Vec<u8> = locale.to_ascii_lowercase();
    [b"utf-8".as_slice(), b"utf8"].iter().any(|name| lower.windows(name.len()).any(|window| window == *name))
}
