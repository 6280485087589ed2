//! The boundary as text: every rule with its origin.

use std::fmt::Write as _;
use std::path::Path;

use bailiwick::policy::boundary::{Backing, Boundary, FileRule, Present, RunLimits};
use bailiwick::policy::keys::tier_word;
use bailiwick::policy::policy::{FileRuleKind, WorkspaceMode};
use bailiwick::policy::text::escape;

use super::style::Style;

/// The widest that a column grows for the sake of alignment.
const WIDEST: usize = 48;

/// The whole boundary, a section for each part of the policy file.
pub(crate) fn show(boundary: &Boundary, style: Style) -> String {
    let mut page = Page { out: String::new(), style };
    page.pairs(&[("workspace", path(&boundary.workspace)), ("home", path(&boundary.home))]);
    page.files(boundary);
    page.private(boundary);
    page.network(boundary);
    page.environment(boundary);
    page.limits(&boundary.limits);
    page.isolation(boundary);
    page.notices(boundary);
    page.out
}

fn path(path: &Path) -> String {
    escape(path.as_os_str())
}

struct Page {
    out: String,
    style: Style,
}

impl Page {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{}", line.trim_end());
    }

    fn heading(&mut self, text: &str) {
        let bold = self.style.bold(text);
        self.line("");
        self.line(&bold);
    }

    fn pairs(&mut self, pairs: &[(&str, String)]) {
        for (name, value) in pairs {
            self.line(&format!("{name:<11}{value}"));
        }
    }

    /// Rows of what is ruled and where it is written.
    fn rows(&mut self, rows: &[(String, String)]) {
        if rows.is_empty() {
            self.line("  nothing");
        }
        let width =
            rows.iter().map(|(left, _)| left.chars().count()).filter(|width| *width <= WIDEST).max().unwrap_or(0);
        for (left, right) in rows {
            let right = self.style.dim(right);
            self.line(&format!("  {left:<width$}  {right}"));
        }
    }

    fn files(&mut self, boundary: &Boundary) {
        self.heading("files");
        let mut rows: Vec<(String, String)> = Vec::new();
        for kind in [FileRuleKind::Write, FileRuleKind::Read, FileRuleKind::Protect, FileRuleKind::Deny] {
            rows.extend(boundary.rules.iter().filter(|rule| rule.kind == kind).map(file_row));
        }
        self.rows(&rows);
        if !boundary.ceiling_rules.is_empty() {
            self.heading("files, by the administrator, over everything above");
            let rows: Vec<_> = boundary.ceiling_rules.iter().map(file_row).collect();
            self.rows(&rows);
        }
        for (title, list) in [
            ("the most that may be read, by the administrator", &boundary.ceiling_read),
            ("the most that may be written, by the administrator", &boundary.ceiling_write),
        ] {
            if let Some(list) = list {
                self.heading(title);
                let rows: Vec<_> = list.iter().map(file_row).collect();
                self.rows(&rows);
            }
        }
    }

    fn private(&mut self, boundary: &Boundary) {
        self.heading("the inside's own");
        let rows: Vec<_> = boundary
            .private
            .iter()
            .map(|root| {
                let backing = match &root.backing {
                    Backing::Memory => "in memory, gone with the run".to_owned(),
                    Backing::Directory(directory) => format!("kept in {}", path(directory)),
                };
                (path(&root.path), backing)
            })
            .collect();
        self.rows(&rows);
    }

    fn network(&mut self, boundary: &Boundary) {
        let network = &boundary.network;
        self.heading("network");
        let allow = network.allow.iter().map(|rule| (format!("allow  {}", rule.value), rule.origin.to_string()));
        let deny = network.deny.iter().map(|rule| (format!("deny   {}", rule.value), rule.origin.to_string()));
        let most = network.ceiling.iter().flatten();
        let most = most.map(|rule| (format!("at most {}", rule.value), rule.origin.to_string()));
        let sockets = network.sockets.iter();
        let sockets = sockets.map(|rule| (format!("socket {}", path(&rule.value)), rule.origin.to_string()));
        let headers = network.credentials.iter();
        let headers = headers
            .map(|rule| (format!("sets   {} for {}", rule.value.header, rule.value.host), rule.origin.to_string()));
        let mut rows: Vec<_> = allow.chain(deny).chain(most).chain(headers).chain(sockets).collect();
        if network.allow.is_empty() && network.sockets.is_empty() {
            rows.insert(0, ("off".to_owned(), String::new()));
        }
        self.rows(&rows);
    }

    /// The names alone: values may be secrets, and somebody may be looking over the shoulder.
    fn environment(&mut self, boundary: &Boundary) {
        self.heading("environment");
        let names: Vec<String> = boundary.environment.iter().map(|(name, _)| escape(name)).collect();
        let text = super::wrap::wrap(&names.join(" "), 2, 96);
        self.line(&text);
    }

    fn limits(&mut self, limits: &RunLimits) {
        let bytes = |value: Option<u64>| value.map(|value| format!("{value} bytes"));
        let count = |value: Option<u64>| value.map(|value| value.to_string());
        let rows: Vec<(String, String)> = [
            ("time", limits.time.map(|time| format!("{} s", time.as_secs()))),
            ("memory of a process", bytes(limits.memory)),
            ("processes", count(limits.processes)),
            ("size of a file", bytes(limits.file_size)),
            ("open files of a process", count(limits.open_files)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
        if !rows.is_empty() {
            self.heading("limits");
            self.rows(&rows);
        }
    }

    fn isolation(&mut self, boundary: &Boundary) {
        let isolation = &boundary.isolation;
        self.heading("isolation");
        let mut rows = vec![("tier".to_owned(), tier_word(isolation.tier).to_owned())];
        for guarantee in &isolation.accept {
            rows.push(("may be lost".to_owned(), guarantee.name().to_owned()));
        }
        if isolation.trace {
            rows.push(("trace".to_owned(), "processes may trace their own children".to_owned()));
        }
        if isolation.nested_namespaces {
            rows.push(("nested".to_owned(), "user namespaces may be made inside".to_owned()));
        }
        if boundary.workspace_mode == WorkspaceMode::Layer {
            rows.push(("workspace".to_owned(), "changes wait for review".to_owned()));
        }
        self.rows(&rows);
    }

    fn notices(&mut self, boundary: &Boundary) {
        if boundary.notices.is_empty() {
            return;
        }
        self.heading("to know");
        for notice in &boundary.notices {
            let place = notice.origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default();
            self.line(&format!("  {}{place}", notice.text));
        }
    }
}

fn file_row(rule: &FileRule) -> (String, String) {
    let kind = match rule.kind {
        FileRuleKind::Deny => "deny",
        FileRuleKind::Protect => "protect",
        FileRuleKind::Write => "write",
        FileRuleKind::Read => "read",
    };
    let absent = if rule.present == Present::Absent { " (absent)" } else { "" };
    (format!("{kind:<8} {}{absent}", path(&rule.path)), rule.origin.to_string())
}

#[cfg(test)]
mod tests;
