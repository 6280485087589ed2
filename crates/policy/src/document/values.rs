//! Times and sizes as people write them.

use std::time::Duration;

/// Units of time, longest first: letter and seconds.
const TIMES: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Units of size and their bytes.
const SIZES: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Reads a time such as `90s`, `30m`, `1h30m`, `2d`.
///
/// # Errors
/// What is wrong with it and how to write it, as a sentence.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{}` is not a time; write one such as `90s`, `30m` or `1h30m`", shown(text));
    let mut seconds: u64 = 0;
    let mut units = TIMES.iter();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letter = after.chars().next().ok_or_else(wrong)?;
        // Each unit at most once and the longer one first: `30m1h` and `5m5m` are slips.
        let (_, length) = units.find(|(unit, _)| *unit == letter).ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let part = number.checked_mul(*length).ok_or_else(wrong)?;
        seconds = seconds.checked_add(part).ok_or_else(wrong)?;
        rest = after.get(letter.len_utf8()..).unwrap_or_default();
    }
    if text.is_empty() {
        return Err(wrong());
    }
    if seconds == 0 {
        return Err("a time of zero would end the run before it starts; leave the key out for no limit".to_owned());
    }
    Ok(Duration::from_secs(seconds))
}

/// Reads a number of bytes such as `512MB`, `2GiB`, `1048576`.
///
/// # Errors
/// What is wrong with it and how to write it, as a sentence.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{}` is not a size; write one such as `512MB`, `2GiB` or a number of bytes", shown(text));
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let bytes = match SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
        Some((_, bytes)) => *bytes,
        None if unit.is_empty() => 1,
        None if matches!(unit, "k" | "K" | "m" | "M" | "g" | "G" | "t" | "T") => {
            let unit = unit.to_ascii_uppercase();
            return Err(format!("`{}` is ambiguous; write `{number}{unit}iB` or `{number}{unit}B`", shown(text)));
        }
        None => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(bytes).ok_or_else(wrong)? {
        0 => Err("a limit of zero would let nothing run; leave the key out for no limit".to_owned()),
        size => Ok(size),
    }
}

/// A piece of a document in a message: escaped, and cut where a hostile one would fill the screen.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let cut: String = text.chars().take(LONGEST).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", crate::text::escape(cut.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let seconds = |text| parse_duration(text).map(|time| time.as_secs());
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("1h30m"), Ok(5_400));
        assert_eq!(seconds("2d1s"), Ok(172_801));
        for wrong in [
            "",
            "30",
            "m",
            "30m1h",
            "5m5m",
            "-1s",
            "1.5h",
            "1 h",
            "0s",
            "99999999999999999999s",
            "999999999999999999d",
            "5\u{301}s",
            "1é",
        ] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("2GiB"), Ok(2 << 30));
        assert_eq!(parse_size("512MB"), Ok(512_000_000));
        assert_eq!(parse_size("512 kb"), Ok(512_000));
        assert_eq!(parse_size("1048576"), Ok(1 << 20));
        assert_eq!(parse_size("2G"), Err("`2G` is ambiguous; write `2GiB` or `2GB`".to_owned()));
        for wrong in ["", "GiB", "1.5GiB", "-1", "0", "0B", "99999999999TiB", "1 0", "1XB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
