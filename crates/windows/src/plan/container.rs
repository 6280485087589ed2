//! The plan of the `container` tier: an AppContainer of the user's for each workspace, without network capability.
//!
//! The second check of an AppContainer knows only entries that allow: for its package, for ALL APPLICATION PACKAGES and for its
//! capabilities. Nothing can be refused by an entry, so where less is granted than around, inheritance is broken and the entry
//! is left out. A readable place outside the workspace has a capability of its own, so that it is stamped once however many
//! workspaces read it.

use bailiwick_policy::boundary::Present;
use bailiwick_policy::decide::Grant;
use bailiwick_winsec::AccessMask;
use bailiwick_winsec::Sid;
use hmac_sha256::Hash;

use super::build::{self, Guarding, Place, reads};
use super::network;
use super::rights::{self, Reach, allow};
use super::surroundings;
use super::{
    Assertion, Capability, Identity, Inheritance, Leak, Level, Lifetime, Plan, PlanError, Purpose, Stamp, TokenPlan,
    TokenSource, Unmet, UnmetReason,
};
use crate::facts::Facts;
use crate::path::WindowsPath;
use crate::target::{Target, workspace_name};

pub(super) fn plan(target: &Target, facts: &Facts) -> Result<Plan, PlanError> {
    if !facts.features.app_container {
        return Err(PlanError::NoContainers);
    }
    let name = format!("bailiwick.{}", workspace_name(facts, &target.workspace));
    let package = package_sid(&name);
    let places = build::places(target, facts)?;
    let Guarding { pins, watched, .. } = build::guarding(target, facts)?;
    let plain = build::user_token(facts).in_container(package, &[], false);
    let (mut stamps, mut capabilities, mut granted, mut unmet) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for place in &places {
        if place.present == Present::Absent {
            continue;
        }
        if place.grant == Grant::Read && place.around != Grant::Write {
            if build::is_granted(facts, &plain, &place.path, rights::READ) && !build::inherits(facts, &place.path) {
                continue;
            }
            if !facts.drive_of(&place.path).is_some_and(|drive| drive.keeps_access_lists()) {
                unmet.push(Unmet { path: place.path.clone(), why: UnmetReason::NoAccessLists });
                continue;
            }
            let capability = capability(facts, &place.path);
            let entries = vec![allow(capability.sid, rights::READ, place.reach())];
            stamps.push(build::stamp(facts, &place.path, Purpose::Read, Lifetime::Place, entries));
            capabilities.push(capability);
            granted.push(place.path.clone());
        } else if let Some(stamp) = entries(facts, place, package) {
            if stamp.purpose == Purpose::Write {
                granted.push(place.path.clone());
            }
            stamps.push(stamp);
        }
    }
    stamps.extend(build::ancestors(target, facts, &granted, package, &plain, |_| false));
    let mut stamps = build::without_administrator(target, stamps, &mut unmet)?;
    capabilities.retain(|capability: &Capability| stamps.iter().any(|stamp| stamp.path == capability.place));
    let taking = build::taking_away(facts, &watched, package);
    stamps.extend(taking.stamps);
    surroundings::sort(&mut stamps);
    let mut leaks = vec![Leak::PipesListed, Leak::ProcessesListed];
    let packages = [Sid::ALL_APPLICATION_PACKAGES, Sid::ALL_RESTRICTED_APPLICATION_PACKAGES];
    let open = build::open_places(target, facts).into_iter().filter(|place| packages.contains(&place.through));
    let places: Vec<WindowsPath> = open.map(|place| place.path.clone()).collect();
    if !places.is_empty() {
        leaks.push(Leak::OpenToPackages { places });
    }
    leaks.extend(build::unguarded_drives(facts));
    leaks.extend(taking.leak);
    Ok(Plan {
        tier: target.tier,
        workspace: target.workspace.clone(),
        identity: Identity::Container { name, package },
        token: token(facts, package, capabilities),
        stamps,
        pins,
        watched,
        home: target.home.clone(),
        temp: target.temp.clone(),
        environment: surroundings::environment(target, None),
        job: surroundings::job(&target.boundary.limits),
        desktop: surroundings::desktop(target, facts, package),
        network: network::container(
            &workspace_name(facts, &target.workspace),
            target.boundary.network.allow.is_empty(),
        ),
        assertions: vec![
            Assertion::Package,
            Assertion::Privileges,
            Assertion::Integrity,
            Assertion::Job,
            Assertion::Stamps,
            Assertion::NamesNotAnswered,
        ],
        leaks,
        unmet,
    })
}

/// The entries at one place in or around a writable root.
fn entries(facts: &Facts, place: &Place, package: Sid) -> Option<Stamp> {
    let stamp = |purpose, inheritance, entries| {
        let stamp = build::stamp(facts, &place.path, purpose, Lifetime::Workspace, entries);
        Some(Stamp { inheritance, ..stamp })
    };
    let read = vec![allow(package, rights::READ, place.reach())];
    match (place.grant, place.around) {
        (Grant::Write, _) => stamp(Purpose::Write, Inheritance::Keep, rights::writable(package, place.reach())),
        (Grant::Read, _) => stamp(Purpose::Protect, Inheritance::BreakWithoutOurs, read),
        (_, around) if reads(around) => stamp(Purpose::Deny, Inheritance::BreakWithoutOurs, Vec::new()),
        _ => None,
    }
}

/// SHA-256 over a name in UTF-16, as words of a SID.
///
/// The derivation is that of `DeriveAppContainerSidFromAppContainerName` (lower case, seven words) and
/// `DeriveCapabilitySidsFromName` (upper case, eight words) as others have observed it; it is not documented, so a launch
/// asks Windows and refuses on a difference.
fn words(name: &str) -> [u32; 8] {
    let bytes: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hash = Hash::hash(&bytes);
    let mut words = [0; 8];
    for (word, four) in words.iter_mut().zip(hash.chunks_exact(4)) {
        *word = four.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte));
    }
    words
}

fn package_sid(name: &str) -> Sid {
    let [a, b, c, d, e, f, g, _] = words(&name.to_lowercase());
    Sid::package([a, b, c, d, e, f, g])
}

/// The capability that stands for reading a place.
fn capability(facts: &Facts, place: &WindowsPath) -> Capability {
    let name = format!("bailiwickRead.{}", workspace_name(facts, place));
    let sid = crate::target::capability_sid(words(&name.to_uppercase()));
    Capability { name, sid, place: place.clone() }
}

fn token(facts: &Facts, package: Sid, capabilities: Vec<Capability>) -> TokenPlan {
    TokenPlan {
        source: TokenSource::LowBox,
        deny_only: surroundings::administrative(&facts.user.groups),
        logons_deny_only: false,
        restricting: None,
        write_restricted: false,
        privileges: surroundings::privileges(),
        integrity: Level::Low,
        capabilities,
        default_dacl: [Sid::SYSTEM, facts.user.sid, package]
            .map(|sid| allow(sid, AccessMask::GENERIC_ALL, Reach::Object))
            .to_vec(),
    }
}
