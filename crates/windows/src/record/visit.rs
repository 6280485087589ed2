//! Looking at places from the root down, each once.

use std::collections::BTreeMap;

use bailiwick_policy::text::escape;
use bailiwick_winsec::SecurityDescriptor;
use bailiwick_winsec::sddl::{self, Domains};

use super::machine::{Look, LookKind, Machine};
use super::{RecordError, Unread, path, places};
use crate::facts::{Facts, Object, ObjectKind};
use crate::path::{ShortName, WindowsPath};

/// How much a place matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// A plan rests on it: it is described, or nothing is.
    Needed,
    /// Found by the way: what cannot be described is left out, with a note.
    Found,
}

/// Looks at everything that matters and fills in objects and short names.
pub(super) fn visit_all(
    machine: &impl Machine,
    facts: &mut Facts,
    workspace: &WindowsPath,
    notes: &mut Vec<String>,
) -> Result<(), RecordError> {
    let needed = places::needed(facts, workspace)?;
    let scanned = places::scanned(facts, workspace);
    let worth = places::worth_a_look(facts);
    let mut walk = Walk { machine, facts, notes, seen: BTreeMap::new(), short_names: Vec::new() };
    for place in &needed {
        walk.visit(place, Weight::Needed)?;
    }
    for directory in scanned {
        walk.scan(&directory)?;
    }
    for place in &worth {
        walk.visit(place, Weight::Found)?;
    }
    let (seen, mut short_names) = (walk.seen, walk.short_names);
    facts.objects = seen.into_values().flatten().collect();
    short_names.sort_by(|a, b| a.directory.cmp(&b.directory).then_with(|| a.short.cmp(&b.short)));
    facts.short_names = short_names;
    Ok(())
}

struct Walk<'a, M> {
    machine: &'a M,
    facts: &'a Facts,
    notes: &'a mut Vec<String>,
    /// What was looked at, and what was there.
    seen: BTreeMap<WindowsPath, Option<Object>>,
    short_names: Vec<ShortName>,
}

impl<M: Machine> Walk<'_, M> {
    /// Whether a directory is there; everything above is visited first, and what is below a link or a file is not there.
    fn visit(&mut self, place: &WindowsPath, weight: Weight) -> Result<bool, RecordError> {
        let is_directory =
            |object: &Option<Object>| object.as_ref().is_some_and(|object| object.kind == ObjectKind::Directory);
        match self.seen.get(place) {
            // What was left out when it was met by the way is looked at again when it matters; that comes first.
            Some(known) => return Ok(is_directory(known)),
            None if self.facts.drive_of(place).is_none() => {
                let text = format!("`{}` is on a drive that is not described", place.shown());
                return self.give_up(weight, text);
            }
            None => {}
        }
        if let Some(above) = place.parent()
            && !self.visit(&above, weight)?
        {
            self.seen.insert(place.clone(), None);
            return Ok(false);
        }
        let looked = match self.machine.look(place) {
            Ok(looked) => looked,
            Err(unread) if weight == Weight::Found => return self.give_up(weight, unread.to_string()),
            Err(unread) => return Err(unread.into()),
        };
        let Some(look) = looked else {
            self.seen.insert(place.clone(), None);
            return Ok(false);
        };
        let object = match self.object(place, look, weight)? {
            Ok(object) => object,
            Err(why) => return self.give_up(weight, why),
        };
        let link = match &object.kind {
            ObjectKind::Link(target) => Some(target.clone()),
            _ => None,
        };
        let object = Some(object);
        let is_directory = is_directory(&object);
        self.seen.insert(place.clone(), object);
        if let Some(target) = link {
            self.visit(&target, weight)?;
        }
        Ok(is_directory)
    }

    /// An object as it is described; a text where this one cannot be.
    fn object(
        &mut self,
        place: &WindowsPath,
        look: Look,
        weight: Weight,
    ) -> Result<Result<Object, String>, RecordError> {
        let kind = match look.kind {
            LookKind::Directory => ObjectKind::Directory,
            LookKind::File => ObjectKind::File,
            LookKind::Link(Ok(target)) => match path(&format!("where `{}` leads", place.shown()), &target) {
                Ok(target) if self.facts.drive_of(&target).is_some() => ObjectKind::Link(target),
                Ok(_) => return Ok(Err(format!("`{}` leads to a drive that is not described", place.shown()))),
                Err(error) => return Ok(Err(error.to_string())),
            },
            LookKind::Link(Err(unread)) => return Ok(Err(unread.to_string())),
        };
        if let (Some(short), Some(directory), Some(long)) = (look.short, place.parent(), place.name()) {
            self.short_names.push(ShortName { directory, short, long: long.to_owned() });
        }
        let links = look.links;
        let described = self.descriptor(place, look.descriptor);
        let (owner, descriptor) = match (described, weight) {
            (Ok(descriptor), _) => (descriptor.owner.unwrap_or(Object::NOBODY), descriptor),
            (Err(why), Weight::Found) => return Ok(Err(why)),
            (Err(why), Weight::Needed) => {
                self.notes.push(format!("nothing is known of who may do what: {why}"));
                (Object::NOBODY, Object::unknown())
            }
        };
        Ok(Ok(Object { path: place.clone(), kind, owner, descriptor, links }))
    }

    /// The descriptor, if it can be said.
    fn descriptor(&self, place: &WindowsPath, read: Result<Vec<u8>, Unread>) -> Result<SecurityDescriptor, String> {
        let bytes = read.map_err(|unread| unread.to_string())?;
        let of = || format!("the descriptor of `{}`", place.shown());
        let read = SecurityDescriptor::parse(&bytes).map_err(|error| format!("{}: {error}", of()))?;
        if read.owner.is_none_or(|owner| owner == Object::NOBODY) {
            return Err(format!("{} names no owner", of()));
        }
        // What SDDL has no words for would come back as something else.
        let text = sddl::to_string(&read, &Domains::NONE).map_err(|error| format!("{}: {error}", of()))?;
        sddl::parse(&text, &Domains::NONE).map_err(|error| format!("{}: {error}", of()))
    }

    /// Everything in a directory.
    fn scan(&mut self, directory: &WindowsPath) -> Result<(), RecordError> {
        if !self.visit(directory, Weight::Found)? {
            return Ok(());
        }
        let entries = match self.machine.list(directory) {
            Ok(entries) => entries,
            Err(unread) => return self.give_up(Weight::Found, unread.to_string()).map(|_| ()),
        };
        for entry in entries {
            match directory.join(&entry.name) {
                Ok(place) => {
                    self.visit(&place, Weight::Found)?;
                }
                Err(_) => {
                    let (name, directory) = (escape(entry.name.as_ref()), directory.shown());
                    self.notes
                        .push(format!("`{name}` in `{directory}` is a name that rules cannot be about; left out"));
                }
            }
        }
        Ok(())
    }

    /// What cannot be described is a hole where it is needed, and a note else.
    fn give_up(&mut self, weight: Weight, why: String) -> Result<bool, RecordError> {
        if weight == Weight::Needed {
            return Err(RecordError::Odd(why));
        }
        self.notes.push(format!("left out: {why}"));
        Ok(false)
    }
}
