//! What is wrong with a request whose syntax is right.

use std::fmt;

use crate::http::authority::AuthorityError;
use crate::http::framing::FramingError;

/// Why a request was refused before the policy was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestError {
    /// HTTP/1.1 without `Host`.
    NoHost,
    /// More than one `Host`.
    SeveralHosts,
    /// `Host` is no `host[:port]`.
    Host(AuthorityError),
    /// The target's authority is no `host[:port]`.
    Target(AuthorityError),
    /// The target has none of the four forms.
    Form,
    /// An absolute target that is neither http nor https.
    Scheme,
    /// The target names one host, `Host` another.
    HostsDiffer,
    /// CONNECT without a port.
    ConnectWithoutPort,
    /// CONNECT with a body.
    ConnectWithBody,
    /// A field name that some servers take for `Host`, `Content-Length` or `Transfer-Encoding`.
    Lookalike,
    /// `Connection` names a field that says where the message ends or whom it is for.
    ConnectionNamesFraming,
    /// The body's length is ambiguous.
    Framing(FramingError),
}

impl From<FramingError> for RequestError {
    fn from(error: FramingError) -> RequestError {
        RequestError::Framing(error)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::NoHost => f.write_str("it has no Host field"),
            RequestError::SeveralHosts => f.write_str("it has more than one Host field"),
            RequestError::Host(error) => write!(f, "its Host field is wrong: {error}"),
            RequestError::Target(error) => write!(f, "its target is wrong: {error}"),
            RequestError::Form => f.write_str("its target is neither a path nor an http:// address"),
            RequestError::Scheme => f.write_str("its target is an address of another scheme than http and https"),
            RequestError::HostsDiffer => f.write_str("its target names one host and its Host field another"),
            RequestError::ConnectWithoutPort => f.write_str("CONNECT needs a target of the form host:port"),
            RequestError::ConnectWithBody => f.write_str("CONNECT has no body, and this one says it does"),
            RequestError::Lookalike => {
                f.write_str("it has a field that some servers take for Host, Content-Length or Transfer-Encoding")
            }
            RequestError::ConnectionNamesFraming => {
                f.write_str("its Connection field names Host, Content-Length or Transfer-Encoding")
            }
            RequestError::Framing(error) => write!(f, "the length of its body is ambiguous: {error}"),
        }
    }
}

impl std::error::Error for RequestError {}
