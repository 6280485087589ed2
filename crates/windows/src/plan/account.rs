//! The plan of the `account` tier: a local account of bailiwick's, one for each workspace at a time.
//!
//! The account is in no list of the user's files, so nothing there has to be refused; what any account may use is refused to the
//! group of all of bailiwick's accounts, once, at setup. A drive's root usually lets Users read and Authenticated Users
//! write everything below that does not say otherwise; the refusal there reaches everything below and nothing that says
//! otherwise, because the access lists of Windows, Program Files, ProgramData and Users are protected, and because entries
//! of an object's own come before inherited ones.

use bailiwick_policy::boundary::Present;
use bailiwick_policy::decide::Grant;
use bailiwick_winsec::token::{Group, Token};
use bailiwick_winsec::{AccessMask, Sid};

use super::ambient::{self, Closed};
use super::build::{self, Guarding, Place, reads};
use super::network;
use super::rights::{self, Reach, allow, deny};
use super::surroundings;
use super::{Assertion, Identity, Leak, Level, Lifetime, Plan, PlanError, Purpose, Stamp, TokenPlan, TokenSource};
use crate::facts::{Account, Facts};
use crate::path::WindowsPath;
use crate::target::{Target, account_for};

pub(super) fn plan(target: &Target, facts: &Facts) -> Result<Plan, PlanError> {
    let setup = facts.setup.as_ref().ok_or(PlanError::NotSetUp)?;
    let account =
        account_for(facts, &target.workspace).ok_or(PlanError::NoAccountFree { accounts: setup.accounts.len() })?;
    if !facts.network.filtering_engine {
        return Err(PlanError::NoFiltering);
    }
    let places = build::places(target, facts)?;
    let Guarding { pins, watched, held } = build::guarding(target, facts)?;
    let plain = plain_token(account, setup.group);
    let Closed { stamps: ambient, open } = ambient::close(target, facts, setup.group, &plain)?;
    let mut stamps = ambient.clone();
    let mut granted = Vec::new();
    for place in &places {
        let Some(stamp) = entries(facts, place, account, &plain, &ambient) else { continue };
        if matches!(stamp.purpose, Purpose::Write | Purpose::Read) {
            granted.push(place.path.clone());
        }
        stamps.push(stamp);
    }
    for path in &held {
        let entries = vec![deny(account.sid, AccessMask::DELETE, Reach::Object)];
        stamps.push(build::stamp(facts, path, Purpose::Hold, Lifetime::Workspace, entries));
    }
    let refused = |path: &WindowsPath| ambient::is_refused(facts, &ambient, path, rights::ANCESTOR);
    stamps.extend(build::ancestors(target, facts, &granted, account.sid, &plain, refused));
    let taking = build::taking_away(facts, &watched, account.sid);
    stamps.extend(taking.stamps);
    surroundings::sort(&mut stamps);
    let assertions = vec![
        Assertion::Account,
        Assertion::LogonsDenyOnly,
        Assertion::Privileges,
        Assertion::Integrity,
        Assertion::Job,
        Assertion::Stamps,
        Assertion::FiltersBite,
    ];
    let mut leaks = vec![
        Leak::NamesThroughService,
        Leak::Pipes,
        Leak::PipesListed,
        Leak::ProcessesListed,
        Leak::OpenKeys,
        Leak::StartedOutside,
    ];
    if !open.is_empty() {
        leaks.push(Leak::OpenToAccounts { places: open });
    }
    leaks.extend(build::unguarded_drives(facts));
    leaks.extend(taking.leak);
    Ok(Plan {
        tier: target.tier,
        workspace: target.workspace.clone(),
        identity: Identity::Account { name: account.name.clone(), sid: account.sid, group: setup.group },
        token: token(facts, account),
        stamps,
        pins,
        watched,
        home: target.home.clone(),
        temp: target.temp.clone(),
        environment: surroundings::environment(target, Some(account.gate_port)),
        job: surroundings::job(&target.boundary.limits),
        desktop: surroundings::desktop(target, facts, account.sid),
        network: network::account(account, target.boundary.network.allow.is_empty()),
        assertions,
        leaks,
        unmet: Vec::new(),
    })
}

/// The token of an account that Windows' defaults know nothing of but its groups.
fn plain_token(account: &Account, group: Sid) -> Token {
    let mut token = Token::plain(account.sid, &super::token::LOCAL_ACCOUNT_GROUPS);
    token.groups.push(Group::enabled(group));
    token
}

/// The entries at one place.
fn entries(facts: &Facts, place: &Place, account: &Account, plain: &Token, ambient: &[Stamp]) -> Option<Stamp> {
    let sid = account.sid;
    let stamp = |purpose, entries| Some(build::stamp(facts, &place.path, purpose, Lifetime::Workspace, entries));
    match (place.grant, place.around) {
        // Its own profile belongs to the account already.
        (Grant::Write, _) if place.path == account.profile => None,
        _ if place.present == Present::Absent => None,
        (Grant::Write, _) => stamp(Purpose::Write, rights::writable(sid, place.reach())),
        (Grant::Read, Grant::Write) => stamp(Purpose::Protect, vec![deny(sid, rights::CHANGE, place.reach())]),
        (Grant::Read, _) => {
            let is_open = build::is_granted(facts, plain, &place.path, rights::READ);
            if is_open && !ambient::is_refused(facts, ambient, &place.path, rights::READ) {
                return None;
            }
            stamp(Purpose::Read, vec![allow(sid, rights::READ, place.reach())])
        }
        (_, around) if reads(around) => stamp(Purpose::Deny, vec![deny(sid, rights::ALL, place.reach())]),
        _ => None,
    }
}

fn token(facts: &Facts, account: &Account) -> TokenPlan {
    TokenPlan {
        source: TokenSource::AccountLogon,
        deny_only: vec![facts.user.logon],
        logons_deny_only: true,
        // A restricting list breaks Schannel, MSYS and Store programs, and another principal needs none.
        restricting: None,
        write_restricted: false,
        privileges: surroundings::privileges(),
        integrity: Level::Medium,
        capabilities: Vec::new(),
        default_dacl: [Sid::SYSTEM, account.sid].map(|sid| allow(sid, AccessMask::GENERIC_ALL, Reach::Object)).to_vec(),
    }
}
