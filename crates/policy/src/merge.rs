//! From documents to one policy.
//!
//! 1. *The base*: the profile of `--profile`; else the profiles that the user's document and the trusted document of the
//!    workspace extend, in this order; else the built-in `workspace`. Of each profile what it extends comes first, and no
//!    profile comes twice.
//! 2. *The user's document*, 3. *the workspace's document*, 4. *the command line*. Rules of lists add up; of single values the
//!    last one written wins. The workspace's document only narrows until the user has trusted exactly its content.
//! 5. *The administrator's document* cuts what is left: it is a ceiling and grants nothing.
//!
//! Whatever is written and does not take effect becomes a notice.

mod apply;
mod ceiling;
mod error;
mod layers;
mod network;

use std::path::PathBuf;

use crate::document::Document;
use crate::host::Host;
use crate::policy::Policy;

pub use error::PolicyError;
pub use layers::{Layers, PROJECT_FILE, Project};

/// What a command asks of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `--profile`: the base, instead of what the documents extend.
    pub profile: Option<String>,
    /// The workspace: its `bailiwick.toml` is the project's document.
    pub workspace: PathBuf,
    /// The other options, as a document (see [`Document::options`]).
    pub options: Document,
}

impl Policy {
    /// Reads every document that this request is about and merges them.
    ///
    /// # Errors
    /// Any document that cannot be read, believed or understood to the last key; a profile that does not exist.
    pub fn load(host: &Host, request: &Request) -> Result<Policy, PolicyError> {
        let policy = Layers::read(host, request)?.merge();
        network::check(&policy)?;
        Ok(policy)
    }
}

impl Layers {
    /// Merges what was read. Asks the system nothing.
    pub fn merge(self) -> Policy {
        let mut policy = Policy { documents: self.documents, ..Policy::default() };
        let base = self.base.iter().map(|document| &document.files);
        let lists = base.flat_map(|files| [&files.read, &files.write, &files.deny, &files.protect]);
        // Growing lists step by step would touch fresh pages again and again, on every run.
        policy.files.reserve(lists.flatten().map(Vec::len).sum());
        policy
            .environment
            .pass
            .reserve(self.base.iter().filter_map(|document| document.environment.pass.as_ref()).map(Vec::len).sum());
        for document in self.base.into_iter().chain(self.user) {
            apply::all(&mut policy, document);
        }
        match self.project {
            Some(Project { document, trusted: true }) => apply::trusted(&mut policy, document),
            Some(Project { document, trusted: false }) => apply::narrowing(&mut policy, document),
            None => {}
        }
        apply::all(&mut policy, self.options);
        if let Some(document) = self.administrator {
            ceiling::cut(&mut policy, document);
        }
        network::remark(&mut policy);
        policy
    }
}

#[cfg(test)]
mod tests;
