//! What a request asks for: its head with the target, the host and the body's framing made out (RFC 9112 sections 3 and 6).
//!
//! Everything that two readers could understand differently is refused here, before a byte of the request is passed on.

mod error;

pub(crate) use error::RequestError;

use super::authority::Authority;
use super::fields::Fields;
use super::framing::{self, Framing};
use super::head::{RequestHead, Version};

/// The request target, by form (RFC 9112 section 3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `/path?query`: the host is in `Host`.
    Origin,
    /// `http://host/path`: what a proxy is asked.
    Absolute {
        /// Is the scheme `https`?
        secure: bool,
    },
    /// `host:port`, of CONNECT.
    Authority,
}

/// A request whose meaning is certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: String,
    /// The target's form.
    pub(crate) form: Form,
    /// Path and query to ask the server for, `*` of OPTIONS; empty for CONNECT.
    pub(crate) target: String,
    /// The host that the request is for; none in an HTTP/1.0 request that does not say.
    pub(crate) authority: Option<Authority>,
    /// The version.
    pub(crate) version: Version,
    /// All its fields, as they came.
    pub(crate) fields: Fields,
    /// How its body is delimited; never [`Framing::UntilClose`].
    pub(crate) body: Framing,
    /// Does it ask to become a WebSocket?
    pub(crate) websocket: bool,
    /// Does the client want the connection kept after it?
    pub(crate) keep_alive: bool,
}

impl Request {
    /// Makes out what a head asks for.
    ///
    /// # Errors
    /// A target or host that is ambiguous or contradicts the other, and every framing that two readers could take
    /// for different lengths.
    pub(crate) fn of(head: RequestHead) -> Result<Request, RequestError> {
        let RequestHead { method, target, version, fields } = head;
        refuse_lookalikes(&fields)?;
        let said = host_field(&fields, version)?;
        let (form, target, asked) = read_target(&method, target)?;
        let authority = match (asked, said) {
            (Some(asked), Some(said)) => Some(agree(asked, said, &form)?),
            (one, other) => one.or(other),
        };
        let body = framing::of_request(&fields, version)?;
        if form == Form::Authority && body != Framing::None {
            return Err(RequestError::ConnectWithBody);
        }
        let websocket = asks_for_websocket(&method, version, &fields, body);
        // HTTP/1.0 clients that ask for it get along without.
        let keep_alive = version == Version::Http11 && !fields.lists("connection", "close");
        Ok(Request { method, form, target, authority, version, fields, body, websocket, keep_alive })
    }

    /// The path, without the query: what rules speak about and what is told.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The name of a field by which some servers take another method or path than the request line's, if there is one: what was
    /// decided would not be what is done. Letter case and `_` for `-` make no difference behind CGI and its successors.
    pub(crate) fn overriding_field(&self) -> Option<&str> {
        let overrides = |name: &str| {
            let plain = name.to_ascii_lowercase().replace('_', "-");
            matches!(
                plain.as_str(),
                "x-http-method-override"
                    | "x-http-method"
                    | "x-method-override"
                    | "x-original-method"
                    | "x-original-url"
                    | "x-original-uri"
                    | "x-rewrite-url"
                    | "x-override-url"
            )
        };
        self.fields.iter().map(|field| field.name.as_str()).find(|name| overrides(name))
    }

    /// May it be sent a second time when a kept connection turns out to be closed? Only what changes nothing and has no body.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.body == Framing::None && !self.websocket && matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

/// Field names that a server's gateway may take for a framing field: `Transfer_Encoding` becomes the same variable as
/// `Transfer-Encoding` behind CGI and its successors.
fn refuse_lookalikes(fields: &Fields) -> Result<(), RequestError> {
    let alike = |name: &str| {
        let plain: String =
            name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase())).collect();
        match plain.as_str() {
            "transferencoding" => !name.eq_ignore_ascii_case("transfer-encoding"),
            "contentlength" => !name.eq_ignore_ascii_case("content-length"),
            "host" => !name.eq_ignore_ascii_case("host"),
            _ => false,
        }
    };
    if fields.iter().any(|field| alike(&field.name)) {
        return Err(RequestError::Lookalike);
    }
    let framing = ["host", "content-length", "transfer-encoding"];
    if framing.iter().any(|name| fields.lists("connection", name)) {
        return Err(RequestError::ConnectionNamesFraming);
    }
    Ok(())
}

/// The host that `Host` says: exactly one field in HTTP/1.1, at most one in HTTP/1.0.
fn host_field(fields: &Fields, version: Version) -> Result<Option<Authority>, RequestError> {
    let mut values = fields.all("host");
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(RequestError::SeveralHosts),
        (None, None) if version == Version::Http10 => Ok(None),
        (None, None) => Err(RequestError::NoHost),
        (Some(value), None) => {
            let text =
                std::str::from_utf8(value).map_err(|_| RequestError::Host(super::authority::AuthorityError::Host))?;
            Authority::parse(text).map(Some).map_err(RequestError::Host)
        }
    }
}

/// The form, the target for the server, and the authority if the target has one.
fn read_target(method: &str, target: String) -> Result<(Form, String, Option<Authority>), RequestError> {
    if method == "CONNECT" {
        let authority = Authority::parse(&target).map_err(RequestError::Target)?;
        if authority.port.is_none() {
            return Err(RequestError::ConnectWithoutPort);
        }
        return Ok((Form::Authority, String::new(), Some(authority)));
    }
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Ok((Form::Origin, target, None));
    }
    let (scheme, rest) = target.split_once("://").ok_or(RequestError::Form)?;
    let secure = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return Err(RequestError::Scheme),
    };
    let split = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(split);
    let authority = Authority::parse(authority).map_err(RequestError::Target)?;
    let path = match path {
        "" if method == "OPTIONS" => "*".to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        query => format!("/{query}"),
    };
    Ok((Form::Absolute { secure }, path, Some(authority)))
}

/// The target's authority, if `Host` says the same: RFC 9112 section 3.2.2 lets a proxy ignore a different `Host`, and a
/// server behind it may not.
fn agree(asked: Authority, said: Authority, form: &Form) -> Result<Authority, RequestError> {
    let default = match form {
        Form::Absolute { secure: true } => Some(443),
        Form::Absolute { secure: false } => Some(80),
        // `CONNECT host:port` with `Host: host`: many clients leave the port out.
        Form::Authority | Form::Origin => asked.port,
    };
    let same_port = asked.port.or(default) == said.port.or(default);
    let named_without_port = said.port.is_none();
    if asked.host != said.host || !(same_port || named_without_port) {
        return Err(RequestError::HostsDiffer);
    }
    Ok(asked)
}

/// RFC 6455 section 4.1. Every other `Upgrade` is left out, and the request goes on as what it is.
fn asks_for_websocket(method: &str, version: Version, fields: &Fields, body: Framing) -> bool {
    method == "GET"
        && version == Version::Http11
        && body == Framing::None
        && fields.lists("connection", "upgrade")
        && fields.lists("upgrade", "websocket")
        && fields.all("sec-websocket-key").count() == 1
}

#[cfg(test)]
mod tests;
