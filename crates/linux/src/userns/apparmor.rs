//! The AppArmor profile that lets bailiwick make user namespaces on Ubuntu.

use std::path::Path;

use bailiwick_policy::text::escape;

/// Where the profile belongs.
pub const PROFILE_PLACE: &str = "/etc/apparmor.d/bailiwick";

/// The profile for a program at this path. `None` where the path has characters that AppArmor reads as a pattern or that need
/// quoting: a profile that covers more than this one file must not be suggested.
///
/// It confines nothing (`unconfined`); it only names the program, so that the kernel does not take its namespaces away. The
/// form is that of the profiles which Ubuntu ships for browsers and bubblewrap.
pub fn profile(program: &Path) -> Option<String> {
    let path = program.to_str()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    if !path.starts_with('/') || !path.chars().all(is_plain) {
        return None;
    }
    Some(format!(
        "abi <abi/4.0>,\ninclude <tunables/global>\n\nprofile bailiwick {path} flags=(unconfined) {{\n  userns,\n\n  include if exists <local/bailiwick>\n}}\n"
    ))
}

/// What the administrator has to do.
pub(super) fn remedy(program: &Path) -> String {
    let Some(profile) = profile(program) else {
        return format!(
            "Install bailiwick at a path of letters, digits, `.`, `_`, `-` and `+` (it is at {}), then run `bailiwick doctor` again for the AppArmor profile.",
            escape(program.as_os_str())
        );
    };
    let warning = if program.starts_with("/usr") || program.starts_with("/opt") {
        ""
    } else {
        "Whoever can replace that file gets the right too: better install bailiwick in /usr/local/bin first.\n"
    };
    format!(
        "As administrator, write this to {PROFILE_PLACE}:\n\n{profile}\nand load it: apparmor_parser -r {PROFILE_PLACE}\n{warning}"
    )
    .trim_end()
    .to_owned()
}
