use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn filtered_by(mut filter: Filter, input: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    filter.feed(input, &mut out);
    out
}

fn filtered(input: impl AsRef<[u8]>) -> Vec<u8> {
    filtered_by(Filter::new(), input.as_ref())
}

/// A second, independent reading of the output: tokens of text, controls, `ESC` sequences. `Err` holds what is none of them.
fn tokens(mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, Vec<u8>> {
    let mut tokens = Vec::new();
    while let Some(&first) = bytes.first() {
        let length = match first {
            0x07..=0x0f => 1,
            0x20..=0x7e => bytes.iter().take_while(|b| (0x20..=0x7e).contains(*b)).count(),
            0x1b if bytes.get(1) == Some(&b'[') => {
                let end = bytes.iter().skip(2).position(|b| !(0x20..=0x3f).contains(b)).ok_or(bytes)?;
                if !(0x40..=0x7e).contains(&bytes[2 + end]) {
                    return Err(bytes.to_vec());
                }
                end + 3
            }
            0x1b if bytes.get(1).is_some_and(|b| b"()*+".contains(b))
                && bytes.len() > 2
                && b"B0A".contains(&bytes[2]) =>
            {
                3
            }
            0x1b if bytes.get(1).is_some_and(|b| b"78DEHMc=>".contains(b)) => 2,
            0x80.. => match bytes.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
                Some(c) if c as u32 >= 0xa0 => c.len_utf8(),
                _ => return Err(bytes.to_vec()),
            },
            _ => return Err(bytes.to_vec()),
        };
        let (token, rest) = bytes.split_at(length);
        tokens.push(token.to_vec());
        bytes = rest;
    }
    Ok(tokens)
}

fn assert_clean(output: &[u8]) {
    let tokens =
        tokens(output).unwrap_or_else(|rest| panic!("not a known token: {:?}", rest.escape_ascii().to_string()));
    for token in tokens {
        let bad_final = token.starts_with(b"\x1b[") && token.last().is_some_and(|last| b"tixyNOQRUVW".contains(last));
        assert!(!bad_final, "{}", token.escape_ascii());
    }
}

#[test]
fn plain_text_is_unchanged() {
    for text in ["", "hello\r\n", "tab\tbell\x07back\x08\x0b\x0c", "é ü ✓ 漢字 🦀 e\u{301} \u{a0}\u{ffff}\u{10ffff}"]
    {
        assert_eq!(filtered(text), text.as_bytes());
    }
}

#[test]
fn what_programs_need_is_unchanged() {
    let allowed = [
        "\x1b[m",
        "\x1b[0m",
        "\x1b[1;31m",
        "\x1b[38;5;200m",
        "\x1b[38:2::1:2:3m",
        "\x1b[4:3m",
        "\x1b[58;2;1;2;3m",
        "\x1b[H",
        "\x1b[12;40H",
        "\x1b[A",
        "\x1b[5B",
        "\x1b[C",
        "\x1b[D",
        "\x1b[3E",
        "\x1b[F",
        "\x1b[7G",
        "\x1b[2;3f",
        "\x1b[J",
        "\x1b[2J",
        "\x1b[3J",
        "\x1b[K",
        "\x1b[1K",
        "\x1b[?J",
        "\x1b[L",
        "\x1b[M",
        "\x1b[@",
        "\x1b[P",
        "\x1b[X",
        "\x1b[2S",
        "\x1b[2T",
        "\x1b[1;24r",
        "\x1b[r",
        "\x1b[s",
        "\x1b[u",
        "\x1b[5b",
        "\x1b[g",
        "\x1b[3g",
        "\x1b[Z",
        "\x1b[2d",
        "\x1b[4h",
        "\x1b[4l",
        "\x1b[34h",
        "\x1b[?25l",
        "\x1b[?25h",
        "\x1b[?1049h",
        "\x1b[?1049l",
        "\x1b[?47h",
        "\x1b[?1h",
        "\x1b[?2004h",
        "\x1b[?1000h",
        "\x1b[?1002;1006h",
        "\x1b[?1004h",
        "\x1b[?7l",
        "\x1b[?5h",
        "\x1b[?2026h",
        "\x1b[?12;25h",
        "\x1b(B",
        "\x1b(0",
        "\x1b)0",
        "\x1b*B",
        "\x1b+A",
        "\x0e",
        "\x0f",
        "\x1b7",
        "\x1b8",
        "\x1b=",
        "\x1b>",
        "\x1bM",
        "\x1bD",
        "\x1bE",
        "\x1bH",
        "\x1bc",
        "\x1b[!p",
        "\x1b[2 q",
        "\x1b[5n",
        "\x1b[6n",
        "\x1b[?6n",
        "\x1b[c",
        "\x1b[0c",
        "\x1b[>c",
        "\x1b[>0c",
        "\x1b[?2026$p",
        "\x1b[>4;2m",
        "\x1b[>4m",
        "\x1b[?u",
        "\x1b[>1u",
        "\x1b[=5;1u",
        "\x1b[?0c",
    ];
    for sequence in allowed {
        assert_eq!(filtered(sequence).escape_ascii().to_string(), sequence.as_bytes().escape_ascii().to_string());
    }
}

#[test]
fn what_reaches_outside_the_window_is_dropped() {
    let refused: [&[u8]; 58] = [
        b"\x1b]0;title\x07",
        b"\x1b]2;title\x1b\\",
        b"\x1b]52;c;ZXZpbA==\x07",
        b"\x1b]52;c;?\x07",
        b"\x1b]4;1;rgb:00/00/00\x07",
        b"\x1b]10;?\x07",
        b"\x1b]11;?\x1b\\",
        b"\x1b]1337;File=inline=1:AAAA\x07",
        b"\x1b]9;notify\x07",
        b"\x1b]777;notify;a;b\x07",
        b"\x1b]7;file:///\x07",
        b"\x1b]133;A\x07",
        b"\x1b]50;font\x07",
        b"\x1bPq#0;2;0;0;0~\x1b\\",
        b"\x1bP$qm\x1b\\",
        b"\x1bPtmux;\x1b\x1b\\",
        b"\x1bP+q544e\x1b\\",
        b"\x1bP1;1|17/41\x1b\\",
        b"\x1b_Gf=24;AAAA\x1b\\",
        b"\x1b^pm\x1b\\",
        b"\x1bXsos\x1b\\",
        b"\x1bktitle\x1b\\",
        b"\x1b[21t",
        b"\x1b[8;1;1t",
        b"\x1b[22;0;0t",
        b"\x1b[1t",
        b"\x05",
        b"\x1b[i",
        b"\x1b[5i",
        b"\x1b[?5i",
        b"\x1b[4;1;1;1;1;1*y",
        b"\x1b[?63;1n",
        b"\x1b[?15n",
        b"\x1b[?996n",
        b"\x1b[?1;2S",
        b"\x1b[0x",
        b"\x1b[2;1y",
        b"\x1b[1;2;3;4;5T",
        b"\x1b[?1001h",
        b"\x1b[?1001s",
        b"\x1b[?1049r",
        b"\x1b[?3h",
        b"\x1b[?40h",
        b"\x1b[?5522h",
        b"\x1b[?2048h",
        b"\x1b[2h",
        b"\x1b[12l",
        b"\x1b[20h",
        b"\x1b[62;1\"p",
        b"\x1b[>q",
        b"\x1b[=c",
        b"\x1b[>2t",
        b"\x1b[1#P",
        b"\x1b F",
        b"\x1b G",
        b"\x1b%@",
        b"\x1bn",
        b"\x1bZ",
    ];
    for sequence in refused {
        let input = [b"a".as_slice(), sequence, b"b"].concat();
        assert_eq!(filtered(&input).escape_ascii().to_string(), "ab", "{}", sequence.escape_ascii());
    }
}

#[test]
fn the_text_of_a_hyperlink_stays() {
    assert_eq!(filtered("\x1b]8;;https://example.org\x07link\x1b]8;;\x1b\\ after"), b"link after");
}

#[test]
fn some_modes_of_a_list_may_pass() {
    assert_eq!(filtered("\x1b[?3;4l\x1b[?3;25l\x1b[?1000;1001;1006h"), b"\x1b[?25l\x1b[?1000;1006h");
}

#[test]
fn eight_bit_controls_do_not_pass() {
    // As UTF-8 they are what their seven-bit forms are.
    assert_eq!(filtered("a\u{9d}52;c;x\x07b\u{9b}1mc\u{90}q\x1b\\d\u{84}\u{9f}x\x1b\\e"), b"ab\x1b[1mcd\x1bDe");
    // As raw bytes they are no characters.
    assert_eq!(filtered(b"a\x9d0;x\x07\x9b1m\xe9"), "a\u{fffd}0;x\x07\u{fffd}1m".as_bytes());
    assert_eq!(
        filtered(b"\xe9x\xc0\xaf\xed\xa0\x80\xf4\x90"),
        "\u{fffd}x\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}".as_bytes()
    );
}

#[test]
fn a_terminal_that_is_not_in_utf8_gets_ascii_only() {
    let out = filtered_by(Filter::new().seven_bit(), "d\u{5db}\u{1b}[1mé\u{9b}4m".as_bytes());
    assert_eq!(out.escape_ascii().to_string(), "d?\\x1b[1m?\\x1b[4m");
}

#[test]
fn nothing_makes_a_terminal_answer_whose_keyboard_is_not_relayed() {
    let quiet = |input: &str| filtered_by(Filter::new().without_replies(), input.as_bytes());
    for sequence in [
        "\x1b[5n",
        "\x1b[6n",
        "\x1b[?6n",
        "\x1b[c",
        "\x1b[>c",
        "\x1b[?25$p",
        "\x1b[?u",
        "\x1b[>1u",
        "\x1b[<u",
        "\x1b[=1u",
        "\x1b[>4;2m",
        "\x1b[?1000h",
        "\x1b[?1004h",
        "\x1b[?1006h",
        "\x1b[?2004h",
        "\x1b[?1h",
        "\x1b=",
        "\x1b>",
    ] {
        assert_eq!(quiet(sequence), b"", "{}", sequence.escape_debug());
    }
    assert_eq!(quiet("\x1b[?1049;1000h\x1b[1mx"), b"\x1b[?1049h\x1b[1mx");
}

#[test]
fn a_broken_sequence_ends_where_terminals_end_it() {
    // ESC starts afresh; CAN and SUB abort; controls in the middle are obeyed first.
    assert_eq!(filtered("\x1b[1\x1b[2mx"), b"\x1b[2mx");
    assert_eq!(filtered("\x1b[1\x18mx\x1b]0;a\x1ab\x1bPq\x18c"), b"mxbc");
    assert_eq!(filtered("\x1b[3\r1mx"), b"\r\x1b[31mx");
    assert_eq!(filtered("\x1b]0;x\x1b[1my"), b"\x1b[1my");
    assert_eq!(filtered("\x1b[1é"), "é".as_bytes());
    assert_eq!(filtered("\x1b[1?25h\x1b[? 5h\x1b[ 1q\x1b[999999CX"), b"X");
    // No end: nothing passes, and nothing is kept.
    let mut filter = Filter::new();
    let mut out = Vec::new();
    filter.feed(b"\x1b]0;", &mut out);
    for _ in 0..1000 {
        filter.feed(&[b'x'; 1000], &mut out);
    }
    assert!(out.is_empty());
    assert!(filter.held.capacity() <= LONGEST_SEQUENCE * 2);
    filter.feed(b"\x1b[", &mut out);
    for _ in 0..1000 {
        filter.feed(&[b'1'; 1000], &mut out);
    }
    assert!(filter.held.capacity() <= LONGEST_SEQUENCE * 2);
    filter.feed(b"mx", &mut out);
    assert_eq!(out, b"x");
}

#[test]
fn the_palette_of_the_linux_console_ends_without_an_end() {
    assert_eq!(filtered("\x1b]Ra\x1b]P0123456b\x1b]P01\x1b[mc"), b"ab\x1b[mc");
}

#[test]
fn the_farewell_switches_off_what_was_left_on() {
    let farewell = |input: &str| {
        let mut filter = Filter::new();
        filter.feed(input.as_bytes(), &mut Vec::new());
        let mut out = Vec::new();
        filter.farewell(&mut out);
        assert_clean(&out);
        out.escape_ascii().to_string()
    };
    assert_eq!(farewell("\x1b[1mtext\x1b[0m\r\n\x1b[2J"), "");
    assert_eq!(farewell("\x1b[?1049h\x1b[?25l\x1b[?25h\x1b[?1049l"), "\\x1b[m");
    assert_eq!(
        farewell(
            "\x1b[?1049;1000;1006;2004h\x1b[?25l\x1b[?1h\x1b=\x1b(0\x0e\x1b[31m\x1b[4h\x1b[2;5r\x1b[5 q\x1b[>4;1m\x1b[?7l"
        ),
        r"\x1b[?1l\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[?7h\x1b[?1049l\x1b[?25h\x1b7\x1b[r\x1b8\x1b(B\x1b[4l\x0f\x1b>\x1b[0 q\x1b[>4m\x1b[m"
    );
    // A saved line-drawing set comes back with the cursor.
    assert_eq!(farewell("\x1b(0\x1b7\x1b(B\x1b8"), "\\x1b(B\\x1b)B\\x1b*B\\x1b+B\\x1b[m");
    // What the user's shell has pushed is not popped; what the inside has pushed is, on the screen where it was.
    assert_eq!(filtered("\x1b[<u\x1b[>1u\x1b[<2u\x1b[<1u\x1b[<1u"), b"\x1b[>1u\x1b[<1u");
    assert_eq!(farewell("\x1b[>1u\x1b[?1049h\x1b[>3u\x1b[>3u"), "\\x1b[<2u\\x1b[?1049l\\x1b[<1u");
    assert_eq!(farewell("\x1b[?1000h\x1b[31m\x1bc"), "");
    // An unfinished token does not swallow what comes after the run.
    assert_eq!(farewell("\x1b]0;"), "");
}

#[test]
fn the_locale_says_whether_the_terminal_is_in_utf8() {
    let says = |all: &str, ctype: &str, lang: &str| {
        locale_is_utf8([all, ctype, lang].map(|text| (text != "-").then_some(text.as_bytes())))
    };
    assert!(says("-", "-", "-"));
    assert!(says("", "", "en_US.UTF-8"));
    assert!(says("C.utf8", "de_DE.ISO-8859-1", "-"));
    assert!(says("C", "-", "-"));
    assert!(!says("-", "de_DE.ISO-8859-1", "en_US.UTF-8"));
    assert!(!says("-", "-", "de_DE"));
}

/// Tokens of `input` (strings as one) that are not in the output.
fn dropped(input: &[u8]) -> String {
    let output = filtered(input);
    assert_clean(&output);
    // Both are walked together: the output is the input without whole tokens.
    let (mut rest, mut dropped) = (output.as_slice(), Vec::new());
    let mut at = 0;
    while at < input.len() {
        match rest.first() {
            Some(byte) if *byte == input[at] && (*byte != 0x1b || same_token(&input[at..], rest)) => {
                (rest, at) = (&rest[1..], at + 1);
            }
            _ => {
                dropped.push(input[at]);
                at += 1;
            }
        }
    }
    assert!(rest.is_empty(), "the output has something that the input has not");
    dropped.escape_ascii().to_string()
}

fn same_token(input: &[u8], output: &[u8]) -> bool {
    let mut filter = Filter::new();
    let mut out = Vec::new();
    for byte in input {
        filter.feed(&[*byte], &mut out);
        if !out.is_empty() {
            return output.starts_with(&out);
        }
        if filter.state == State::Ground {
            return false;
        }
    }
    false
}

#[test]
fn real_programs_lose_only_titles_and_questions() {
    assert_eq!(
        dropped(include_bytes!("captures/vim.out")),
        r"\x1b[22;0;0t\x1b[22;2t\x1b[22;1t\x1bPzz\x1b\\\x1b[0%m\x1b]10;?\x07\x1b]11;?\x07\x1b]2;a.c (/tmp/cap) - VIM\x07\x1b[?4m\x1b]2;a.c + (/tmp/cap) - VIM\x07\x1b]2;Thanks for flying Vim\x07\x1b[23;2t\x1b[23;1t\x1b[22;2t\x1b[22;1t\x1b[23;2t\x1b[23;1t\x1b[23;0;0t"
    );
    assert_eq!(dropped(include_bytes!("captures/less.out")), r"\x1b[22;0;0t\x1b[23;0;0t");
    assert_eq!(dropped(include_bytes!("captures/top.out")), "");
    assert_eq!(dropped(include_bytes!("captures/bash.out")), r"\x1b[22;0;0t\x1b[23;0;0t\x1b]104\x07\x1b[?3;4l");
}

/// Input made of pieces that mean something to terminals, and noise.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\x1b".to_vec()),
        Just(b"\x1b[".to_vec()),
        Just(b"\x1b]52;c;".to_vec()),
        Just(b"\x1bP".to_vec()),
        Just(b"\x1b\\".to_vec()),
        Just(b"\x07".to_vec()),
        Just(b"\x18".to_vec()),
        Just(b"\x1a".to_vec()),
        Just(b"\xc2".to_vec()),
        Just(b"\x9b".to_vec()),
        Just(b"\x9d".to_vec()),
        Just(b"\xc2\x9d".to_vec()),
        Just(b"\xc2\x9b".to_vec()),
        Just(b"?".to_vec()),
        Just(b"21t".to_vec()),
        Just(b"5i".to_vec()),
        Just(b"1049h".to_vec()),
        Just(b";".to_vec()),
        Just(b"m".to_vec()),
        Just(b"(".to_vec()),
        Just("é漢🦀".as_bytes().to_vec()),
        Just(b"\x05".to_vec()),
        Just(b"\x1b%@".to_vec()),
        Just(b"\x1b G".to_vec()),
        vec(any::<u8>(), 0..6),
        "[ -~]{0,8}".prop_map(String::into_bytes),
        "[0-9;:?]{0,12}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_output_is_made_of_known_tokens_only(input in hostile(), replies: bool, eight_bit: bool) {
        let mut filter = Filter::new();
        if !replies { filter = filter.without_replies(); }
        if !eight_bit { filter = filter.seven_bit(); }
        let mut out = Vec::new();
        filter.feed(&input, &mut out);
        assert_clean(&out);
        prop_assert!(out.len() <= 3 * input.len() + 300);
        prop_assert!(eight_bit || out.is_ascii());
        filter.farewell(&mut out);
        assert_clean(&out);
        let bad: [&[u8]; 6] = [b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX", b"\x1bk"];
        prop_assert!(!bad.iter().any(|bad| out.windows(2).any(|window| window == *bad)));
        let eight_bit_control = std::str::from_utf8(&out).unwrap().chars().find(|c| ('\u{80}'..='\u{9f}').contains(c));
        prop_assert_eq!(eight_bit_control, None);
    }

    #[test]
    fn splitting_changes_nothing(input in hostile(), cuts in vec(any::<proptest::sample::Index>(), 0..6)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.sort_unstable();
        let mut filter = Filter::new();
        let (mut out, mut at) = (Vec::new(), 0);
        for cut in cuts.into_iter().chain([input.len()]) {
            filter.feed(&input[at..cut], &mut out);
            at = cut;
        }
        prop_assert_eq!(out, filtered(&input));
    }

    #[test]
    fn filtering_twice_changes_nothing(input in hostile()) {
        let once = filtered(&input);
        prop_assert_eq!(filtered(&once), once);
    }

    #[test]
    fn any_text_is_unchanged(text in "[^\\p{Cc}]{0,200}") {
        prop_assert_eq!(filtered(&text), text.as_bytes());
    }
}
