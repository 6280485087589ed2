//! The modes that may be switched, and what the inside has left switched on.

/// A private mode (`ESC [ ? n h`) that may be switched.
pub(super) struct Mode {
    number: u32,
    /// What a terminal starts with.
    starts_on: bool,
    /// Whether it changes what the keyboard or the mouse sends.
    pub(super) keyboard: bool,
}

const fn screen(number: u32, starts_on: bool) -> Mode {
    Mode { number, starts_on, keyboard: false }
}

const fn keyboard(number: u32) -> Mode {
    Mode { number, starts_on: false, keyboard: true }
}

/// In the order in which they are put back. At most 32.
const MODES: [Mode; 22] = [
    keyboard(1),         // application cursor keys
    keyboard(9),         // mouse: X10
    keyboard(1000),      // mouse: press and release
    keyboard(1002),      // mouse: drag
    keyboard(1003),      // mouse: all motion
    keyboard(1004),      // focus
    keyboard(1005),      // mouse: UTF-8
    keyboard(1006),      // mouse: SGR
    keyboard(1015),      // mouse: urxvt
    keyboard(1016),      // mouse: pixels
    keyboard(2004),      // bracketed paste
    screen(2026, false), // synchronised output
    screen(5, false),    // reverse video
    screen(6, false),    // origin
    screen(69, false),   // left and right margins
    screen(7, true),     // wrap at the margin
    screen(12, false),   // blinking cursor
    screen(45, false),   // reverse wrap
    screen(47, false),   // alternate screen, and its later forms
    screen(1047, false),
    screen(1049, false),
    screen(25, true), // cursor visible
];

/// Saves and restores the cursor: nothing is left behind.
const SAVE_CURSOR: Mode = screen(1048, false);

/// The mode of this number, if it may be switched.
pub(super) fn find(number: u32) -> Option<&'static Mode> {
    MODES.iter().find(|mode| mode.number == number).or((number == SAVE_CURSOR.number).then_some(&SAVE_CURSOR))
}

/// Numbers of the alternate screen.
const ALTERNATE: [u32; 3] = [47, 1047, 1049];

/// Deepest stack of keyboard flags that one screen may hold; terminals keep about as many.
const DEEPEST_STACK: u8 = 16;

/// What differs from a terminal's start. Bounded, and empty for a program that only prints.
#[derive(Clone, Debug, Default)]
pub(super) struct Modes {
    /// Bit `i`: `MODES[i]` is not as it starts.
    changed: u32,
    attributes: bool,
    insert: bool,
    shifted: bool,
    charset: [bool; 4],
    /// Some character set was chosen at some time: it comes back with a saved cursor.
    charset_used: bool,
    shift_used: bool,
    keypad: bool,
    region: bool,
    cursor_shape: bool,
    console_cursor: bool,
    other_keys: bool,
    /// The keyboard protocol of kitty, for each of the two screens: entries pushed, and whether flags were set.
    pushed: [u8; 2],
    flags_set: [bool; 2],
}

impl Modes {
    pub(super) fn note_control(&mut self, byte: u8) {
        match byte {
            0x0e => (self.shifted, self.shift_used) = (true, true),
            0x0f => self.shifted = false,
            _ => {}
        }
    }

    pub(super) fn note_escape(&mut self, intermediates: &[u8], last: u8) {
        match (intermediates, last) {
            ([], b'c') => *self = Modes::default(),
            ([], b'=') => self.keypad = true,
            ([], b'>') => self.keypad = false,
            ([], b'8') => self.note_restored_cursor(),
            ([set @ b'('..=b'+'], last) => {
                if let Some(changed) = self.charset.get_mut(usize::from(set - b'(')) {
                    *changed = last != b'B';
                    self.charset_used |= *changed;
                }
            }
            _ => {}
        }
    }

    /// Restoring the cursor brings back attributes and character sets as they were when it was saved.
    fn note_restored_cursor(&mut self) {
        self.attributes = true;
        self.charset = self.charset.map(|changed| changed || self.charset_used);
        self.shifted |= self.shift_used;
    }

    pub(super) fn note_mode(&mut self, number: u32, on: bool) {
        if matches!(number, 1048 | 1049) && !on {
            self.note_restored_cursor();
        }
        if let Some(index) = MODES.iter().position(|mode| mode.number == number) {
            let bit = 1 << index;
            let differs = MODES.get(index).is_some_and(|mode| mode.starts_on != on);
            self.changed = if differs { self.changed | bit } else { self.changed & !bit };
        }
    }

    /// Notes an allowed sequence. `false` if it must not pass after all: it would take away what the user's shell has pushed.
    pub(super) fn note_sequence(&mut self, private: Option<u8>, intermediates: &[u8], body: &[u8], last: u8) -> bool {
        match (private, intermediates, last) {
            (None, [], b'm') => self.attributes = !matches!(body, b"" | b"0"),
            (None, [], b'h' | b'l') if body == b"4" => self.insert = last == b'h',
            (None, [], b'r') => self.region = !body.is_empty(),
            (None, [], b'u') => self.note_restored_cursor(),
            (None, [b' '], b'q') => self.cursor_shape = true,
            (Some(b'?'), [], b'c') => self.console_cursor = true,
            (Some(b'>'), [], b'm') => self.other_keys = true,
            (Some(mark), [], b'u') => return self.note_keyboard(mark, body.get(1..).unwrap_or_default()),
            _ => {}
        }
        true
    }

    fn note_keyboard(&mut self, mark: u8, parameter: &[u8]) -> bool {
        let screen = usize::from(self.on_alternate_screen());
        let (Some(pushed), Some(flags_set)) = (self.pushed.get_mut(screen), self.flags_set.get_mut(screen)) else {
            return false;
        };
        match mark {
            b'>' if *pushed < DEEPEST_STACK => *pushed += 1,
            b'>' => return false,
            b'<' => {
                // Digits only, checked before; nothing or 0 means 1.
                let count =
                    std::str::from_utf8(parameter).ok().and_then(|text| text.parse::<u32>().ok()).unwrap_or(1).max(1);
                match u8::try_from(count).ok().and_then(|count| pushed.checked_sub(count)) {
                    Some(left) => *pushed = left,
                    None => return false,
                }
            }
            b'=' => *flags_set = true,
            _ => {}
        }
        true
    }

    fn on_alternate_screen(&self) -> bool {
        MODES.iter().enumerate().any(|(i, mode)| ALTERNATE.contains(&mode.number) && self.changed & (1 << i) != 0)
    }

    /// Appends what puts the terminal back.
    pub(super) fn undo(&self, out: &mut Vec<u8>) {
        let alternate = self.on_alternate_screen();
        if alternate {
            self.undo_keyboard(1, out);
        }
        for (i, mode) in MODES.iter().enumerate() {
            if self.changed & (1 << i) != 0 {
                let switch = if mode.starts_on { 'h' } else { 'l' };
                out.extend_from_slice(format!("\x1b[?{}{switch}", mode.number).as_bytes());
            }
        }
        self.undo_keyboard(0, out);
        if self.region {
            // Taking the scroll region away moves the cursor home.
            out.extend_from_slice(b"\x1b7\x1b[r\x1b8");
        }
        for (set, changed) in (b'('..).zip(self.charset) {
            if changed {
                out.extend_from_slice(&[0x1b, set, b'B']);
            }
        }
        let simple: [(bool, &[u8]); 7] = [
            (self.insert, b"\x1b[4l"),
            (self.shifted, b"\x0f"),
            (self.keypad, b"\x1b>"),
            (self.cursor_shape, b"\x1b[0 q"),
            (self.console_cursor, b"\x1b[?0c"),
            (self.other_keys, b"\x1b[>4m"),
            (self.attributes, b"\x1b[m"),
        ];
        for (changed, undo) in simple {
            if changed {
                out.extend_from_slice(undo);
            }
        }
    }

    fn undo_keyboard(&self, screen: usize, out: &mut Vec<u8>) {
        let pushed = self.pushed.get(screen).copied().unwrap_or(0);
        if pushed > 0 {
            out.extend_from_slice(format!("\x1b[<{pushed}u").as_bytes());
        }
        if self.flags_set.get(screen).copied().unwrap_or(false) {
            out.extend_from_slice(b"\x1b[=0u");
        }
    }
}
