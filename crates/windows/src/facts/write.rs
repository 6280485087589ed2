//! From [`Facts`] to the text.

use std::fmt::{Display, Write};

use bailiwick_winsec::sddl::{self, Domains};

use super::{FORMAT, Facts, Object, ObjectKind, Setup, shown};

/// A descriptor for which there is no SDDL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsayable {
    /// Whose, safe to print.
    pub path: String,
    /// Why.
    pub why: sddl::WriteError,
}

impl Facts {
    /// The text that [`Facts::parse`] reads as the same facts. `notes` stand at its head as comments.
    ///
    /// # Errors
    ///
    /// [`Unsayable`]: an object's descriptor has an entry that SDDL here has no words for.
    pub fn to_text(&self, notes: &[String]) -> Result<String, Unsayable> {
        let mut out = Text(String::new());
        for note in notes {
            out.line(format_args!("# {}", shown(note)));
        }
        out.pair("format", FORMAT);
        let one_drive: Vec<String> = self.one_drive.iter().map(quoted).collect();
        out.pair("one_drive", format_args!("[{}]", one_drive.join(", ")));
        self.machine(&mut out);
        self.tables(&mut out);
        if let Some(setup) = &self.setup {
            set_up(&mut out, setup);
        }
        for object in &self.objects {
            write_object(&mut out, object)?;
        }
        Ok(out.0)
    }

    fn machine(&self, out: &mut Text) {
        let (system, user, folders) = (&self.system, &self.user, &self.folders);
        out.table("[windows]");
        out.pair("build", system.build);
        out.pair("revision", system.revision);
        out.word("edition", &super::Edition::WORDS, &system.edition);
        if system.wine {
            out.pair("wine", true);
        }
        out.table("[user]");
        out.text("name", &user.name);
        out.text("domain", &user.domain);
        out.pair("is_domain_account", user.is_domain_account);
        out.text("sid", user.sid);
        let groups: Vec<String> = user.groups.iter().map(quoted).collect();
        out.pair("groups", format_args!("[{}]", groups.join(", ")));
        out.text("logon", user.logon);
        out.pair("elevated", user.elevated);
        out.pair("administrator", user.administrator);
        out.text("profile", &user.profile);
        out.table("[folders]");
        out.text("windows", &folders.windows);
        out.text("program_files", &folders.program_files);
        if let Some(path) = &folders.program_files_x86 {
            out.text("program_files_x86", path);
        }
        out.text("program_data", &folders.program_data);
        out.text("profiles", &folders.profiles);
        out.text("public", &folders.public);
        out.text("roaming", &folders.roaming);
        out.text("local", &folders.local);
        out.text("temp", &folders.temp);
        out.table("[features]");
        out.pair("app_container", self.features.app_container);
        out.pair("process_model", self.features.process_model);
        out.pair("windows_sandbox", self.features.windows_sandbox);
        out.table("[network]");
        out.pair("filtering_engine", self.network.filtering_engine);
        out.pair("firewall", self.network.firewall);
    }

    fn tables(&self, out: &mut Text) {
        for drive in &self.drives {
            out.table("[[drive]]");
            out.text("letter", drive.letter);
            if let Some((guid, _)) = self.volumes.iter().find(|(_, letter)| *letter == Some(drive.letter)) {
                out.text("volume", guid);
            }
            out.text("file_system", &drive.file_system);
            out.word("kind", &super::DriveKind::WORDS, &drive.kind);
            out.pair("dev_drive", drive.dev_drive);
        }
        for name in &self.short_names {
            out.table("[[short_name]]");
            out.text("directory", &name.directory);
            out.text("short", &name.short);
            out.text("long", &name.long);
        }
        for place in &self.open_to_all {
            out.table("[[open_to_all]]");
            out.text("path", &place.path);
            out.word("access", &super::OpenAccess::WORDS, &place.access);
            out.text("through", place.through);
        }
        for link in &self.hard_links {
            out.table("[[hard_link]]");
            out.text("path", &link.path);
            out.text("other", &link.other);
        }
    }
}

fn set_up(out: &mut Text, setup: &Setup) {
    out.table("[setup]");
    out.text("group", setup.group);
    for account in &setup.accounts {
        out.table("[[setup.account]]");
        out.text("name", &account.name);
        out.text("sid", account.sid);
        out.text("profile", &account.profile);
        out.pair("gate_port", account.gate_port);
        if let Some(workspace) = &account.workspace {
            out.text("workspace", workspace);
        }
    }
}

fn write_object(out: &mut Text, object: &Object) -> Result<(), Unsayable> {
    out.table("[[object]]");
    out.text("path", &object.path);
    match &object.kind {
        ObjectKind::Directory => out.text("kind", "directory"),
        ObjectKind::File => out.text("kind", "file"),
        ObjectKind::Link(target) => {
            out.text("kind", "link");
            out.text("leads_to", target);
        }
    }
    if object.links != 1 {
        out.pair("links", object.links);
    }
    if object.is_unknown() {
        out.pair("unknown", true);
        return Ok(());
    }
    let unsayable = |why| Unsayable { path: object.path.shown(), why };
    let text = sddl::to_string(&object.descriptor, &Domains::NONE).map_err(unsayable)?;
    out.text("owner", object.owner);
    out.text("sddl", text);
    Ok(())
}

/// The text as it grows. Writing into a `String` does not fail.
struct Text(String);

impl Text {
    fn line(&mut self, line: impl Display) {
        let _ = writeln!(self.0, "{line}");
    }

    fn table(&mut self, name: &str) {
        let _ = writeln!(self.0, "\n{name}");
    }

    fn pair(&mut self, key: &str, value: impl Display) {
        self.line(format_args!("{key} = {value}"));
    }

    fn text(&mut self, key: &str, value: impl Display) {
        self.pair(key, quoted(value));
    }

    fn word<T: PartialEq>(&mut self, key: &str, words: &[(&'static str, T)], value: &T) {
        let word = words.iter().find(|(_, meaning)| meaning == value).map(|(word, _)| *word);
        self.text(key, word.unwrap_or_default());
    }
}

/// A TOML string: as it is where that reads well (paths have backslashes), else with what needs it escaped. Names may hold any
/// character, also such as turn the reading direction.
fn quoted(value: impl Display) -> String {
    let text = value.to_string();
    let is_plain = |c: char| {
        !c.is_control() && !bailiwick_policy::text::escape(c.encode_utf8(&mut [0; 4]).as_ref()).starts_with("\\u")
    };
    if !text.contains('\'') && text.chars().all(is_plain) {
        return format!("'{text}'");
    }
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if is_plain(c) => out.push(c),
            c => {
                let _ = write!(out, "\\U{:08X}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}
