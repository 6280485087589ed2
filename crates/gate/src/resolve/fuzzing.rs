//! Doors for the fuzz targets; see `crate::fuzzing`.

use super::response::{Reading, read};
use crate::dns::message::{Message, Name, header, kind};

/// Whatever a server answers, there are few addresses, each once, of the family that was asked for.
pub fn response(bytes: &[u8]) {
    // The answer to another question is dropped at once; so the question has this answer's id.
    let id = header(bytes).map_or(0, |(id, _)| id);
    for kind in [kind::A, kind::AAAA] {
        let query = Message::ask(id, Name::from_host("www.example.org").unwrap(), kind);
        let Ok(Reading::Addresses(addresses, _)) = read(bytes, &query) else { continue };
        assert!(!addresses.is_empty() && addresses.len() <= 32);
        for (at, address) in addresses.iter().enumerate() {
            assert_eq!(address.is_ipv4(), kind == kind::A, "{address} is of the wrong family");
            assert!(!addresses.iter().skip(at + 1).any(|other| other == address), "{address} twice");
        }
    }
}
