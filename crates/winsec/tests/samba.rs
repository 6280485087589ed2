//! The access check against another implementation of the DACL walk: Samba's `se_access_check`, from Debian's `python3-samba`.
//!
//! Samba knows neither deny-only groups nor restricting SIDs. So each case is put to it once for each pass, with a descriptor in which
//! what it does not know is written out, and the answers are put together here by the rules in Microsoft's documents:
//!
//! - a deny-only SID is in Samba's token, and the entries that allow it something are left out;
//! - where owning gives nothing, the owner is replaced by nobody, and OWNER RIGHTS entries by entries for the owner;
//! - generic rights are mapped, an absent DACL is a NULL one, because Samba takes the former for an empty one;
//! - labels and packages are left out, and without a DACL also `MAXIMUM_ALLOWED` and `ACCESS_SYSTEM_SECURITY`; `tests/check.rs` has
//!   them.

// clippy.toml allows this in tests, but clippy knows only functions marked as such, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bailiwick_winsec::explain::explain;
use bailiwick_winsec::token::{GroupUse, Privilege};
use bailiwick_winsec::{
    AccessMask, Ace, AceKind, AclField, ObjectType, Request, SecurityDescriptor, Sid, Token, check,
};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use support::{shapes, skip};

/// Cases in one run.
const CASES: usize = 120_000;

/// Debian's own Python, which is the one that has Debian's modules.
const PYTHON: &str = "/usr/bin/python3";

/// What Samba is asked: one pass.
#[derive(serde::Serialize)]
struct Question {
    sd: String,
    sids: Vec<String>,
    privileges: Vec<u8>,
    desired: u32,
}

/// One random case, and where its questions stand among all.
struct Case {
    token: Token,
    descriptor: SecurityDescriptor,
    request: Request,
    token_pass: usize,
    second_pass: Second,
}

enum Second {
    None,
    /// Both must grant.
    Whole(usize),
    /// `MAXIMUM_ALLOWED` of a write-restricted token: it has a say in write-type rights only.
    Writes(usize),
}

#[test]
fn samba_agrees() {
    if let Err(why) = has_samba() {
        skip::record("samba_agrees", &why);
        return;
    }
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let strategy = (shapes::ordinary(), shapes::discretionary(), shapes::request());
    let mut questions = Vec::new();
    let mut cases = Vec::new();
    while cases.len() < CASES {
        let (token, descriptor, request) = strategy.new_tree(&mut runner).unwrap().current();
        let nothing = request.desired.is_empty();
        // Where there is no DACL, Samba 4.17 finds nothing to be had, and grants the SACL without the privilege. In MS-DTYP 2.5.3.2
        // everything can be had, and the privilege is asked for before the DACL is looked at.
        let samba_differs = descriptor.dacl.acl().is_none()
            && request.desired.intersects(AccessMask::MAXIMUM_ALLOWED | AccessMask::ACCESS_SYSTEM_SECURITY);
        if !nothing && !samba_differs {
            cases.push(ask(&mut questions, token, descriptor, request));
        }
    }
    let answers = put(&questions);
    assert_eq!(answers.len(), questions.len(), "Samba answered another number of questions than it was asked");
    let differences: Vec<String> = cases.iter().filter_map(|case| difference(case, &answers)).collect();
    let shown = differences.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    assert!(differences.is_empty(), "{} of {CASES} cases differ from Samba:\n{shown}", differences.len());
    let granted = cases.iter().filter(|case| check(&case.token, &case.descriptor, case.request).is_granted()).count();
    let twice = questions.len() - cases.len();
    eprintln!("{CASES} cases, {granted} granted, {twice} with a second pass, no difference");
    // A generator that grants nothing, or everything, would prove nothing.
    assert!(granted > CASES / 10 && granted < CASES - CASES / 10, "{granted} of {CASES} granted");
    assert!(twice > CASES / 10, "{twice} second passes in {CASES} cases");
}

fn has_samba() -> Result<(), String> {
    if !Path::new(PYTHON).exists() {
        return Err(format!("no {PYTHON}, the Python that Debian's python3-samba belongs to"));
    }
    let found = Command::new(PYTHON).args(["-c", "from samba import security; security.access_check"]).output();
    match found {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err("Samba's access check is not there: install the package python3-samba".to_owned()),
    }
}

/// Asks all questions of one Python process.
fn put(questions: &[Question]) -> Vec<i64> {
    let mut lines = String::new();
    for question in questions {
        lines.push_str(&serde_json::to_string(question).unwrap());
        lines.push('\n');
    }
    let mut python = Command::new(PYTHON)
        .args(["-c", include_str!("samba_oracle.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the oracle failed: {}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

/// Writes the questions of one case down.
fn ask(questions: &mut Vec<Question>, token: Token, descriptor: SecurityDescriptor, request: Request) -> Case {
    let mapping = request.object.mapping();
    let desired = mapping.map(request.desired);
    let allowing: Vec<Sid> = std::iter::once(token.user)
        .filter(|_| !token.user_deny_only)
        .chain(token.groups.iter().filter(|group| group.used == GroupUse::Enabled).map(|group| group.sid))
        .collect();
    let denying: Vec<Sid> = std::iter::once(token.user)
        .filter(|_| token.user_deny_only)
        .chain(token.groups.iter().filter(|group| group.used == GroupUse::DenyOnly).map(|group| group.sid))
        .collect();
    let restricting = token.restricting.as_ref().map(|list| list.sids.clone());
    let owns = descriptor.owner.is_some_and(|owner| {
        allowing.contains(&owner) && restricting.as_ref().is_none_or(|sids| sids.contains(&owner))
    });
    let privileges: Vec<u8> = [Privilege::Security, Privilege::TakeOwnership]
        .into_iter()
        .filter(|privilege| token.has(*privilege))
        .map(|privilege| privilege as u8)
        .collect();
    let mut question = |allowing: &[Sid], denying: &[Sid], desired: AccessMask| {
        let sd = without_the_unknown(&descriptor, request.object, owns, denying).to_bytes().unwrap();
        questions.push(Question {
            sd: sd.iter().map(|byte| format!("{byte:02x}")).collect(),
            sids: allowing.iter().chain(denying).map(Sid::to_string).collect(),
            privileges: privileges.clone(),
            desired: desired.bits(),
        });
        questions.len() - 1
    };
    let token_pass = question(&allowing, &denying, desired);
    let second_pass = match (&token.restricting, restricting) {
        (Some(list), Some(sids)) => {
            let writes = open_after_privileges_and_owner(&token, &descriptor, desired, owns)
                .intersects(mapping.write_type_bits());
            match (list.writes_only && !writes, desired.contains(AccessMask::MAXIMUM_ALLOWED)) {
                (false, _) => Second::Whole(question(&sids, &[], desired)),
                (true, true) => Second::Writes(question(&sids, &[], AccessMask::MAXIMUM_ALLOWED)),
                (true, false) => Second::None,
            }
        }
        _ => Second::None,
    };
    Case { token, descriptor, request, token_pass, second_pass }
}

/// What of the request the DACL has to grant.
fn open_after_privileges_and_owner(
    token: &Token,
    descriptor: &SecurityDescriptor,
    desired: AccessMask,
    owns: bool,
) -> AccessMask {
    let mut open = desired.without(AccessMask::MAXIMUM_ALLOWED | AccessMask::ACCESS_SYSTEM_SECURITY);
    if token.has(Privilege::TakeOwnership) {
        open = open.without(AccessMask::WRITE_OWNER);
    }
    let aces = descriptor.dacl.acl().map_or(&[][..], |acl| &acl.aces);
    let replaced =
        aces.iter().any(|ace| !ace.is_inherit_only() && ace.as_known().is_some_and(|ace| ace.sid == Sid::OWNER_RIGHTS));
    if owns && !replaced {
        open = open.without(AccessMask::READ_CONTROL | AccessMask::WRITE_DAC);
    }
    open
}

/// The descriptor as one pass sees it, in terms that Samba knows.
fn without_the_unknown(
    descriptor: &SecurityDescriptor,
    object: ObjectType,
    owns: bool,
    denying: &[Sid],
) -> SecurityDescriptor {
    let mut written = descriptor.clone();
    if !owns {
        written.owner = Some(Sid::NOBODY);
    }
    let Some(acl) = written.dacl.acl_mut() else {
        written.dacl = AclField::Null;
        return written;
    };
    for ace in &mut acl.aces {
        let Ace::Known(ace) = ace else { panic!("only entries that both know") };
        ace.mask = object.mapping().map(ace.mask);
        if !owns && ace.sid == Sid::OWNER_RIGHTS {
            ace.sid = descriptor.owner.unwrap_or(Sid::NOBODY);
        }
    }
    acl.aces
        .retain(|ace| ace.as_known().is_some_and(|ace| !(ace.kind == AceKind::Allow && denying.contains(&ace.sid))));
    written
}

/// What Samba's answers come to, if it is not what the check says.
fn difference(case: &Case, answers: &[i64]) -> Option<String> {
    let granted = |index: usize| u32::try_from(answers[index]).ok().map(AccessMask);
    let desired = case.request.object.mapping().map(case.request.desired);
    let named = desired.without(AccessMask::MAXIMUM_ALLOWED);
    let both = match case.second_pass {
        Second::None => granted(case.token_pass),
        Second::Whole(second) => granted(case.token_pass).and_then(|first| Some(first & granted(second)?)),
        Second::Writes(second) => granted(case.token_pass).map(|first| {
            let reads = !case.request.object.mapping().write_type_bits();
            // What a privilege gave is named, and no later pass takes it.
            first & (granted(second).unwrap_or(AccessMask::NONE) | reads | named)
        }),
    };
    let samba = both.filter(|rights| !rights.is_empty() && rights.contains(named)).unwrap_or(AccessMask::NONE);
    let verdict = check(&case.token, &case.descriptor, case.request);
    (verdict.granted() != samba).then(|| {
        let Case { token, descriptor, request, .. } = case;
        format!(
            "Samba: {samba}, bailiwick: {}\n{token:?}\n{descriptor:?}\n{request:?}",
            explain(token, descriptor, *request)
        )
    })
}
