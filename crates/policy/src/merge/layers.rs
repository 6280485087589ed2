//! Reading the documents: each once, so that the bytes that are understood are the bytes that are trusted.

use std::path::{Path, PathBuf};

use super::error::DEEPEST;
use super::{PolicyError, Request};
use crate::builtin::{self, Builtin};
use crate::document::{Document, DocumentError, Keeper, read_file};
use crate::host::Host;
use crate::keys::{Ceiling, Key};
use crate::origin::{Layer, Origin, Source};
use crate::policy::Ruled;
use crate::trust::{self, Trust};

/// The project's document, below the workspace.
pub const PROJECT_FILE: &str = "bailiwick.toml";
/// The user's document, below the configuration directory.
const USER_FILE: &str = "policy.toml";
/// The user's own profiles, below the configuration directory.
const PROFILES: &str = "profiles";

/// Every document of a policy, in the order in which they are merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    /// The profiles at the bottom, what they extend first.
    pub base: Vec<Document>,
    /// The user's document.
    pub user: Option<Document>,
    /// The workspace's document.
    pub project: Option<Project>,
    /// The command line.
    pub options: Document,
    /// The administrator's document.
    pub administrator: Option<Document>,
    /// Every place where a document of the user's or the workspace's was looked for.
    pub documents: Vec<PathBuf>,
}

/// A workspace's own document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// What it says.
    pub document: Document,
    /// Whether the user has trusted exactly this content.
    pub trusted: bool,
}

impl Layers {
    /// Reads every document that the request is about.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn read(host: &Host, request: &Request) -> Result<Layers, PolicyError> {
        // Root keeps the administrator's document; Windows has no such number and does not ask for it.
        Layers::read_kept_by(host, request, 0)
    }

    pub(super) fn read_kept_by(host: &Host, request: &Request, root: u32) -> Result<Layers, PolicyError> {
        let administrator = match read_file(&host.admin_file, Keeper::Only(root))? {
            Some(bytes) => Some(administrator(&host.admin_file, &bytes)?),
            None => None,
        };
        let user_file = host.config_dir.join(USER_FILE);
        // The directory as a whole: a profile that does not exist yet must not be brought into being from inside.
        let mut documents = vec![host.config_dir.clone(), user_file.clone()];
        let user = user_document(&user_file, host)?;
        let project_file = request.workspace.join(PROJECT_FILE);
        documents.push(project_file.clone());
        let project = project(host, request, &project_file)?;

        let mut base = Base { host, chain: Vec::new(), names: Vec::new(), found: Vec::new(), documents };
        for parent in parents(request, user.as_ref(), project.as_ref()) {
            base.add(&parent.value, &parent.origin)?;
        }
        let Base { found, documents, .. } = base;
        let options = request.options.clone();
        Ok(Layers { base: found, user, project, options, administrator, documents })
    }
}

fn user_document(path: &Path, host: &Host) -> Result<Option<Document>, PolicyError> {
    match read_file(path, Keeper::User(host.uid))? {
        Some(bytes) => Ok(Some(Document::parse_bytes(&bytes, Source::File(path.to_owned()), Layer::User)?)),
        None => Ok(None),
    }
}

fn project(host: &Host, request: &Request, path: &Path) -> Result<Option<Project>, PolicyError> {
    let Some(bytes) = read_file(path, Keeper::Anybody)? else { return Ok(None) };
    let document = Document::parse_bytes(&bytes, Source::File(path.to_owned()), Layer::Project)?;
    let workspace = request
        .workspace
        .canonicalize()
        .map_err(|error| PolicyError::Workspace { path: request.workspace.clone(), error })?;
    let trusted = Trust::of(host).holds(&workspace, trust::digest(&bytes))?;
    Ok(Some(Project { document, trusted }))
}

/// A ceiling grants nothing, so a grant in it is a misunderstanding that must not pass for a rule.
fn administrator(path: &Path, bytes: &[u8]) -> Result<Document, DocumentError> {
    let document = Document::parse_bytes(bytes, Source::File(path.to_owned()), Layer::Administrator)?;
    let extends = document.extends.as_ref().map(|list| (Key::Extends, list.first().map(|rule| &rule.origin)));
    let set = document.environment.set.as_ref().map(|list| (Key::Set, list.first().map(|rule| &rule.origin)));
    for (key, origin) in [extends, set].into_iter().flatten() {
        let info = key.info();
        if info.ceiling == Ceiling::Refused {
            let whole = Origin { layer: document.layer, source: document.source.clone(), line: None };
            let text = format!(
                "`{}` cannot stand in the administrator's policy, which is a ceiling and grants nothing; take it out",
                info.full_name()
            );
            return Err(DocumentError::one(origin.cloned().unwrap_or(whole), text));
        }
    }
    Ok(document)
}

/// The profiles at the bottom of the base (see [`super`]).
fn parents(request: &Request, user: Option<&Document>, project: Option<&Project>) -> Vec<Ruled<String>> {
    let option = |text: &str, name: &str| {
        let origin = Origin { layer: Layer::CommandLine, source: Source::Option(text.to_owned()), line: None };
        vec![Ruled { value: name.to_owned(), origin }]
    };
    if let Some(profile) = &request.profile {
        return option("--profile", profile);
    }
    let trusted = project.filter(|project| project.trusted).map(|project| &project.document);
    let written: Vec<&Vec<_>> =
        [user, trusted].into_iter().flatten().filter_map(|document| document.extends.as_ref()).collect();
    match written.is_empty() {
        true => option("the default profile", builtin::DEFAULT),
        false => written.into_iter().flatten().cloned().collect(),
    }
}

/// The base while it is put together.
struct Base<'a> {
    host: &'a Host,
    /// The profiles that are being extended right now, outermost first.
    chain: Vec<String>,
    /// The profiles that are complete.
    names: Vec<String>,
    found: Vec<Document>,
    documents: Vec<PathBuf>,
}

impl Base<'_> {
    /// Adds what a profile extends, then the profile.
    fn add(&mut self, name: &str, origin: &Origin) -> Result<(), PolicyError> {
        if self.names.iter().any(|known| known == name) {
            return Ok(());
        }
        if let Some(start) = self.chain.iter().position(|known| known == name) {
            let names = self.chain.iter().skip(start).map(String::as_str).chain([name]).map(str::to_owned).collect();
            return Err(PolicyError::Circle { names, origin: origin.clone() });
        }
        if self.chain.len() >= DEEPEST {
            return Err(PolicyError::Depth { origin: origin.clone() });
        }
        let document = self.document(name, origin)?;
        self.chain.push(name.to_owned());
        for parent in document.extends.iter().flatten() {
            self.add(&parent.value, &parent.origin)?;
        }
        self.chain.pop();
        self.names.push(name.to_owned());
        self.found.push(document);
        Ok(())
    }

    fn document(&mut self, name: &str, origin: &Origin) -> Result<Document, PolicyError> {
        crate::document::profile_name(name).map_err(|wrong| {
            DocumentError::one(origin.clone(), format!("`{}`: {wrong}", crate::text::escape(name.as_ref())))
        })?;
        let file = self.host.config_dir.join(PROFILES).join(format!("{name}.toml"));
        if let Some(builtin) = Builtin::named(name) {
            return match file.symlink_metadata() {
                Ok(_) => Err(PolicyError::Shadow { name: name.to_owned(), file }),
                Err(_) => Ok(builtin.document()?),
            };
        }
        self.documents.push(file.clone());
        match user_document(&file, self.host)? {
            Some(document) => Ok(document),
            None => Err(PolicyError::UnknownProfile { name: name.to_owned(), origin: origin.clone(), file }),
        }
    }
}
