//! The heads that the gate sends: made from the parts of those that it took, never copied.

use super::authority;
use super::fields::Fields;
use super::framing::Framing;
use super::head::{ResponseHead, Version};
use super::lex;
use super::request::Request;
use crate::gate::Target;
use crate::upstream::Hop;

/// The head of a request to the server of `target`, or to the proxy at `hop`. `default_port` is the scheme's. `dress` changes the
/// fields last: what it puts in replaces what the inside said.
pub(crate) fn request(
    request: &Request,
    target: &Target,
    default_port: u16,
    hop: Option<&Hop>,
    dress: impl FnOnce(&mut Fields),
) -> Vec<u8> {
    let mut fields = request.fields.clone();
    fields.drop_hop_by_hop();
    fields.retain(|field| !field.name.eq_ignore_ascii_case("host"));
    dress(&mut fields);
    let mut out = Vec::new();
    // The host that was decided is the host that is asked for.
    let authority = authority::written(&target.host, target.port, default_port);
    let (scheme, asked, path) = match hop {
        None => ("", "", request.target.as_str()),
        // The asterisk stands for what the server makes of an empty path (RFC 9112 section 3.2.4).
        Some(_) if request.target == "*" => ("http://", authority.as_str(), ""),
        Some(_) => ("http://", authority.as_str(), request.target.as_str()),
    };
    for part in [&request.method, " ", scheme, asked, path, " HTTP/1.1\r\nHost: ", &authority, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    fields.write(&mut out);
    if let Some(authorization) = hop.and_then(|hop| hop.authorization.as_ref()) {
        out.extend_from_slice(format!("Proxy-Authorization: {authorization}\r\n").as_bytes());
    }
    write_framing(request.body, &mut out);
    if request.websocket {
        out.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: websocket\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// The head of a response for the client. `framing` is how its body goes on to the client; `keep` whether another request
/// may follow on this connection.
pub(crate) fn response(head: ResponseHead, framing: Framing, keep: bool) -> Vec<u8> {
    let ResponseHead { status, reason, mut fields, .. } = head;
    let length = fields.all("content-length").next().and_then(lex::decimal);
    let websocket = status == 101;
    fields.drop_hop_by_hop();
    let mut out = format!("HTTP/1.1 {status} ").into_bytes();
    out.extend_from_slice(&reason);
    out.extend_from_slice(b"\r\n");
    fields.write(&mut out);
    match (framing, length) {
        // Of HEAD and 304: the length that the body would have (RFC 9110 section 8.6).
        (Framing::None, Some(length)) if status >= 200 && status != 204 => {
            write_framing(Framing::Length(length), &mut out)
        }
        (framing, _) => write_framing(framing, &mut out),
    }
    if websocket {
        out.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: websocket\r\n");
    } else if status >= 200 && !keep {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// How a response's body, delimited as `framing`, is delimited for a client of this version.
pub(crate) fn for_client(framing: Framing, client: Version) -> Framing {
    match (framing, client) {
        (Framing::Chunked, Version::Http10) => Framing::UntilClose,
        (framing, _) => framing,
    }
}

fn write_framing(framing: Framing, out: &mut Vec<u8>) {
    match framing {
        Framing::None | Framing::UntilClose => {}
        Framing::Length(bytes) => out.extend_from_slice(format!("Content-Length: {bytes}\r\n").as_bytes()),
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
    }
}
