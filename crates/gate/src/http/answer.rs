//! Answers of the gate itself: refusals and failures, for people and programs.

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// Reason phrase: a constant.
    pub(crate) phrase: &'static str,
    /// What happened, for a person: escaped.
    pub(crate) reason: String,
    /// What would allow it, where something would.
    pub(crate) grant: Option<String>,
    /// A field that this status needs, as `Name: value`.
    pub(crate) field: Option<&'static str>,
}

impl Answer {
    /// An answer without grant and field.
    pub(crate) fn new(status: u16, phrase: &'static str, reason: String) -> Answer {
        Answer { status, phrase, reason, grant: None, field: None }
    }

    /// That the client of the proxy has to say the password.
    pub(crate) fn unauthorised() -> Answer {
        let reason = "this proxy serves one run of bailiwick only, and needs its password".to_owned();
        let field = Some("Proxy-Authenticate: Basic realm=\"bailiwick\", charset=\"UTF-8\"");
        Answer { field, ..Answer::new(407, "Proxy Authentication Required", reason) }
    }

    /// The whole response. Without body for the answer to HEAD; `keep` whether another request may follow.
    pub(crate) fn write(&self, method: &str, keep: bool) -> Vec<u8> {
        let mut text = format!("bailiwick: {}\n", self.reason);
        if let Some(grant) = &self.grant {
            text.push_str(&format!("bailiwick: to allow it: {grant}\n"));
        }
        let mut out = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n\
             Cache-Control: no-store\r\nContent-Length: {}\r\n",
            self.status,
            self.phrase,
            text.len()
        );
        if let Some(field) = self.field {
            out.push_str(field);
            out.push_str("\r\n");
        }
        if !keep {
            out.push_str("Connection: close\r\n");
        }
        out.push_str("\r\n");
        if method != "HEAD" {
            out.push_str(&text);
        }
        out.into_bytes()
    }
}
