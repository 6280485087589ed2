//! Why a run cannot begin because of inspection. Nothing here ever holds a secret.

use std::fmt;
use std::io;
use std::path::PathBuf;

use bailiwick_policy::text::escape;

/// Why inspection cannot be prepared.
#[derive(Debug)]
pub enum InspectError {
    /// The host has no root certificates, so no server could be verified.
    NoRoots(String),
    /// A key or certificate could not be made.
    Certificate(String),
    /// A credential cannot be had.
    Credential {
        /// The host pattern of the credential, as written.
        host: String,
        /// The header of the credential.
        header: String,
        /// What is wrong with it.
        why: CredentialError,
    },
}

/// Why one credential cannot be had.
#[derive(Debug)]
pub enum CredentialError {
    /// The environment variable is not set.
    NoVariable(String),
    /// The file cannot be read.
    File(PathBuf, io::Error),
    /// The command cannot be started or waited for.
    Command(String, io::Error),
    /// The command ended otherwise than with success: what the system says of it.
    Ended(String, String),
    /// The command did not end in time (seconds).
    Slow(String, u64),
    /// There is nothing in it.
    Empty,
    /// It is longer than this many bytes.
    Long(usize),
    /// It holds a character that cannot stand in a header.
    Character,
    /// The header is not one that a credential can be put into.
    Header,
}

impl InspectError {
    pub(super) fn certificate(error: impl fmt::Display) -> InspectError {
        InspectError::Certificate(error.to_string())
    }
}

impl fmt::Display for InspectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InspectError::NoRoots(why) => write!(
                f,
                "inspecting hosts needs the root certificates of this machine, and none could be read ({why}); \
                 install them (ca-certificates) or set SSL_CERT_FILE"
            ),
            InspectError::Certificate(why) => write!(f, "the authority of this run could not be made: {why}"),
            InspectError::Credential { host, header, why } => {
                write!(f, "the credential for {} (header {}) ", escape(host.as_ref()), escape(header.as_ref()))?;
                write!(f, "cannot be used: {why}")
            }
        }
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialError::NoVariable(name) => {
                write!(
                    f,
                    "the environment variable {} is not set; set it where bailiwick is started",
                    escape(name.as_ref())
                )
            }
            CredentialError::File(path, error) => {
                write!(f, "the file {} cannot be read: {error}", escape(path.as_os_str()))
            }
            CredentialError::Command(program, error) => {
                write!(f, "the command {} cannot be run: {error}", escape(program.as_ref()))
            }
            CredentialError::Ended(program, how) => {
                write!(f, "the command {} failed ({how}); run it yourself to see why", escape(program.as_ref()))
            }
            CredentialError::Slow(program, seconds) => {
                write!(f, "the command {} did not end within {seconds} seconds", escape(program.as_ref()))
            }
            CredentialError::Empty => f.write_str("it is empty"),
            CredentialError::Long(most) => write!(f, "it is longer than {most} bytes"),
            CredentialError::Character => f.write_str(
                "it holds a character that cannot stand in a header (only visible ASCII and inner spaces can)",
            ),
            CredentialError::Header => f.write_str("this header belongs to the connection, or is no header name"),
        }
    }
}

impl std::error::Error for InspectError {}
impl std::error::Error for CredentialError {}
