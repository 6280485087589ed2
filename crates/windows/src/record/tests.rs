//! Recording from machines that are described already: what comes out must be what went in.

use bailiwick_winsec::token::{Group, Token};
use bailiwick_winsec::{Sid, sddl};

use super::*;
use crate::facts::tests::{MACHINES, machine};
use crate::facts::{Edition, Features, ObjectKind};
use crate::plan::Plan;
use crate::target::{Asked, Target};
use crate::tier::Tier;

/// A machine that answers from a description.
struct Fake {
    facts: Facts,
    /// What it refuses to let anybody look into.
    closed: Vec<WindowsPath>,
    wine: Option<String>,
    group: bool,
    restricted: bool,
}

impl Fake {
    fn of(facts: Facts) -> Fake {
        Fake { facts, closed: Vec::new(), wine: None, group: false, restricted: false }
    }

    fn refused<T>(&self, what: String) -> Result<T, Unread> {
        Err(Unread { what, why: "Access is denied. (os error 5)".to_owned(), denied: true })
    }
}

fn text(path: &WindowsPath) -> String {
    path.to_string()
}

impl Machine for Fake {
    fn system(&self) -> Result<SystemReading, Unread> {
        let System { build, revision, edition, .. } = self.facts.system;
        let (product_type, product) = match edition {
            Edition::Home => (1, 0x65),
            Edition::Professional => (1, 0x30),
            Edition::Server => (3, 0x07),
        };
        Ok(SystemReading { build, revision, product_type, product, wine: self.wine.clone() })
    }

    fn identity(&self) -> Result<Identity, Unread> {
        let user = &self.facts.user;
        let mut token = Token::plain(user.sid, &[]);
        token.groups = user
            .groups
            .iter()
            .map(|sid| match sid {
                sid if *sid == user.logon => Group::logon(*sid),
                sid if *sid == Sid::ADMINISTRATORS && !user.elevated => Group::deny_only(*sid),
                sid => Group::enabled(*sid),
            })
            .collect();
        if self.restricted {
            token.restricting = Some(bailiwick_winsec::token::Restricting { sids: vec![], writes_only: true });
        }
        let computer = if user.is_domain_account { "LAPTOP" } else { &user.domain };
        Ok(Identity {
            name: user.name.clone(),
            domain: user.domain.clone(),
            computer: computer.to_lowercase(),
            token,
            elevated: user.elevated,
        })
    }

    fn folder(&self, folder: Folder) -> Result<Option<String>, Unread> {
        let folders = &self.facts.folders;
        Ok(match folder {
            Folder::Windows => Some(&folders.windows),
            Folder::ProgramFiles => Some(&folders.program_files),
            Folder::ProgramFilesX86 => folders.program_files_x86.as_ref(),
            Folder::ProgramData => Some(&folders.program_data),
            Folder::Profiles => Some(&folders.profiles),
            Folder::Public => Some(&folders.public),
            Folder::Profile => Some(&self.facts.user.profile),
            Folder::Roaming => Some(&folders.roaming),
            Folder::Local => Some(&folders.local),
            Folder::Temp => Some(&folders.temp),
        }
        .map(text))
    }

    fn drives(&self) -> Result<Vec<DriveReading>, Unread> {
        let volume =
            |letter| self.facts.volumes.iter().find(|(_, of)| *of == Some(letter)).map(|(guid, _)| guid.clone());
        let reading = |drive: &Drive| DriveReading {
            letter: drive.letter.to_ascii_lowercase(),
            drive_type: match drive.kind {
                DriveKind::Fixed => DriveType::Fixed,
                DriveKind::Removable => DriveType::Removable,
                DriveKind::Network => DriveType::Network,
            },
            file_system: Some(drive.file_system.clone()),
            volume: volume(drive.letter).map(|guid| guid.to_ascii_uppercase()),
            stands_for: None,
            dev_drive: drive.dev_drive,
        };
        let mut drives: Vec<DriveReading> = self.facts.drives.iter().map(reading).collect();
        let other = DriveReading { letter: 'S', stands_for: Some(r"C:\src".to_owned()), ..drives[0].clone() };
        drives.push(other);
        drives.push(DriveReading {
            letter: 'F',
            file_system: None,
            drive_type: DriveType::Removable,
            ..drives[0].clone()
        });
        Ok(drives)
    }

    fn one_drive(&self) -> Result<Vec<String>, Unread> {
        // Variables and registry name the same directory.
        Ok(self.facts.one_drive.iter().chain(&self.facts.one_drive).map(text).collect())
    }

    fn features(&self) -> Result<Features, Unread> {
        Ok(self.facts.features)
    }

    fn service_runs(&self, name: &str) -> Result<bool, Unread> {
        match name {
            "BFE" => Ok(self.facts.network.filtering_engine),
            "MpsSvc" => Ok(self.facts.network.firewall),
            other => panic!("nobody needs {other}"),
        }
    }

    fn has_group(&self, name: &str) -> Result<bool, Unread> {
        assert_eq!(name, "bailiwick");
        Ok(self.group)
    }

    fn look(&self, path: &WindowsPath) -> Result<Option<Look>, Unread> {
        let Some(object) = self.facts.object(path) else { return Ok(None) };
        let what = format!("the descriptor of `{}`", path.shown());
        let is_closed = self.closed.contains(path);
        let descriptor = if is_closed { self.refused(what) } else { Ok(object.descriptor.to_bytes().unwrap()) };
        let kind = match &object.kind {
            ObjectKind::Directory => LookKind::Directory,
            ObjectKind::File => LookKind::File,
            ObjectKind::Link(target) => LookKind::Link(Ok(text(target))),
        };
        let short = self
            .facts
            .short_names
            .iter()
            .find(|name| Some(&name.directory) == path.parent().as_ref() && path.name() == Some(&name.long));
        Ok(Some(Look { kind, descriptor, links: object.links, short: short.map(|name| name.short.clone()) }))
    }

    fn list(&self, directory: &WindowsPath) -> Result<Vec<Entry>, Unread> {
        let mut entries = vec![Entry { name: "aux.".to_owned(), is_directory: false, is_file: true }];
        for object in &self.facts.objects {
            if object.path.parent().as_ref() == Some(directory) {
                let name = object.path.name().unwrap().to_owned();
                let is_directory = object.kind == ObjectKind::Directory;
                entries.push(Entry { name, is_directory, is_file: object.kind == ObjectKind::File });
            }
        }
        // Files and directories that only a hard link is known of.
        for link in &self.facts.hard_links {
            let on_the_way = [link.path.clone()].into_iter().chain(link.path.ancestors());
            for way in on_the_way.filter(|way| way.parent().as_ref() == Some(directory)) {
                let name = way.name().unwrap().to_owned();
                if !entries.iter().any(|entry| entry.name == name) {
                    let is_file = way == link.path;
                    entries.push(Entry { name, is_directory: !is_file, is_file });
                }
            }
        }
        Ok(entries)
    }

    fn link_count(&self, file: &WindowsPath) -> Result<u32, Unread> {
        let linked = self.facts.hard_links.iter().any(|link| link.path == *file);
        Ok(if linked { 2 } else { self.facts.object(file).map_or(1, |object| object.links) })
    }

    fn names_of(&self, file: &WindowsPath) -> Result<Vec<String>, Unread> {
        let others = self.facts.hard_links.iter().filter(|link| link.path == *file).map(|link| text(&link.other));
        Ok(others.chain([text(file)]).collect())
    }
}

#[test]
fn what_is_written_reads_as_the_same_facts() {
    for (name, ..) in MACHINES {
        let (facts, _) = machine(name);
        let notes = vec!["a note\nof \u{202e} two lines".to_owned()];
        let text = facts.to_text(&notes).unwrap();
        assert!(text.starts_with("# a note\\u"), "{text:.60}");
        assert_eq!(Facts::parse(&text).as_ref(), Ok(&facts), "{name}");
    }
}

#[test]
fn hostile_names_come_back_too() {
    let (mut facts, _) = machine("home-edition");
    facts.user.name = "it's \"q\" \u{202e}\t\\".to_owned();
    let text = facts.to_text(&[]).unwrap();
    assert!(!text.contains('\u{202e}') && !text.contains('\t'));
    assert_eq!(Facts::parse(&text).unwrap(), facts);
}

/// The places of the description that recording does not look at; what it found open.
#[test]
fn a_described_machine_is_recorded_as_it_is() {
    let mut left = String::new();
    for (name, workspace, _) in MACHINES {
        let (facts, _) = machine(name);
        let recorded = describe(&Fake::of(facts.clone()), workspace).unwrap();
        let seen = &recorded.facts;
        assert!(seen.objects.iter().all(|object| facts.object(&object.path) == Some(object)), "{name}");
        let same = Facts {
            objects: facts.objects.clone(),
            open_to_all: facts.open_to_all.clone(),
            setup: facts.setup.clone(),
            ..seen.clone()
        };
        // Not `assert_eq`: the facts fill a screen many times over.
        assert!(same == facts, "{name} is recorded otherwise");
        left.push_str(name);
        left.push('\n');
        for object in facts.objects.iter().filter(|object| seen.object(&object.path).is_none()) {
            left.push_str(&format!("  not looked at: {}\n", object.path.shown()));
        }
        for place in &seen.open_to_all {
            left.push_str(&format!("  open: {} {:?} {}\n", place.path.shown(), place.access, place.through));
        }
        assert!(recorded.notes.iter().any(|note| note.contains("drive S: is another name for C:\\src")));
        assert!(recorded.notes.iter().any(|note| note.contains("drive F: has nothing in it")));
        assert!(recorded.notes.iter().any(|note| note.contains("`aux.` in")), "{:?}", recorded.notes);
    }
    insta::assert_snapshot!(left);
}

/// A plan can be made from what was recorded wherever one can be made from the description.
#[test]
fn plans_can_be_made_from_what_was_recorded() {
    for (name, ..) in MACHINES {
        let (facts, workspace) = machine(name);
        let mut recorded = describe(&Fake::of(facts.clone()), &text(&workspace)).unwrap().facts;
        // Set-up is what recording refuses to describe.
        recorded.setup = facts.setup.clone();
        for tier in Tier::ALL {
            let plan = |facts: &Facts| {
                let policy = crate::profile::policy("workspace", tier, None, None).unwrap().unwrap();
                let asked = Asked { workspace: workspace.clone(), current_dir: workspace.clone(), tier };
                let target = Target::resolve(&policy, facts, &asked).map_err(|error| error.to_string())?;
                Plan::new(&target, facts).map_err(|error| error.to_string())
            };
            match (plan(&facts), plan(&recorded)) {
                (Ok(described), Ok(planned)) => {
                    assert_eq!(planned.token, described.token, "{name} {tier}");
                    assert_eq!(planned.identity, described.identity, "{name} {tier}");
                }
                (described, planned) => assert_eq!(planned.map(|_| ()), described.map(|_| ()), "{name} {tier}"),
            }
        }
    }
}

fn domain_user() -> (Fake, String) {
    let (facts, workspace) = machine("domain-user");
    (Fake::of(facts), text(&workspace))
}

fn refusal(fake: &Fake, workspace: &str) -> String {
    describe(fake, workspace).unwrap_err().to_string()
}

#[test]
fn a_hole_is_named_and_nothing_is_written() {
    let (mut fake, workspace) = domain_user();
    let program_data = fake.facts.folders.program_data.clone();
    fake.facts.objects.retain(|object| object.path != program_data);
    insta::assert_snapshot!(refusal(&fake, &workspace), @r"what was read is no whole description: the description of the host: program_data (`C:\ProgramData`) is not described; a plan cannot be made from half the facts: record them again with `doctor --record`; a description with a hole would be one of another machine, so nothing was written");
    let (fake, _) = domain_user();
    insta::assert_snapshot!(refusal(&fake, r"Q:\src"), @r"`Q:\src` is on a drive that is not described; a description with a hole would be one of another machine, so nothing was written");
    insta::assert_snapshot!(refusal(&fake, r"\\server\share\src"), @r"reading the workspace: `\\server\share\src` is not taken as a path: it is reached through the network, where the server decides with the user's full rights; use a local path; a description with a hole would be one of another machine, so nothing was written");
    insta::assert_snapshot!(refusal(&Fake { group: true, ..domain_user().0 }, &workspace), @"this machine has a local group `bailiwick`: another version was set up here, which this one cannot describe; a description with a hole would be one of another machine, so nothing was written");
    insta::assert_snapshot!(refusal(&Fake { restricted: true, ..domain_user().0 }, &workspace), @"this process is itself in a sandbox (its token is restricted); record from an ordinary shell; a description with a hole would be one of another machine, so nothing was written");
    let (mut fake, _) = domain_user();
    fake.facts.user.groups.retain(|sid| !sid.is_logon());
    insta::assert_snapshot!(refusal(&fake, &workspace), @"the token of this process names no logon; a description with a hole would be one of another machine, so nothing was written");
}

/// Without `READ_CONTROL` on it a place that plans ask about is there and unknown; one met by the way is left out.
#[test]
fn what_nobody_lets_you_look_into_is_there_and_unknown() {
    let (mut fake, workspace) = domain_user();
    let needed = fake.facts.user.profile.join(".gitconfig").unwrap();
    let met = WindowsPath::parse(r"C:\Users\Other").unwrap();
    let template = fake.facts.object(&fake.facts.user.profile).unwrap().clone();
    for path in [&needed, &met] {
        fake.facts.objects.retain(|object| object.path != *path);
        fake.facts.objects.push(crate::facts::Object { path: path.clone(), ..template.clone() });
    }
    fake.facts.objects.sort_by(|a, b| a.path.cmp(&b.path));
    fake.closed = vec![needed.clone(), met.clone()];
    let recorded = describe(&fake, &workspace).unwrap();
    let object = recorded.facts.object(&needed).unwrap();
    assert!(object.is_unknown());
    assert!(recorded.facts.object(&met).is_none());
    let everything = Token::plain(Sid::SYSTEM, &[Sid::EVERYONE, Sid::ADMINISTRATORS]);
    let request = bailiwick_winsec::Request::file(bailiwick_winsec::AccessMask::FILE_READ_DATA);
    let verdict = bailiwick_winsec::check(&everything, &object.descriptor, request);
    assert!(matches!(verdict, bailiwick_winsec::Verdict::Unknown(_)), "{verdict:?}");
    assert!(recorded.text.contains("unknown = true") && !recorded.text.contains("S-1-0-0"));
    assert!(!recorded.facts.open_to_all.iter().any(|place| place.path == needed));
    let about = |path: &WindowsPath| recorded.notes.iter().filter(|note| note.contains(&path.shown())).count();
    assert_eq!((about(&needed), about(&met)), (1, 1), "{:?}", recorded.notes);
}

#[test]
fn a_description_from_wine_says_so_wherever_it_is_shown() {
    let (fake, workspace) = domain_user();
    let recorded = describe(&Fake { wine: Some("8.0".to_owned()), ..fake }, &workspace).unwrap();
    assert!(recorded.text.starts_with("# Recorded under Wine 8.0, WHICH IS NO WINDOWS"), "{:.80}", recorded.text);
    let read = Facts::parse(&recorded.text).unwrap();
    assert_eq!(read.system.to_string(), "Wine, which is no Windows, posing as Windows Professional build 26200.9278");
    assert!(!recorded.text.replace("wine = true\n", "").contains("wine = "));
}

#[test]
fn editions() {
    let reading = |product_type, product| SystemReading { build: 1, revision: 1, product_type, product, wine: None };
    assert_eq!(edition(&reading(1, 0x65)), Ok(Edition::Home));
    assert_eq!(edition(&reading(1, 0x04)), Ok(Edition::Professional));
    assert_eq!(edition(&reading(2, 0x08)), Ok(Edition::Server));
    assert!(edition(&reading(1, 0)).is_err() && edition(&reading(1, 0xABCD_ABCD)).is_err());
}

/// An open place is named once, and again only where it is opened anew.
#[test]
fn open_places_are_named_where_they_are_opened() {
    let (mut fake, workspace) = domain_user();
    let template = fake.facts.object(&fake.facts.user.profile).unwrap().clone();
    let mut add = |at: &str, text: &str| {
        let path = WindowsPath::parse(at).unwrap();
        let descriptor = sddl::parse(text, &sddl::Domains::NONE).unwrap();
        fake.facts.objects.push(crate::facts::Object { path, owner: Sid::SYSTEM, descriptor, ..template.clone() });
    };
    add(r"C:\drop", "O:SYG:SYD:PAI(A;OICI;FA;;;WD)");
    add(r"C:\Users\Public\inherits", "O:SYG:SYD:AI(A;OICIID;0x1200a9;;;BU)");
    add(r"C:\Users\Public\opened", "O:SYG:SYD:AI(A;;0x100002;;;IU)(A;OICIID;0x1200a9;;;BU)");
    add(r"C:\Users\Public\closed", "O:SYG:SYD:PAI(A;OICI;FA;;;SY)");
    fake.facts.objects.sort_by(|a, b| a.path.cmp(&b.path));
    let recorded = describe(&fake, &workspace).unwrap();
    let open = |at: &str| {
        let place = recorded.facts.open_to_all.iter().find(|place| place.path == WindowsPath::parse(at).unwrap());
        place.map(|place| (place.access, place.through))
    };
    use crate::facts::OpenAccess::{Read, Write};
    assert_eq!(open(r"C:\drop"), Some((Write, Sid::EVERYONE)));
    assert_eq!(open(r"C:\Users\Public"), Some((Read, Sid::EVERYONE)));
    assert_eq!(open(r"C:\Users\Public\inherits"), None);
    assert_eq!(open(r"C:\Users\Public\opened"), Some((Write, Sid::INTERACTIVE)));
    assert_eq!(open(r"C:\Users\Public\closed"), None);
}

mod restricting {
    use super::super::tokens::{difference, expected, variants};
    use super::*;

    /// A user's token with a privilege that can be stripped.
    fn own() -> Token {
        let mut token = Fake::of(machine("home-edition").0).identity().unwrap().token;
        token.privileges = token.privileges.with_disabled(bailiwick_winsec::token::Privilege::Shutdown);
        token
    }

    #[test]
    fn every_variant_is_another_token() {
        let own = own();
        let mut tokens: Vec<Token> = Vec::new();
        for variant in variants(&own) {
            match expected(&own, &variant.steps) {
                Ok(token) => {
                    assert!(!tokens.contains(&token), "{}", variant.name);
                    tokens.push(token);
                }
                Err(error) => panic!("{}: {error}", variant.name),
            }
        }
        assert_eq!(tokens[0], own);
        assert!(tokens.len() > 10);
        assert!(tokens.iter().any(|token| token.restricting.as_ref().is_some_and(|list| list.sids.is_empty())));
    }

    #[test]
    fn a_token_that_was_not_restricted_is_noticed() {
        let own = own();
        for variant in variants(&own).iter().skip(1) {
            let wanted = expected(&own, &variant.steps).unwrap();
            assert_eq!(difference(&wanted, &wanted), None);
            assert!(difference(&own, &wanted).is_some(), "{}", variant.name);
        }
    }
}
