//! The URL of a proxy as environment variables hold it.

use std::fmt;

use bailiwick_policy::host_pattern::{Host, HostPatternError};

/// An `http://` proxy.
pub(super) struct Proxy {
    /// Its host.
    pub(super) host: Host,
    /// Its TCP port.
    pub(super) port: u16,
    /// The value of `Proxy-Authorization`.
    pub(super) authorization: Option<String>,
}

/// Why a proxy cannot be used. No variant holds the URL: there may be a password in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ProxyError {
    /// Another kind than `http://`.
    Scheme(String),
    /// The host is none.
    Host(HostPatternError),
    /// The port is none.
    Port,
    /// The user or password holds a broken percent sequence.
    Percent,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyError::Scheme(scheme) => write!(
                f,
                "a proxy of the kind `{scheme}://` cannot be used: name an `http://` one, or list the host in NO_PROXY"
            ),
            ProxyError::Host(error) => write!(f, "the proxy's host is not one: {error}"),
            ProxyError::Port => f.write_str("the proxy's port is not a number from 1 to 65535"),
            ProxyError::Percent => {
                f.write_str("the proxy's user or password holds a `%` without two hexadecimal digits")
            }
        }
    }
}

impl Proxy {
    /// Reads `http://user:password@host:port/`; scheme, user, password, port and the end are optional. The port is 80 where none is written.
    pub(super) fn parse(text: &str) -> Result<Proxy, ProxyError> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) => return Err(ProxyError::Scheme(scheme.to_ascii_lowercase())),
            None => text,
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place);
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(ProxyError::Port)?,
            None => 80,
        };
        let authorization = user.map(authorization).transpose()?;
        Ok(Proxy { host: Host::parse(host).map_err(ProxyError::Host)?, port, authorization })
    }
}

/// The host, and the port where one is written.
pub(super) fn split_port(place: &str) -> (&str, Option<&str>) {
    match place.rsplit_once(':') {
        // An IPv6 address in brackets has its port behind them; without brackets it has none.
        Some((host, port)) if !port.contains(']') && (!host.contains(':') || host.ends_with(']')) => {
            (host, Some(port).filter(|port| !port.is_empty()))
        }
        _ => (place, None),
    }
}

/// `Basic` (RFC 7617) for `user:password` as a URL writes it.
fn authorization(user: &str) -> Result<String, ProxyError> {
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let mut text = percent_decoded(user)?;
    text.push(b':');
    text.extend(percent_decoded(password)?);
    Ok(format!("Basic {}", base64(&text)))
}

fn percent_decoded(text: &str) -> Result<Vec<u8>, ProxyError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (digit(bytes.next()), digit(bytes.next())) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            _ => return Err(ProxyError::Percent),
        }
    }
    Ok(out)
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or(0);
            let letter = if place <= three.len() { ALPHABET.get(index).copied() } else { None };
            out.push(char::from(letter.unwrap_or(b'=')));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        let read =
            |text: &str| Proxy::parse(text).map(|proxy| (proxy.host.to_string(), proxy.port, proxy.authorization));
        let plain = |host: &str, port| Ok((host.to_owned(), port, None));
        assert_eq!(read("http://proxy.corp:3128"), plain("proxy.corp", 3128));
        assert_eq!(read("HTTP://Proxy.Corp/"), plain("proxy.corp", 80));
        assert_eq!(read("proxy:8080"), plain("proxy", 8080));
        assert_eq!(read("http://[2001:db8::1]:3128/"), plain("2001:db8::1", 3128));
        assert_eq!(read("http://10.0.0.1"), plain("10.0.0.1", 80));
        let with_user = read("http://aladdin:open%20sesame@proxy:1").unwrap();
        assert_eq!(with_user.2.as_deref(), Some("Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert_eq!(read("http://a@b:c@proxy:1").unwrap().2.as_deref(), Some("Basic YUBiOmM="));
    }

    #[test]
    fn what_cannot_be_used_is_an_error() {
        let error = |text: &str| Proxy::parse(text).map(|_| ()).unwrap_err();
        assert_eq!(error("socks5h://proxy:1080"), ProxyError::Scheme("socks5h".to_owned()));
        assert_eq!(error("https://proxy"), ProxyError::Scheme("https".to_owned()));
        assert_eq!(error("http://proxy:0"), ProxyError::Port);
        assert_eq!(error("http://proxy:99999"), ProxyError::Port);
        assert_eq!(error("http://a%2@proxy"), ProxyError::Percent);
        assert!(matches!(error("http://"), ProxyError::Host(_)));
        assert!(matches!(error("http://a b"), ProxyError::Host(_)));
    }

    #[test]
    fn base64_pads() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
