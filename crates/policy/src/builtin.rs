//! The profiles that are compiled into bailiwick: TOML files as anybody could write them.

mod plain;

use crate::document::{Document, DocumentError};
use crate::origin::{Layer, Source};

/// The profile that holds where no document and no option names another.
pub const DEFAULT: &str = "workspace";

/// A profile compiled into bailiwick.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub meaning: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Every built-in profile, in the order in which they are shown.
pub static BUILTINS: [Builtin; 7] = [
    Builtin {
        name: "workspace",
        meaning: "Work on one project with your toolchains and nothing else of yours; the network is off. The default.",
        text: include_str!("../profiles/workspace.toml"),
    },
    Builtin {
        name: "read-only",
        meaning: "The project can be read but not changed.",
        text: include_str!("../profiles/read-only.toml"),
    },
    Builtin {
        name: "offline-build",
        meaning: "`workspace`, and what your package managers have already downloaded, readable.",
        text: include_str!("../profiles/offline-build.toml"),
    },
    Builtin {
        name: "debugger",
        meaning: "`workspace`, for debuggers and strace: processes inside may trace their own children.",
        text: include_str!("../profiles/debugger.toml"),
    },
    Builtin {
        name: "browser-tests",
        meaning: "`workspace`, for tests that drive a browser with a sandbox of its own.",
        text: include_str!("../profiles/browser-tests.toml"),
    },
    Builtin {
        name: "system",
        meaning: "The machine alone, for profiles of your own: no file of yours, no workspace.",
        text: include_str!("../profiles/system.toml"),
    },
    Builtin {
        name: "toolchains",
        meaning: "Your toolchains alone, for profiles of your own.",
        text: include_str!("../profiles/toolchains.toml"),
    },
];

impl Builtin {
    /// The built-in profile called `name`.
    pub fn named(name: &str) -> Option<&'static Builtin> {
        BUILTINS.iter().find(|profile| profile.name == name)
    }

    /// The profile as a document.
    ///
    /// # Errors
    /// None that a test of this crate would not have found first.
    pub fn document(&self) -> Result<Document, DocumentError> {
        let source = Source::Profile(self.name.into());
        match plain::read(self.text, &source, Layer::BuiltIn) {
            Some(document) => Ok(document),
            None => Document::parse(self.text, source, Layer::BuiltIn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::FileEntry;

    fn document(profile: &Builtin) -> Document {
        profile.document().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn every_profile_is_understood_and_names_known_ones() {
        for profile in &BUILTINS {
            for parent in document(profile).extends.unwrap_or_default() {
                assert!(Builtin::named(&parent.value).is_some(), "{} extends {}", profile.name, parent.value);
            }
        }
        assert!(Builtin::named(DEFAULT).is_some());
    }

    #[test]
    fn the_plain_reading_is_the_full_one() {
        for profile in &BUILTINS {
            let source = Source::Profile(profile.name.into());
            let full = Document::parse(profile.text, source.clone(), Layer::BuiltIn);
            assert_eq!(plain::read(profile.text, &source, Layer::BuiltIn), full.ok(), "{}", profile.name);
        }
    }

    #[test]
    fn no_profile_needs_a_search_or_grants_a_known_secret() {
        // Directories that hold a credential among other things: only parts of them may be granted.
        let secrets = [
            "~/.ssh",
            "~/.gnupg",
            "~/.aws",
            "~/.azure",
            "~/.kube",
            "~/.docker",
            "~/.netrc",
            "~/.git-credentials",
            "~/.npmrc",
            "~/.pypirc",
            "~/.cargo/credentials.toml",
            "~/.cargo/credentials",
            "~/.gem/credentials",
            "~/.local/share/gem/credentials",
            "~/.m2/settings.xml",
            "~/.gradle/gradle.properties",
            "~/.nuget/NuGet/NuGet.Config",
            "~/.config/gh",
            "~/.config/gcloud",
            "~/.config/op",
            "~/.composer/auth.json",
            "~/.config/composer/auth.json",
            "~/.local/share/uv/credentials",
            "~/.rattler",
            "~/.config/pypoetry/auth.toml",
            "~/.terraform.d",
            "~/.vault-token",
            "~/.julia/servers",
            "~/.cabal/config",
            "~/.hex/hex.config",
            "~/.pub-cache/credentials.json",
            "~/.yarnrc.yml",
            "~/.mozilla",
            "~/.config/google-chrome",
            "~/.bash_history",
            "~/.local/share/keyrings",
            "~/.config/mise",
            "~/.foundry/keystores",
            "~/.config/pnpm/rc",
            "~/.npm/_logs",
        ];
        let covers = |entry: &FileEntry, secret: &str| {
            let text = entry.text.to_str().expect("UTF-8");
            secret == text || secret.strip_prefix(text).is_some_and(|rest| rest.starts_with('/'))
        };
        for profile in &BUILTINS {
            let files = document(profile).files;
            let all = [&files.read, &files.write, &files.deny, &files.protect];
            assert!(all.into_iter().flatten().flatten().all(|entry| !entry.glob), "{}", profile.name);
            for entry in [&files.read, &files.write].into_iter().flatten().flatten() {
                for secret in secrets {
                    assert!(!covers(entry, secret), "{}: {:?} covers {secret}", profile.name, entry.text);
                }
            }
        }
    }

    #[test]
    fn no_profile_opens_the_network_or_passes_a_secret_by_name() {
        for profile in &BUILTINS {
            let document = document(profile);
            assert_eq!((&document.network.allow, &document.network.sockets), (&None, &None), "{}", profile.name);
            for name in document.environment.pass.unwrap_or_default() {
                let name = name.value;
                let telling =
                    ["TOKEN", "SECRET", "PASSW", "KEY", "CREDENTIAL", "AUTH_", "_SOCK", "PROXY", "LD_PRELOAD"];
                assert!(!telling.iter().any(|part| name.contains(part)), "{}: {name}", profile.name);
                assert!(!name.contains('*') || name == "LC_*", "{}: {name}", profile.name);
            }
        }
    }

    #[test]
    fn nothing_is_written_twice() {
        for profile in &BUILTINS {
            let document = document(profile);
            let files = &document.files;
            let mut texts: Vec<String> = Vec::new();
            for entry in [&files.read, &files.write, &files.deny, &files.protect].into_iter().flatten().flatten() {
                texts.push(format!("{:?} {:?}", entry.kind, entry.text));
            }
            texts.extend(document.environment.pass.unwrap_or_default().into_iter().map(|name| name.value));
            let count = texts.len();
            texts.sort();
            texts.dedup();
            assert_eq!(texts.len(), count, "{}", profile.name);
        }
    }
}
