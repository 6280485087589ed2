//! From the text to [`Facts`].

use std::str::FromStr;

use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::{SecurityDescriptor, Sid};
use toml::de::DeValue;

use super::document::{Table, document};
use super::{
    Account, Drive, DriveKind, Edition, FORMAT, Facts, FactsError, Features, Folders, HardLink, NetworkState, Object,
    ObjectKind, OpenAccess, OpenPlace, Setup, System, User, shown,
};
use crate::path::{ShortName, WindowsPath};

pub(super) fn parse(text: &str) -> Result<Facts, FactsError> {
    document(text, |top| {
        let format = top.need("format", number::<u64>)?;
        if format != FORMAT {
            let text = format!("`format` is {format}; this version reads {FORMAT}: record the facts again");
            return Err(FactsError { line: Some(1), text });
        }
        let drives = top.tables("drive", drive)?;
        let volumes = drives.iter().filter_map(|(drive, guid)| Some((guid.clone()?, Some(drive.letter)))).collect();
        let mut objects = top.tables("object", object)?;
        objects.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Facts {
            system: top.table("windows", system)?,
            user: top.table("user", user)?,
            folders: top.table("folders", folders)?,
            drives: drives.into_iter().map(|(drive, _)| drive).collect(),
            volumes,
            short_names: top.tables("short_name", short_name)?,
            one_drive: top.list("one_drive", path)?,
            objects,
            open_to_all: top.tables("open_to_all", open_place)?,
            hard_links: top.tables("hard_link", hard_link)?,
            features: top.table("features", features)?,
            network: top.table("network", network)?,
            setup: top.optional_table("setup", setup)?,
        })
    })
}

fn system(table: &Table<'_>) -> Result<System, FactsError> {
    Ok(System {
        build: table.need("build", number)?,
        revision: table.need("revision", number)?,
        edition: table.need("edition", |value| word(value, &Edition::WORDS))?,
        wine: table.may("wine", flag)?.unwrap_or(false),
    })
}

fn user(table: &Table<'_>) -> Result<User, FactsError> {
    Ok(User {
        name: table.need("name", string)?,
        domain: table.need("domain", string)?,
        is_domain_account: table.need("is_domain_account", flag)?,
        sid: table.need("sid", sid)?,
        groups: table.list("groups", sid)?,
        logon: table.need("logon", sid)?,
        elevated: table.need("elevated", flag)?,
        administrator: table.need("administrator", flag)?,
        profile: table.need("profile", path)?,
    })
}

fn folders(table: &Table<'_>) -> Result<Folders, FactsError> {
    Ok(Folders {
        windows: table.need("windows", path)?,
        program_files: table.need("program_files", path)?,
        program_files_x86: table.may("program_files_x86", path)?,
        program_data: table.need("program_data", path)?,
        profiles: table.need("profiles", path)?,
        public: table.need("public", path)?,
        roaming: table.need("roaming", path)?,
        local: table.need("local", path)?,
        temp: table.need("temp", path)?,
    })
}

/// A drive and its volume's GUID. Windows gives none to shares of other machines and to some virtual drives.
fn drive(table: &Table<'_>) -> Result<(Drive, Option<String>), FactsError> {
    let drive = Drive {
        letter: table.need("letter", letter)?,
        kind: table.need("kind", |value| word(value, &DriveKind::WORDS))?,
        file_system: table.need("file_system", string)?,
        dev_drive: table.need("dev_drive", flag)?,
    };
    Ok((drive, table.may("volume", string)?.map(|guid| guid.to_ascii_lowercase())))
}

fn short_name(table: &Table<'_>) -> Result<ShortName, FactsError> {
    Ok(ShortName {
        directory: table.need("directory", path)?,
        short: table.need("short", string)?,
        long: table.need("long", string)?,
    })
}

fn object(table: &Table<'_>) -> Result<Object, FactsError> {
    let leads_to = table.may("leads_to", path)?;
    let kind = table.need("kind", |value| match (string(value)?.as_str(), &leads_to) {
        ("directory", None) => Ok(ObjectKind::Directory),
        ("file", None) => Ok(ObjectKind::File),
        ("link", Some(target)) => Ok(ObjectKind::Link(target.clone())),
        ("link", None) => Err("a link needs `leads_to`".to_owned()),
        ("directory" | "file", Some(_)) => Err("`leads_to` belongs to a `link`".to_owned()),
        _ => Err("write `directory`, `file` or `link`".to_owned()),
    })?;
    let (owner, descriptor) = match table.may("unknown", flag)?.unwrap_or(false) {
        true => (Object::NOBODY, Object::unknown()),
        false => owned(table)?,
    };
    Ok(Object {
        path: table.need("path", path)?,
        kind,
        owner,
        descriptor,
        links: table.may("links", number)?.unwrap_or(1),
    })
}

/// The owner and the descriptor.
fn owned(table: &Table<'_>) -> Result<(Sid, SecurityDescriptor), FactsError> {
    let owner = table.need("owner", sid)?;
    let descriptor = table.need("sddl", |value| {
        let text = string(value)?;
        let descriptor = sddl::parse(&text, &Domains::NONE).map_err(|error| format!("`{}`: {error}", shown(&text)))?;
        match descriptor.owner {
            Some(Object::NOBODY) => Err("nothing belongs to S-1-0-0; write `unknown = true` instead".to_owned()),
            Some(written) if written == owner => Ok(descriptor),
            _ => Err(format!("the owner in it is not {owner}, which `owner` says")),
        }
    })?;
    Ok((owner, descriptor))
}

fn open_place(table: &Table<'_>) -> Result<OpenPlace, FactsError> {
    Ok(OpenPlace {
        path: table.need("path", path)?,
        access: table.need("access", |value| word(value, &OpenAccess::WORDS))?,
        through: table.need("through", sid)?,
    })
}

fn hard_link(table: &Table<'_>) -> Result<HardLink, FactsError> {
    Ok(HardLink { path: table.need("path", path)?, other: table.need("other", path)? })
}

fn features(table: &Table<'_>) -> Result<Features, FactsError> {
    Ok(Features {
        app_container: table.need("app_container", flag)?,
        process_model: table.need("process_model", flag)?,
        windows_sandbox: table.need("windows_sandbox", flag)?,
    })
}

fn network(table: &Table<'_>) -> Result<NetworkState, FactsError> {
    Ok(NetworkState {
        filtering_engine: table.need("filtering_engine", flag)?,
        firewall: table.need("firewall", flag)?,
    })
}

fn setup(table: &Table<'_>) -> Result<Setup, FactsError> {
    Ok(Setup { group: table.need("group", sid)?, accounts: table.tables("account", account)? })
}

fn account(table: &Table<'_>) -> Result<Account, FactsError> {
    Ok(Account {
        name: table.need("name", string)?,
        sid: table.need("sid", sid)?,
        profile: table.need("profile", path)?,
        gate_port: table.need("gate_port", number)?,
        workspace: table.may("workspace", path)?,
    })
}

fn string(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err("write a text, `\"…\"`".to_owned()),
    }
}

fn flag(value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Boolean(flag) => Ok(*flag),
        _ => Err("write `true` or `false`".to_owned()),
    }
}

fn number<T: TryFrom<u64>>(value: &DeValue<'_>) -> Result<T, String> {
    let DeValue::Integer(number) = value else { return Err("write a number".to_owned()) };
    let read = u64::from_str_radix(number.as_str(), number.radix()).ok();
    read.and_then(|number| T::try_from(number).ok()).ok_or_else(|| "the number is out of range".to_owned())
}

fn word<T: Copy>(value: &DeValue<'_>, words: &[(&'static str, T)]) -> Result<T, String> {
    let text = string(value)?;
    let known = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
    known.ok_or_else(|| {
        let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        format!("`{}` is none of {}", shown(&text), words.join(", "))
    })
}

fn letter(value: &DeValue<'_>) -> Result<char, String> {
    let text = string(value)?;
    match (text.chars().next(), text.len()) {
        (Some(letter), 1) if letter.is_ascii_alphabetic() => Ok(letter.to_ascii_uppercase()),
        _ => Err("write one letter".to_owned()),
    }
}

fn path(value: &DeValue<'_>) -> Result<WindowsPath, String> {
    WindowsPath::parse(&string(value)?).map_err(|error| error.to_string())
}

fn sid(value: &DeValue<'_>) -> Result<Sid, String> {
    let text = string(value)?;
    Sid::from_str(&text).map_err(|error| format!("`{}` is not a SID: {error}", shown(&text)))
}
