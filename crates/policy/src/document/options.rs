//! The command line as a document: each option is a rule whose origin is the option itself.

use std::ffi::{OsStr, OsString};

use super::reader::items;
use super::{Document, DocumentError, paths, values};
use crate::guarantee::Guarantee;
use crate::host_rule::HostRule;
use crate::keys;
use crate::origin::{Layer, Origin, Source};
use crate::policy::{Base, FileEntry, FileRuleKind, Ruled, WorkspaceMode};
use crate::text::escape;

impl Document {
    /// The command line without any option.
    pub fn options() -> Document {
        Document::empty(Source::Inherent("command line".to_owned()), Layer::CommandLine)
    }

    /// `--read PATH`, `--write PATH`, `--deny PATH`, `--protect PATH`: relative to the caller's current directory, in any bytes.
    /// `--deny` and `--protect` understand globs; for the other two every character is itself.
    ///
    /// # Errors
    /// A path that is empty or that would be misread.
    pub fn option_file(&mut self, kind: FileRuleKind, path: &OsStr) -> Result<(), DocumentError> {
        let (option, list) = match kind {
            FileRuleKind::Read => ("--read", &mut self.files.read),
            FileRuleKind::Write => ("--write", &mut self.files.write),
            FileRuleKind::Deny => ("--deny", &mut self.files.deny),
            FileRuleKind::Protect => ("--protect", &mut self.files.protect),
        };
        let written = match kind {
            FileRuleKind::Read | FileRuleKind::Write => paths::read_literal(path),
            FileRuleKind::Deny | FileRuleKind::Protect => paths::read(path, true),
        };
        let written = written.map_err(|wrong| wrong_option(option, path, &wrong))?;
        let entry = FileEntry {
            kind,
            text: written.text,
            base: Base::CurrentDirectory,
            glob: written.glob,
            origin: origin(option),
        };
        list.get_or_insert_default().push(entry);
        Ok(())
    }

    /// `--allow-host HOST[:PORT]`, `--allow-host 'GET HOST:80/PATH'`: a rule without options.
    ///
    /// # Errors
    /// A text that is not a rule by itself.
    pub fn option_allow_host(&mut self, host: &str) -> Result<(), DocumentError> {
        let option = "--allow-host";
        let value = HostRule::parse(host).map_err(|error| wrong_option(option, host.as_ref(), &error.to_string()))?;
        self.network.allow.get_or_insert_default().push(Ruled { value, origin: origin(option) });
        Ok(())
    }

    /// `--offline`: no host may be reached, whatever any layer allows, this one included.
    pub fn option_offline(&mut self) {
        self.network.offline = Some(origin("--offline"));
    }

    /// `--env NAME` passes a variable, `--env NAME=VALUE` sets it.
    ///
    /// # Errors
    /// A name that no variable can have.
    pub fn option_env(&mut self, assignment: &OsStr) -> Result<(), DocumentError> {
        let option = "--env";
        let wrong = |text: &str| wrong_option(option, assignment, text);
        let (name, value) = split_assignment(assignment);
        let name = name.to_str().ok_or_else(|| wrong("the name of a variable has to be UTF-8"))?;
        match value {
            Some(value) => {
                items::variable_name(name).map_err(|text| wrong(&text))?;
                let value = (OsString::from(name), value);
                self.environment.set.get_or_insert_default().push(Ruled { value, origin: origin(option) });
            }
            None => {
                let value = items::variable_pattern(name).map_err(|text| wrong(&text))?;
                self.environment.pass.get_or_insert_default().push(Ruled { value, origin: origin(option) });
            }
        }
        Ok(())
    }

    /// `--tier TIER`.
    ///
    /// # Errors
    /// A word that names no tier.
    pub fn option_tier(&mut self, tier: &str) -> Result<(), DocumentError> {
        let option = "--tier";
        let value = items::word(tier, &keys::TIERS).map_err(|wrong| wrong_option(option, tier.as_ref(), &wrong))?;
        self.isolation.tier = Some(Ruled { value, origin: origin(option) });
        Ok(())
    }

    /// `--accept GUARANTEE`.
    ///
    /// # Errors
    /// A word that names no guarantee.
    pub fn option_accept(&mut self, guarantee: &str) -> Result<(), DocumentError> {
        let option = "--accept";
        let value: Guarantee =
            items::guarantee(guarantee).map_err(|wrong| wrong_option(option, guarantee.as_ref(), &wrong))?;
        self.isolation.accept.get_or_insert_default().push(Ruled { value, origin: origin(option) });
        Ok(())
    }

    /// `--timeout TIME`.
    ///
    /// # Errors
    /// A text that is not a time.
    pub fn option_timeout(&mut self, time: &str) -> Result<(), DocumentError> {
        let option = "--timeout";
        let value = values::parse_duration(time).map_err(|wrong| wrong_option(option, time.as_ref(), &wrong))?;
        self.limits.time = Some(Ruled { value, origin: origin(option) });
        Ok(())
    }

    /// `--layer`: changes to the workspace wait for review.
    pub fn option_layer(&mut self) {
        self.mode = Some(Ruled { value: WorkspaceMode::Layer, origin: origin("--layer") });
    }
}

fn origin(option: &str) -> Origin {
    Origin { layer: Layer::CommandLine, source: Source::Option(option.to_owned()), line: None }
}

fn wrong_option(option: &str, value: &OsStr, wrong: &str) -> DocumentError {
    let value = values::shown(&escape(value));
    DocumentError::one(origin(&format!("{option} {value}")), wrong)
}

/// `NAME=VALUE`; the first byte is part of the name, as in the hidden variables of Windows (`=C:=…`).
#[cfg(unix)]
fn split_assignment(text: &OsStr) -> (&OsStr, Option<OsString>) {
    use std::os::unix::ffi::OsStrExt;
    let bytes = text.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        Some(place) => {
            let (name, value) = bytes.split_at(place);
            let value = value.get(1..).unwrap_or_default();
            (OsStr::from_bytes(name), Some(OsStr::from_bytes(value).to_owned()))
        }
        None => (text, None),
    }
}

#[cfg(not(unix))]
fn split_assignment(text: &OsStr) -> (&OsStr, Option<OsString>) {
    match text.to_str().and_then(|text| text.split_once('=')) {
        Some((name, value)) => (OsStr::new(name), Some(OsString::from(value))),
        None => (text, None),
    }
}
