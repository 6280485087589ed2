//! What single names may be.

use super::Refusal;

/// The longest name on NTFS and ReFS, in UTF-16 units.
const LONGEST_NAME: usize = 255;

/// Characters that no name can hold (Microsoft Learn, "Naming Files, Paths, and Namespaces"); separators and `:` are dealt
/// with apart.
const FORBIDDEN: [char; 6] = ['<', '>', '"', '|', '?', '*'];

/// Devices that exist in every directory.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// Checks one name of any spelling; `.` and `..` have been dealt with.
pub(super) fn check(name: &str) -> Result<(), Refusal> {
    if let Some(forbidden) = name.chars().find(|c| FORBIDDEN.contains(c)) {
        return Err(Refusal::Forbidden(forbidden));
    }
    // A device name with a stream (`NUL:`) is the device; so this comes before the stream.
    if is_device(name) {
        return Err(Refusal::DeviceName(name.to_owned()));
    }
    if name.contains(':') {
        return Err(Refusal::Stream);
    }
    if name.ends_with(['.', ' ']) {
        return Err(Refusal::TrailingDotOrSpace);
    }
    if name.encode_utf16().count() > LONGEST_NAME {
        return Err(Refusal::NameTooLong);
    }
    Ok(())
}

/// Whether Windows, in at least one spelling and version, takes the name for a device: what stands before the first dot or
/// colon, without spaces at its end.
fn is_device(name: &str) -> bool {
    let stem = name.split(['.', ':']).next().unwrap_or(name).trim_end_matches(' ');
    if DEVICES.iter().any(|device| device.eq_ignore_ascii_case(stem)) {
        return true;
    }
    let mut letters = stem.chars();
    let prefix: String = letters.by_ref().take(3).collect();
    let is_port = prefix.eq_ignore_ascii_case("COM") || prefix.eq_ignore_ascii_case("LPT");
    let number = matches!((letters.next(), letters.next()), (Some('0'..='9' | '¹' | '²' | '³'), None));
    is_port && number
}

/// Whether the name has the shape of a generated short name: at most 8.3 characters, with `~` and digits before the dot.
pub(super) fn looks_short(name: &str) -> bool {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let Some((before, digits)) = stem.rsplit_once('~') else { return false };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let fits = stem.chars().count() <= 8 && extension.chars().count() <= 3 && !extension.contains('.');
    is_number && fits && !before.is_empty() && !name.contains(' ')
}
