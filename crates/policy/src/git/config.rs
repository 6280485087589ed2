//! Reading git configuration files as far as it matters here: which other places git takes code or settings from.

/// What a configuration file points to. Values are as written, not yet resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pointers {
    /// `core.hooksPath`
    pub(super) hooks: Vec<Vec<u8>>,
    /// `include.path` and `includeIf.….path`: git reads these files as configuration, whatever the condition is at another time.
    pub(super) includes: Vec<Vec<u8>>,
    /// `core.worktree`, the last one written.
    pub(super) worktree: Option<Vec<u8>>,
}

/// Parses the text of a configuration file. What git would reject is skipped: git then runs nothing from it either.
pub(super) fn parse(text: &[u8]) -> Pointers {
    let mut pointers = Pointers::default();
    let mut section = Vec::new();
    for line in logical_lines(text) {
        let mut rest = line.trim_ascii_start();
        if rest.first() == Some(&b'[') {
            let Some((name, after)) = header(rest) else { continue };
            section = name;
            rest = after.trim_ascii_start();
        }
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
        let (key, after) = rest.split_at(length);
        let Some(value) = after.trim_ascii_start().strip_prefix(b"=") else { continue };
        let value = value_of(value);
        match (section.as_slice(), key.to_ascii_lowercase().as_slice()) {
            (b"core", b"hookspath") => pointers.hooks.push(value),
            (b"core", b"worktree") => pointers.worktree = Some(value),
            (b"include" | b"includeif", b"path") => pointers.includes.push(value),
            _ => {}
        }
    }
    pointers
}

/// Lines, with those that end in a backslash joined to the next.
fn logical_lines(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut joined: Option<Vec<u8>> = None;
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut whole = joined.take().unwrap_or_default();
        let backslashes = line.iter().rev().take_while(|byte| **byte == b'\\').count();
        match line.strip_suffix(b"\\") {
            Some(start) if backslashes % 2 == 1 => {
                whole.extend(start);
                joined = Some(whole);
            }
            _ => {
                whole.extend(line);
                lines.push(whole);
            }
        }
    }
    lines.extend(joined);
    lines
}

/// The section's name in lower case, without its sub-section, and what follows the `]`.
fn header(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let inner = line.strip_prefix(b"[")?;
    let mut quoted = false;
    let mut escaped = false;
    let end = inner.iter().position(|byte| {
        let ends = *byte == b']' && !quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        ends
    })?;
    let (name, after) = inner.split_at(end);
    let name = name.split(|byte| *byte == b'"').next().unwrap_or(name).trim_ascii();
    Some((name.to_ascii_lowercase(), after.get(1..).unwrap_or_default()))
}

/// The value with quotes, escapes, comments and outer blanks taken away, as git reads it.
fn value_of(text: &[u8]) -> Vec<u8> {
    let mut value = Vec::new();
    let mut quoted = false;
    // Blanks at the end belong to the value only inside quotes.
    let mut keep = 0;
    let mut bytes = text.trim_ascii_start().iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                quoted = !quoted;
                keep = value.len();
                continue;
            }
            b'#' | b';' if !quoted => break,
            b'\\' => match bytes.next() {
                Some(b'n') => value.push(b'\n'),
                Some(b't') => value.push(b'\t'),
                Some(b'b') => value.push(8),
                Some(other) => value.push(*other),
                None => {}
            },
            other => value.push(*other),
        }
        if quoted || !byte.is_ascii_whitespace() {
            keep = value.len();
        }
    }
    value.truncate(keep);
    value
}

#[cfg(test)]
mod tests;
