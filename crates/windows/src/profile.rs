//! The built-in profiles as they are on Windows: the machine and the toolchains are other places, the rest is shared.

use bailiwick_policy::builtin::Builtin;
use bailiwick_policy::document::{Document, DocumentError};
use bailiwick_policy::merge::Layers;
use bailiwick_policy::origin::{Layer, Source};
use bailiwick_policy::policy::Policy;

use crate::tier::Tier;

/// Profiles that have another text on Windows.
const OWN: [(&str, &str); 2] =
    [("system", include_str!("../profiles/system.toml")), ("toolchains", include_str!("../profiles/toolchains.toml"))];

/// What comes before `workspace` on Windows.
const NAMES: (&str, &str) = ("windows-names", include_str!("../profiles/names.toml"));

/// What no Windows tier keeps, accepted by name so that a run starts and says it: before every profile, for the tiers that lose no more by
/// it than is said there.
const LOSSES: (&str, &str) = ("windows-losses", include_str!("../profiles/losses.toml"));

/// Profiles extend one another at most this deep; a test walks all of them.
const DEEPEST: usize = 8;

/// The documents of a built-in profile on Windows in this tier, what it extends first; `None` if there is no such profile.
///
/// # Errors
///
/// None that a test of this crate would not have found first.
pub fn documents(name: &str, tier: Tier) -> Result<Option<Vec<Document>>, DocumentError> {
    if Builtin::named(name).is_none() {
        return Ok(None);
    }
    let mut found = Vec::new();
    found.extend(losses(tier)?);
    add(name, &mut Vec::new(), &mut found, 0)?;
    Ok(Some(found))
}

/// The losses that every built-in profile takes in this tier, by name. In the `guard` tier none: there the same names stand for
/// more than no Windows could keep.
///
/// # Errors
///
/// As [`documents`].
pub fn losses(tier: Tier) -> Result<Option<Document>, DocumentError> {
    match tier {
        Tier::Guard => Ok(None),
        Tier::Account | Tier::Container => own_document(LOSSES.0, LOSSES.1).map(Some),
    }
}

/// The policy of a built-in profile in this tier and the user's own documents: nothing is read from any disk.
///
/// # Errors
///
/// As [`documents`].
pub fn policy(
    name: &str,
    tier: Tier,
    user: Option<Document>,
    options: Option<Document>,
) -> Result<Option<Policy>, DocumentError> {
    let Some(base) = documents(name, tier)? else { return Ok(None) };
    let nothing = || Document::empty(Source::Option("no option".to_owned()), Layer::CommandLine);
    let options = options.unwrap_or_else(nothing);
    let layers = Layers { base, user, project: None, options, administrator: None, documents: Vec::new() };
    Ok(Some(layers.merge()))
}

fn add(name: &str, names: &mut Vec<String>, found: &mut Vec<Document>, depth: usize) -> Result<(), DocumentError> {
    if names.iter().any(|known| known == name) || depth > DEEPEST {
        return Ok(());
    }
    names.push(name.to_owned());
    let own = OWN.iter().find(|(own, _)| *own == name);
    let document = match (own, Builtin::named(name)) {
        (Some((name, text)), _) => own_document(name, text)?,
        (None, Some(builtin)) => builtin.document()?,
        (None, None) => return Ok(()),
    };
    for parent in document.extends.iter().flatten() {
        add(&parent.value, names, found, depth + 1)?;
    }
    if name == "workspace" {
        found.push(own_document(NAMES.0, NAMES.1)?);
    }
    found.push(document);
    Ok(())
}

fn own_document(name: &'static str, text: &str) -> Result<Document, DocumentError> {
    Document::parse(text, Source::Profile(name.into()), Layer::BuiltIn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_policy::builtin::BUILTINS;
    use bailiwick_policy::policy::FileEntry;

    #[test]
    fn every_profile_is_understood_and_brings_no_place_of_linux() {
        for profile in &BUILTINS {
            let documents = documents(profile.name, Tier::Account).unwrap().unwrap();
            for document in &documents {
                let files = &document.files;
                let all = [&files.read, &files.write, &files.deny, &files.protect];
                for entry in all.into_iter().flatten().flatten() {
                    assert!(!entry.glob && !entry.text.to_str().unwrap().starts_with('/'), "{:?}", entry.text);
                }
            }
        }
        assert_eq!(documents("nothing", Tier::Guard), Ok(None));
    }

    #[test]
    fn no_profile_grants_a_known_secret() {
        let secrets = [
            "~/.ssh",
            "~/.aws",
            "~/.azure",
            "~/.kube",
            "~/.cargo/credentials.toml",
            "~/.nuget/NuGet",
            "~/.npmrc",
            "~/.m2/settings.xml",
            "~/scoop/persist",
            "~/.julia/servers",
            "%APPDATA%/NuGet",
            "%APPDATA%/gh",
            "%APPDATA%/Microsoft/Credentials",
            "%APPDATA%/Microsoft/Protect",
            "%APPDATA%/GitHub CLI",
            "%APPDATA%/npm-cache",
            "%APPDATA%/uv/credentials",
            "%LOCALAPPDATA%/Google/Chrome",
            "%LOCALAPPDATA%/Microsoft/Credentials",
            "%LOCALAPPDATA%/Microsoft/Vault",
            "%LOCALAPPDATA%/Temp",
        ];
        let covers = |entry: &FileEntry, secret: &str| {
            let text = entry.text.to_str().unwrap();
            secret == text || secret.strip_prefix(text).is_some_and(|rest| rest.starts_with('/'))
        };
        for profile in &BUILTINS {
            for document in documents(profile.name, Tier::Account).unwrap().unwrap() {
                for entry in [&document.files.read, &document.files.write].into_iter().flatten().flatten() {
                    for secret in secrets {
                        assert!(!covers(entry, secret), "{}: {:?} covers {secret}", profile.name, entry.text);
                    }
                }
            }
        }
    }
}
