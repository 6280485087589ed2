//! The plan of the `guard` tier: the same user, a write-restricted token, one SID for each workspace.
//!
//! The second pass of the access check, over the restricting list, runs only for write-type rights. So the plan's entries say
//! what may be written and nothing about reading; and a deny entry for the workspace's SID refuses writing only.

use bailiwick_policy::decide::Grant;
use bailiwick_winsec::Sid;

use super::build::{self, Guarding, Place};
use super::rights::{self, Reach, allow, deny};
use super::surroundings;
use super::{
    Assertion, Gate, Identity, Leak, Level, Lifetime, NetworkPlan, Plan, PlanError, Purpose, Stamp, TokenPlan,
    TokenSource, Unmet, UnmetReason,
};
use crate::facts::{Facts, OpenAccess};
use crate::target::{Target, workspace_sid};

pub(super) fn plan(target: &Target, facts: &Facts) -> Result<Plan, PlanError> {
    let workspace = workspace_sid(facts, &target.workspace);
    let places = build::places(target, facts)?;
    let Guarding { pins, watched, .. } = build::guarding(target, facts)?;
    let stamps = places.iter().filter_map(|place| entries(facts, place, workspace)).collect();
    let mut unmet = Vec::new();
    // Reading needs no entry in this tier, so such files are left as they are: they can be read and not changed.
    if !build::linked_outside(target, facts).is_empty() {
        unmet.push(Unmet { path: target.workspace.clone(), why: UnmetReason::HardLinks });
    }
    let stamps = build::without_administrator(target, stamps, &mut unmet)?;
    Ok(Plan {
        tier: target.tier,
        workspace: target.workspace.clone(),
        identity: Identity::Caller { workspace },
        token: token(facts, workspace),
        stamps,
        pins,
        watched,
        home: target.home.clone(),
        temp: target.temp.clone(),
        environment: surroundings::environment(target, None),
        job: surroundings::job(&target.boundary.limits),
        desktop: surroundings::desktop(target, facts, facts.user.logon),
        network: NetworkPlan { filters: Vec::new(), gate: Gate::None },
        assertions: vec![
            Assertion::RestrictingList,
            Assertion::Privileges,
            Assertion::Integrity,
            Assertion::Job,
            Assertion::Stamps,
        ],
        leaks: leaks(target, facts),
        unmet,
    })
}

/// The entries at one place, if writing changes there.
fn entries(facts: &Facts, place: &Place, sid: Sid) -> Option<Stamp> {
    let stamp = |purpose, entries| Some(build::stamp(facts, &place.path, purpose, Lifetime::Workspace, entries));
    match (place.grant, place.around) {
        _ if place.present == bailiwick_policy::boundary::Present::Absent => None,
        (Grant::Write, _) => stamp(Purpose::Write, rights::writable(sid, place.reach())),
        (Grant::Read, Grant::Write) => stamp(Purpose::Protect, vec![deny(sid, rights::CHANGE, place.reach())]),
        (_, Grant::Write) => stamp(Purpose::Deny, vec![deny(sid, rights::CHANGE, place.reach())]),
        _ => None,
    }
}

fn token(facts: &Facts, workspace: Sid) -> TokenPlan {
    let logon = facts.user.logon;
    // Everyone: without it `NUL` cannot be written and the common language runtime does not start. WRITE RESTRICTED: what
    // Windows itself grants to such tokens. Never the user, Users, Authenticated Users or INTERACTIVE.
    let restricting = vec![workspace, logon, Sid::EVERYONE, Sid::WRITE_RESTRICTED];
    TokenPlan {
        source: TokenSource::CallerWriteRestricted,
        deny_only: surroundings::administrative(&facts.user.groups),
        logons_deny_only: false,
        restricting: Some(restricting),
        write_restricted: true,
        privileges: surroundings::privileges(),
        integrity: Level::Medium,
        capabilities: Vec::new(),
        // Without an entry for a SID of the restricting list the inside could not write to its own pipes.
        default_dacl: [Sid::SYSTEM, facts.user.sid, logon]
            .map(|sid| allow(sid, bailiwick_winsec::AccessMask::GENERIC_ALL, Reach::Object))
            .to_vec(),
    }
}

fn leaks(target: &Target, facts: &Facts) -> Vec<Leak> {
    let open = build::open_places(target, facts).into_iter();
    let places = open.filter(|place| place.access == OpenAccess::Write && place.through == Sid::EVERYONE);
    let mut leaks = vec![
        Leak::UserFilesReadable,
        Leak::DeletedThroughParent,
        Leak::EveryoneWritable { places: places.map(|place| place.path.clone()).collect() },
        Leak::UserProcesses,
        Leak::ProcessesListed,
        Leak::UserDesktop,
        Leak::OpenKeys,
        Leak::Brokers,
        Leak::Pipes,
        Leak::PipesListed,
        Leak::Network,
    ];
    leaks.extend(build::unguarded_drives(facts));
    leaks
}
