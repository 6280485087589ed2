//! Upper case as NTFS compares names.

/// The text as names are compared: every letter that has exactly one partner in the other case in its upper case.
pub fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// The letter as names are compared.
///
/// The table of NTFS maps single UTF-16 units, so nothing outside the Basic Multilingual Plane changes. Letters whose upper
/// case is several letters (`ß`), or has another lower case (`ı`, `ſ`, `µ`, `ς`), stay what they are, and so do letters that
/// got a partner in Unicode after the table was made (Georgian, Cherokee).
pub fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let younger = matches!(c, '\u{10d0}'..='\u{10ff}' | '\u{13f8}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}');
    if younger || u32::from(c) > 0xffff {
        return c;
    }
    match only(c.to_uppercase()) {
        Some(upper) if upper != c && u32::from(upper) <= 0xffff && only(upper.to_lowercase()) == Some(c) => upper,
        _ => c,
    }
}

/// The one element of an iterator that has exactly one.
fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let first = letters.next()?;
    letters.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_with_one_partner_are_folded_and_others_kept() {
        assert_eq!(fold("straße.TXT"), "STRAßE.TXT");
        assert_eq!(fold("ärger Ünal đa Привет γειά"), "ÄRGER ÜNAL ĐA ПРИВЕТ ΓΕΙΆ");
        for kept in ['ß', 'ı', 'ſ', 'µ', 'ς', '\u{212a}', '\u{10d0}', '\u{10428}'] {
            assert_eq!(fold_char(kept), kept);
        }
    }

    #[test]
    fn folding_twice_is_folding_once() {
        for c in '\0'..=char::MAX {
            assert_eq!(fold_char(fold_char(c)), fold_char(c), "{c:?}");
        }
    }
}
