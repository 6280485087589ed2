//! The syntax of paths in a document and on the command line.

use std::ffi::{OsStr, OsString};

/// What a path of a document is once its escapes are read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// The path itself, or the glob as written, escapes and all.
    pub(super) text: OsString,
    /// Whether it is a glob.
    pub(super) glob: bool,
}

/// Characters that mean something in a glob, or that people expect to.
const SPECIAL: &[u8] = b"*?[]{}\\";

/// Reads a path of a document, or of `--deny` and `--protect`. Globs are understood only where `globs` says so.
pub(super) fn read(text: &OsStr, globs: bool) -> Result<Written, String> {
    check(text)?;
    let bytes = text.as_encoded_bytes();
    if bytes.starts_with(b"!") {
        return Err("`!` does not take anything back; write `./!…` for a name that starts with `!`".to_owned());
    }
    if bytes.starts_with(b"$") {
        return Err("variables are not expanded; write `~/` for your home, or `./$…` for a name that starts with `$`"
            .to_owned());
    }
    let mut escapes = false;
    let mut glob = false;
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' if rest.next().is_some_and(|next| SPECIAL.contains(next)) => escapes = true,
            b'\\' => {
                return Err("`\\` stands only before `*`, `?`, `[`, `]`, `{`, `}` and `\\`, to mean the character itself; write `/` between names".to_owned());
            }
            b'*' | b'?' | b'[' => glob = true,
            b'{' | b'}' => {
                return Err(
                    "braces are not a pattern; write one entry for each choice, or `\\{` for the character itself"
                        .to_owned(),
                );
            }
            _ => {}
        }
    }
    if glob && !globs {
        return Err("globs stand only in `deny` and `protect`: what is granted has to be known before the run; write the path itself, or `\\*` for the character".to_owned());
    }
    let text = if escapes && !glob { without_escapes(text)? } else { text.to_owned() };
    Ok(Written { text, glob })
}

/// Reads a path that a program or a shell passed: no character but the leading `~/` means anything.
pub(super) fn read_literal(text: &OsStr) -> Result<Written, String> {
    check(text)?;
    Ok(Written { text: text.to_owned(), glob: false })
}

/// What holds for every path.
fn check(text: &OsStr) -> Result<(), String> {
    /// The kernel's limit on a path, Linux `PATH_MAX`.
    const LONGEST: usize = 4096;
    let bytes = text.as_encoded_bytes();
    if bytes.is_empty() {
        return Err("an empty path names nothing; write `.` for the directory itself".to_owned());
    }
    if bytes.contains(&0) {
        return Err("a path cannot hold a NUL character".to_owned());
    }
    if bytes.len() >= LONGEST {
        return Err(format!("a path cannot be longer than {LONGEST} bytes"));
    }
    if bytes.starts_with(b"~") && !matches!(bytes.get(1), None | Some(b'/')) {
        return Err("only `~` and `~/…`, your own home, are expanded; write another user's home in full, or `./~…` for a name that starts with `~`".to_owned());
    }
    Ok(())
}

#[cfg(unix)]
fn without_escapes(text: &OsStr) -> Result<OsString, String> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        plain.push(if *byte == b'\\' { *rest.next().unwrap_or(byte) } else { *byte });
    }
    Ok(OsString::from_vec(plain))
}

#[cfg(not(unix))]
fn without_escapes(text: &OsStr) -> Result<OsString, String> {
    let text = text.to_str().ok_or("a path with `\\` escapes has to be Unicode")?;
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        plain.push(if c == '\\' { rest.next().unwrap_or(c) } else { c });
    }
    Ok(plain.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_str(text: &str, globs: bool) -> Result<(String, bool), String> {
        read(text.as_ref(), globs).map(|written| (written.text.into_string().expect("text"), written.glob))
    }

    #[test]
    fn escapes_are_read_in_paths_and_kept_in_globs() {
        assert_eq!(read_str("/a/b c", false), Ok(("/a/b c".into(), false)));
        assert_eq!(read_str(r"/a/\*b\\c\{", false), Ok((r"/a/*b\c{".into(), false)));
        assert_eq!(read_str(r"a/\[1]", true), Ok(("a/[1]".into(), false)));
        assert_eq!(read_str(r"a/\**", true), Ok((r"a/\**".into(), true)));
        assert_eq!(read_str("**/.env", true), Ok(("**/.env".into(), true)));
    }

    #[test]
    fn what_would_be_misread_is_refused() {
        for text in ["", "a\0b", "~bob/x", "$HOME/x", "!x", r"C:\Users", r"a\", "a/{b,c}"] {
            assert!(read_str(text, true).is_err(), "{text:?}");
        }
        for text in ["*", "/a/b?", "/a/[bc]"] {
            assert!(read_str(text, false).is_err(), "{text:?}");
        }
        assert!(read(&OsString::from("a".repeat(4096)), false).is_err());
    }

    #[test]
    fn literal_paths_keep_every_character() {
        for text in ["/a/*[b]{c}", r"a\b", "$x", "~", "~/x", "!x"] {
            assert_eq!(read_literal(text.as_ref()), Ok(Written { text: text.into(), glob: false }));
        }
        assert!(read_literal("".as_ref()).is_err() && read_literal("~bob".as_ref()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_utf_8_are_kept() {
        use std::os::unix::ffi::OsStrExt;
        let text = OsStr::from_bytes(b"/a/\xff\\*");
        assert_eq!(read(text, false).map(|written| written.text), Ok(OsStr::from_bytes(b"/a/\xff*").to_owned()));
        assert_eq!(read_literal(text).map(|written| written.text), Ok(text.to_owned()));
    }
}
