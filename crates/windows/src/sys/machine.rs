//! This machine, answering.

use std::fs;
use std::io;
use std::path::Path;

use bailiwick_winsec::corpus::{Expected, Question};
use bailiwick_winsec::token::Token;

use super::{ProcessToken, access, accounts, files, folders, libraries, registry, services, unread, version, volumes};
use crate::facts::Features;
use crate::path::WindowsPath;
use crate::record::checks::Witness;
use crate::record::tokens::Step;
use crate::record::{DriveReading, Entry, Folder, Identity, Look, LookKind, Machine, SystemReading, Unread};

/// The Windows that this program runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here;

impl Here {
    /// The resolved spelling of a directory that a person named.
    ///
    /// # Errors
    ///
    /// What the system answered.
    pub fn resolve(self, directory: &Path) -> io::Result<String> {
        resolved(directory)
    }
}

impl Witness for Here {
    /// One for reading back, one for asking.
    type Token = (ProcessToken, ProcessToken);

    fn own(&self) -> io::Result<Token> {
        ProcessToken::own()?.read()
    }

    fn after(&self, steps: &[Step]) -> io::Result<Self::Token> {
        let made = ProcessToken::own()?.after(steps)?;
        let asked = made.for_checks()?;
        Ok((made, asked))
    }

    fn read(&self, (made, _): &Self::Token) -> io::Result<Token> {
        made.read()
    }

    fn ask(&self, (_, asked): &Self::Token, question: &Question, descriptor: &[u8]) -> io::Result<Expected> {
        access::ask(asked, question, descriptor)
    }
}

/// A path in the spelling of which every length and name is taken as it is.
fn verbatim(path: &WindowsPath) -> String {
    path.verbatim()
}

/// The resolved spelling of a path that is there: through no link, without short names. Without `\\?\`.
fn resolved(path: &Path) -> io::Result<String> {
    let path = fs::canonicalize(path)?;
    let text = path.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the path is not Unicode"))?;
    Ok(text.strip_prefix(r"\\?\").unwrap_or(text).to_owned())
}

fn of(what: &str, path: &WindowsPath) -> String {
    format!("{what} `{}`", path.shown())
}

impl Machine for Here {
    fn system(&self) -> Result<SystemReading, Unread> {
        version::read().map_err(unread("which Windows this is"))
    }

    fn identity(&self) -> Result<Identity, Unread> {
        let what = "the token of this process";
        let own = ProcessToken::own().map_err(unread(what))?;
        let token = own.read().map_err(unread(what))?;
        let elevated = own.is_elevated().map_err(unread(what))?;
        let (name, domain) = accounts::name_of(&token.user).map_err(unread("the name of your account"))?;
        let computer = accounts::computer().map_err(unread("the name of the computer"))?;
        Ok(Identity { name, domain, computer, token, elevated })
    }

    fn folder(&self, folder: Folder) -> Result<Option<String>, Unread> {
        let Some(path) = folders::path(folder).map_err(unread(folder.name()))? else { return Ok(None) };
        resolved(Path::new(&path)).map(Some).map_err(unread(folder.name()))
    }

    fn drives(&self) -> Result<Vec<DriveReading>, Unread> {
        volumes::drives().map_err(unread("the drives"))
    }

    fn one_drive(&self) -> Result<Vec<String>, Unread> {
        let mut found = Vec::new();
        let accounts = (1..=9).map(|number| format!("Business{number}")).chain(["Personal".to_owned()]);
        for account in accounts {
            let key = format!(r"Software\Microsoft\OneDrive\Accounts\{account}");
            found.extend(registry::user_text(&key, "UserFolder").map_err(unread("the directories of OneDrive"))?);
        }
        let variables = ["OneDrive", "OneDriveConsumer", "OneDriveCommercial"];
        found.extend(variables.into_iter().filter_map(|name| std::env::var(name).ok()));
        found.retain(|path| !path.is_empty());
        let mut there = Vec::new();
        for path in found {
            match resolved(Path::new(&path)) {
                Ok(path) => there.push(path),
                // An account that was removed leaves its entry behind.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unread("the directories of OneDrive")(error)),
            }
        }
        Ok(there)
    }

    fn features(&self) -> Result<Features, Unread> {
        let what = "what this Windows offers";
        let sandbox = self
            .folder(Folder::Windows)?
            .is_some_and(|windows| Path::new(&windows).join("System32").join("wsb.exe").exists());
        let alias = self.folder(Folder::Local)?.is_some_and(|local| {
            // An alias of the store is a link that cannot be opened like one; that it is there is what is asked.
            fs::symlink_metadata(Path::new(&local).join("Microsoft").join("WindowsApps").join("wsb.exe")).is_ok()
        });
        let process_model = [c"CreateProcessSecurityEnvironment", c"CloseProcessSecurityEnvironment"];
        Ok(Features {
            app_container: libraries::app_containers().map_err(unread(what))?,
            process_model: libraries::has("processmodel.dll", &process_model).map_err(unread(what))?,
            windows_sandbox: sandbox || alias,
        })
    }

    fn service_runs(&self, name: &str) -> Result<bool, Unread> {
        services::runs(name).map_err(unread(format!("the state of the service {name}")))
    }

    fn has_group(&self, name: &str) -> Result<bool, Unread> {
        accounts::exists_here(name).map_err(unread(format!("whether there is a group `{name}`")))
    }

    fn look(&self, path: &WindowsPath) -> Result<Option<Look>, Unread> {
        let at = verbatim(path);
        let kind = match fs::symlink_metadata(&at) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unread(of("what is at", path))(error)),
        };
        let descriptor = files::descriptor(&at).map_err(unread(of("the descriptor of", path)));
        let kind = if kind.is_symlink() {
            LookKind::Link(resolved(Path::new(&at)).map_err(unread(of("where it leads:", path))))
        } else if kind.is_dir() {
            LookKind::Directory
        } else {
            LookKind::File
        };
        let links = match kind {
            LookKind::File => files::links(&at).map_err(unread(of("the number of names of", path)))?,
            LookKind::Directory | LookKind::Link(_) => 1,
        };
        let short = if path.is_root() { Ok(None) } else { files::short_name(&at) };
        let short = match short {
            // Without the right to list the directory. A short name that is not known is refused wherever it is used.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
            short => short.map_err(unread(of("the short name of", path)))?,
        };
        Ok(Some(Look { kind, descriptor, links, short }))
    }

    fn list(&self, directory: &WindowsPath) -> Result<Vec<Entry>, Unread> {
        let what = || of("what is in", directory);
        let mut entries = Vec::new();
        for entry in fs::read_dir(verbatim(directory)).map_err(unread(what()))? {
            let entry = entry.map_err(unread(what()))?;
            let kind = entry.file_type().map_err(unread(what()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            entries.push(Entry { name, is_directory: kind.is_dir(), is_file: kind.is_file() });
        }
        Ok(entries)
    }

    fn link_count(&self, file: &WindowsPath) -> Result<u32, Unread> {
        match files::links(&verbatim(file)) {
            // Somebody works in the workspace: it has gone since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            links => links.map_err(unread(of("the number of names of", file))),
        }
    }

    fn names_of(&self, file: &WindowsPath) -> Result<Vec<String>, Unread> {
        let names = files::names(&verbatim(file)).map_err(unread(of("the other names of", file)))?;
        Ok(names.into_iter().map(|name| format!("{}{name}", file.volume())).collect())
    }
}
