//! Text in lines of bounded width.

/// `text` in lines of at most `width` columns (a longer word stands alone), each one indented.
pub(crate) fn wrap(text: &str, indent: usize, width: usize) -> String {
    let margin = " ".repeat(indent);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let taken = indent + line.chars().count();
        if !line.is_empty() && taken + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.iter().map(|line| format!("{margin}{line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_keep_to_the_width_and_lose_no_word() {
        let text = "one two three four-and-a-very-long-word five";
        let wrapped = wrap(text, 2, 12);
        assert_eq!(wrapped, "  one two\n  three\n  four-and-a-very-long-word\n  five");
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(wrap("", 0, 10), "");
    }
}
