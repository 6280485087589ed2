//! What needs an administrator, once: the accounts of the `account` tier and their walls.
//!
//! Two processes work together: the user's own draws the passwords and keeps them for this user alone (DPAPI, user scope), the elevated
//! one makes the accounts. The elevated one may be another person, so nothing of it is kept under its own identity.

use bailiwick_winsec::ntfs::Share;
use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::{AccessMask, SecurityDescriptor, Sid};
use hmac_sha256::Hash;

use super::RunError;
use super::journal::{Change, Journal};
use super::stamp::{self, LinkedFiles, Walked};
use crate::facts::{Account, Facts, Setup};
use crate::host::{Hive, Host, Installed, Key, Links, LogonRight, OpenFile, Place, Value, Want, if_there};
use crate::path::{PathError, WindowsPath};
use crate::plan::network::Filter;
use crate::plan::{Identity, Lifetime, Plan};

/// The group of all accounts.
const GROUP: &str = "bailiwick";
/// The first port of the gates.
const FIRST_PORT: u16 = 47101;
/// Characters of a password, of an alphabet of 64: 192 bits.
const PASSWORD: usize = 32;
/// Where Windows looks up which accounts the logon screen hides.
const HIDDEN: [&str; 2] = [
    r"software\microsoft\windows nt\currentversion\winlogon\specialaccounts",
    r"software\microsoft\windows nt\currentversion\winlogon\specialaccounts\userlist",
];

/// Where the journal of what an administrator changed is.
///
/// # Errors
///
/// None on a host whose folders were understood.
pub fn machine_state(facts: &Facts) -> Result<WindowsPath, PathError> {
    facts.folders.program_data.join("bailiwick-setup")
}

/// Where the journal of what the user changed is, and the kept passwords.
///
/// # Errors
///
/// None on a host whose folders were understood.
pub fn user_state(facts: &Facts) -> Result<WindowsPath, PathError> {
    facts.folders.local.join("bailiwick")
}

/// Who may touch the administrator's journal: administrators and the system. Users read it, so that each can see what was changed.
pub fn machine_security() -> SecurityDescriptor {
    const TEXT: &str = "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)";
    // A constant that a test reads; the empty descriptor would refuse everybody.
    sddl::parse(TEXT, &Domains::NONE).unwrap_or_default()
}

/// Draws passwords and keeps them for the user of this process.
///
/// # Errors
///
/// [`RunError::Host`].
pub fn keep_passwords<H: Host + ?Sized>(
    host: &mut H,
    journal: &mut Journal,
    directory: &WindowsPath,
    names: &[String],
) -> Result<Vec<String>, RunError> {
    journal.begin(host, "passwords")?;
    let mut passwords = Vec::new();
    for name in names {
        let password = draw(host)?;
        let path = secret_of(directory, name)?;
        journal.will(host, Change::File { path: path.clone() })?;
        let failed = RunError::host("keeping the password of an account");
        let bytes = host.protect(password.as_bytes()).map_err(&failed)?;
        let want = Want::New { directory: false, security: None };
        let how = OpenFile { access: AccessMask::FILE_GENERIC_WRITE, share: Share::ALL, links: Links::Never, want };
        let handle = host.open(Place::Path(&path), &how).map_err(&failed)?;
        host.write(handle, &bytes).map_err(&failed)?;
        host.close(handle).map_err(&failed)?;
        passwords.push(password);
    }
    journal.end(host)?;
    Ok(passwords)
}

/// The kept password of an account.
///
/// # Errors
///
/// [`RunError::NoSecret`] if it was not kept, or not for this user.
pub fn kept_password<H: Host + ?Sized>(host: &mut H, directory: &WindowsPath, name: &str) -> Result<String, RunError> {
    const LARGEST: usize = 4096;
    let missing = || RunError::NoSecret { account: name.to_owned() };
    let failed = RunError::host("reading the password of an account");
    let how = OpenFile::existing(AccessMask::FILE_GENERIC_READ);
    let opened = if_there(host.open(Place::Path(&secret_of(directory, name)?), &how)).map_err(&failed)?;
    let handle = opened.ok_or_else(missing)?;
    let bytes = host.read(handle, LARGEST);
    host.close(handle).map_err(&failed)?;
    let plain = host.unprotect(&bytes.map_err(&failed)?).map_err(|_| missing())?;
    String::from_utf8(plain).map_err(|_| missing())
}

fn secret_of(directory: &WindowsPath, name: &str) -> Result<WindowsPath, RunError> {
    directory.join(&format!("{name}.secret")).map_err(|error| RunError::NotOurs { what: error.to_string() })
}

fn draw<H: Host + ?Sized>(host: &mut H) -> Result<String, RunError> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let mut bytes = [0; PASSWORD];
    host.random(&mut bytes).map_err(RunError::host("drawing a number"))?;
    Ok(bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 64))).map(|byte| char::from(*byte)).collect())
}

/// Makes the group and the accounts, with the elevated process.
///
/// # Errors
///
/// [`RunError::NotOurs`] if a name is taken; [`RunError::Host`]. What was made is in the journal.
pub fn make_accounts<H: Host + ?Sized>(
    host: &mut H,
    journal: &mut Journal,
    facts: &Facts,
    names: &[String],
    passwords: &[String],
) -> Result<Setup, RunError> {
    let failed = RunError::host("making an account");
    journal.begin(host, "accounts")?;
    let comment = announce(host, journal, GROUP)?;
    let group = host.create_group(GROUP, &comment).map_err(&failed)?;
    let mut accounts = Vec::new();
    for ((name, password), port) in names.iter().zip(passwords).zip(FIRST_PORT..) {
        let comment = announce(host, journal, name)?;
        let sid = host.create_account(name, &comment, password).map_err(&failed)?;
        journal.will(host, Change::Profile { sid })?;
        host.add_member(GROUP, name).map_err(&failed)?;
        for right in LogonRight::ALL {
            journal.will(host, Change::Right { sid, right })?;
            host.set_right(sid, right, true).map_err(&failed)?;
        }
        let profile = facts.folders.profiles.join(name);
        let profile = profile.map_err(|error| RunError::NotOurs { what: error.to_string() })?;
        accounts.push(Account { name: name.clone(), sid, profile, gate_port: port, workspace: None });
    }
    hide(host, journal, names)?;
    journal.end(host)?;
    Ok(Setup { group, accounts })
}

/// Announces an account with a comment that no other has.
fn announce<H: Host + ?Sized>(host: &mut H, journal: &mut Journal, name: &str) -> Result<String, RunError> {
    if if_there(host.account(name)).map_err(RunError::host("looking for an account"))?.is_some() {
        return Err(RunError::NotOurs { what: name.to_owned() });
    }
    let comment = format!("made by bailiwick {}", draw(host)?);
    journal.will(host, Change::Account { name: name.to_owned(), comment: comment.clone() })?;
    Ok(comment)
}

/// Keeps the accounts off the logon screen.
fn hide<H: Host + ?Sized>(host: &mut H, journal: &mut Journal, names: &[String]) -> Result<(), RunError> {
    let failed = RunError::host("hiding an account from the logon screen");
    let key = |path: &str| Key { hive: Hive::Machine, path: path.to_owned() };
    for path in HIDDEN {
        if host.has_key(&key(path)).map_err(&failed)? {
            continue;
        }
        journal.will(host, Change::RegistryKey { key: key(path) })?;
        host.create_key(&key(path)).map_err(&failed)?;
    }
    for name in names {
        journal.will(host, Change::RegistryValue { key: key(HIDDEN[1]), name: name.clone() })?;
        host.set_value(&key(HIDDEN[1]), name, &Value::Number(0)).map_err(&failed)?;
    }
    Ok(())
}

/// The key of a filter: the same on every machine for the same account, layer and endpoint.
fn filter_key(filter: &Filter) -> u128 {
    let text = format!("{:?} {} {:?} {:?}", filter.layer, filter.account, filter.only, filter.action);
    let hash = Hash::hash(format!("bailiwick filter {text}").as_bytes());
    hash.iter().take(16).fold(0, |key, byte| (key << 8) | u128::from(*byte))
}

/// The filters of plans with their keys.
pub fn filters(plans: &[Plan]) -> Vec<Installed> {
    let mut installed: Vec<Installed> = Vec::new();
    for filter in plans.iter().flat_map(|plan| &plan.network.filters) {
        let key = filter_key(filter);
        if installed.iter().all(|known| known.key != key) {
            installed.push(Installed { key, filter: filter.clone() });
        }
    }
    installed
}

/// Raises the walls of the accounts: their filters, and the refusals at places that any account could use. `plans` holds one plan of
/// the `account` tier for each account.
///
/// # Errors
///
/// [`RunError::WrongTier`], [`RunError::Host`]; and an assertion, if the filters are not there afterwards.
pub fn raise_walls<H: Host + ?Sized>(host: &mut H, journal: &mut Journal, plans: &[Plan]) -> Result<Walked, RunError> {
    if plans.iter().any(|plan| !matches!(plan.identity, Identity::Account { .. })) {
        return Err(RunError::WrongTier);
    }
    let failed = RunError::host("setting network filters");
    journal.begin(host, "walls")?;
    let wanted = filters(plans);
    journal.will(host, Change::Filters { keys: wanted.iter().map(|filter| filter.key).collect() })?;
    let present = host.filters().map_err(&failed)?;
    let missing: Vec<Installed> = wanted.iter().filter(|filter| !present.contains(filter)).cloned().collect();
    host.add_filters(&missing).map_err(&failed)?;
    let present = host.filters().map_err(&failed)?;
    if let Some(missing) = wanted.iter().find(|filter| !present.contains(filter)) {
        let found = format!("the filter {:?} is not there after it was set", missing.filter);
        return Err(RunError::Assertion { what: "filters", found });
    }
    let mut walked = Walked::default();
    for plan in plans {
        let ours = group_of(plan);
        for stamp in plan.stamps.iter().filter(|stamp| stamp.lifetime == Lifetime::Setup) {
            let more = stamp::write(host, journal, stamp, &ours, LinkedFiles::Leave)?;
            walked.written += more.written;
            walked.left.extend(more.left);
        }
    }
    journal.end(host)?;
    Ok(walked)
}

fn group_of(plan: &Plan) -> Vec<Sid> {
    match plan.identity {
        Identity::Account { group, .. } => vec![group],
        Identity::Caller { .. } | Identity::Container { .. } => Vec::new(),
    }
}
