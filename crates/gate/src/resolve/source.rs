//! The host's settings: as texts, or as files that may change while the gate runs.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use super::hosts;
use super::settings::Settings;

/// Longest file that is read, in bytes; what is behind is as if it were not there. The longest hosts files around, lists of names to be
/// blocked, have some three million.
const LONGEST: u64 = 4 << 20;

/// Most names of which it is remembered what the hosts file says.
const MOST_SAID: usize = 256;

/// Where the settings come from.
#[derive(Debug)]
pub(super) struct Source {
    resolv_conf: Option<Watched>,
    hosts: Option<Watched>,
    settings: Rc<Settings>,
    hosts_text: String,
    /// What the text says of names that were asked about: it may be a list of megabytes, and every connection asks.
    said: HashMap<Box<str>, Option<Vec<IpAddr>>>,
}

impl Source {
    /// These texts, once and for all.
    pub(super) fn texts(resolv_conf: &str, hosts: &str) -> Source {
        Source {
            resolv_conf: None,
            hosts: None,
            settings: Rc::new(Settings::read(resolv_conf)),
            hosts_text: hosts.to_owned(),
            said: HashMap::new(),
        }
    }

    /// These files. They are read at the first [`refresh`](Self::refresh).
    pub(super) fn files(resolv_conf: PathBuf, hosts: PathBuf) -> Source {
        Source {
            resolv_conf: Some(Watched::new(resolv_conf)),
            hosts: Some(Watched::new(hosts)),
            settings: Rc::new(Settings::read("")),
            hosts_text: String::new(),
            said: HashMap::new(),
        }
    }

    /// Reads what has changed. `changed` is called if whom to ask has changed: earlier answers no longer count.
    pub(super) fn refresh(&mut self, changed: impl FnOnce()) {
        if let Some(text) = self.hosts.as_mut().and_then(Watched::changed) {
            self.hosts_text = text;
            self.said.clear();
        }
        if let Some(text) = self.resolv_conf.as_mut().and_then(Watched::changed) {
            let settings = Settings::read(&text);
            if settings != *self.settings {
                self.settings = Rc::new(settings);
                changed();
            }
        }
    }

    /// Whom to ask, and how.
    pub(super) fn settings(&self) -> Rc<Settings> {
        Rc::clone(&self.settings)
    }

    /// The addresses that the hosts file has for a name.
    pub(super) fn listed(&mut self, name: &str) -> Option<Vec<IpAddr>> {
        if let Some(said) = self.said.get(name) {
            return said.clone();
        }
        let listed = hosts::listed(&self.hosts_text, name);
        if self.said.len() >= MOST_SAID {
            self.said.clear();
        }
        self.said.insert(name.into(), listed.clone());
        listed
    }
}

/// A file and what it looked like when it was read.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// None before the first look.
    seen: Option<Look>,
}

/// What tells one state of a file from another: when it was changed and how long it is; `None` if it is not there.
type Look = Option<(SystemTime, u64)>;

impl Watched {
    fn new(path: PathBuf) -> Watched {
        Watched { path, seen: None }
    }

    /// The text, if the file is not as it was.
    fn changed(&mut self) -> Option<String> {
        let look = fs::metadata(&self.path).ok().and_then(|data| Some((data.modified().ok()?, data.len())));
        if self.seen == Some(look) {
            return None;
        }
        self.seen = Some(look);
        Some(read(&self.path).unwrap_or_default())
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_again_when_they_change_and_may_be_absent() {
        let directory = std::env::temp_dir().join(format!("bailiwick-source-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (conf, hosts) = (directory.join("resolv.conf"), directory.join("hosts"));
        let mut source = Source::files(conf.clone(), hosts.clone());
        source.refresh(|| panic!("no file says what no file means"));
        assert_eq!(source.settings().servers, ["127.0.0.1:0".parse().unwrap()]);

        fs::write(&conf, "nameserver 192.0.2.1\n").unwrap();
        fs::write(&hosts, "192.0.2.7 seven\n").unwrap();
        let mut changed = false;
        source.refresh(|| changed = true);
        assert!(changed);
        assert_eq!(source.settings().servers, ["192.0.2.1:0".parse().unwrap()]);
        assert_eq!(source.listed("seven"), Some(vec!["192.0.2.7".parse().unwrap()]));

        source.refresh(|| panic!("nothing has changed"));
        fs::remove_file(&hosts).unwrap();
        source.refresh(|| panic!("only the hosts file has changed"));
        assert_eq!(source.listed("seven"), None, "what was said of the earlier file is forgotten");
        for number in 0..2 * MOST_SAID {
            assert_eq!(source.listed(&number.to_string()), None);
            assert!(source.said.len() <= MOST_SAID);
        }
        fs::remove_dir_all(&directory).unwrap();
    }
}
