//! The per-run secret of the proxies, where another local user could reach them.

use std::fmt;

/// A user name and password that a client has to know.
pub struct Secret {
    user: Box<str>,
    password: Box<str>,
}

impl Secret {
    /// A secret. The password should have at least 128 bits that nobody can guess; neither should hold `:`.
    pub fn new(user: &str, password: &str) -> Secret {
        Secret { user: user.into(), password: password.into() }
    }

    /// The user name.
    pub(crate) fn user(&self) -> &[u8] {
        self.user.as_bytes()
    }

    /// The password. Whoever compares it does so in constant time.
    pub(crate) fn password(&self) -> &[u8] {
        self.password.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
