//! How many access checks a second one core does: `cargo bench -p bailiwick-winsec`.
//!
//! The token and the descriptors are those of an ordinary machine: an interactive user with 14 groups, restricted for writing with three
//! SIDs, and the entries of a profile directory, a project with its stamp, and a system directory.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bailiwick_winsec::token::Restriction;
use bailiwick_winsec::{AccessMask, Ace, Acl, Request, SecurityDescriptor, Sid, Token, check};

const DOMAIN: [u32; 3] = [11, 22, 33];
const USER: Sid = Sid::account(DOMAIN, 1001);
const CAPABILITY: Sid = Sid::capability([1, 2, 3, 4, 5, 6, 7, 8]);
const LOGON: Sid = Sid::logon(0, 123_456);

fn user() -> Token {
    let groups = [
        Sid::account(DOMAIN, 513),
        Sid::EVERYONE,
        Sid::LOCAL_ACCOUNT_ADMINISTRATOR,
        Sid::ADMINISTRATORS,
        Sid::PERFORMANCE_LOG_USERS,
        Sid::USERS,
        Sid::INTERACTIVE,
        Sid::CONSOLE_LOGON,
        Sid::AUTHENTICATED_USERS,
        Sid::THIS_ORGANIZATION,
        Sid::LOCAL_ACCOUNT,
        LOGON,
        Sid::LOCAL,
        Sid::account(DOMAIN, 1005),
    ];
    Token::plain(USER, &groups)
}

fn descriptors() -> Vec<SecurityDescriptor> {
    let all = AccessMask::FILE_ALL_ACCESS;
    let modify = AccessMask(0x1301BF);
    let read = AccessMask::FILE_GENERIC_READ | AccessMask::FILE_GENERIC_EXECUTE;
    let profile = vec![Ace::allow(Sid::SYSTEM, all), Ace::allow(Sid::ADMINISTRATORS, all), Ace::allow(USER, all)];
    let mut project = vec![Ace::deny(Sid::account(DOMAIN, 1009), modify), Ace::allow(CAPABILITY, modify)];
    project.extend(profile.clone());
    let system = vec![
        Ace::allow(Sid::TRUSTED_INSTALLER, all),
        Ace::allow(Sid::SYSTEM, modify),
        Ace::allow(Sid::ADMINISTRATORS, modify),
        Ace::allow(Sid::USERS, read),
        Ace::allow(Sid::ALL_APPLICATION_PACKAGES, read),
        Ace::allow(Sid::ALL_RESTRICTED_APPLICATION_PACKAGES, read),
    ];
    let owned = |owner, aces| SecurityDescriptor::new(owner, Sid::SYSTEM, Acl::new(aces));
    vec![owned(USER, profile), owned(USER, project), owned(Sid::TRUSTED_INSTALLER, system)]
}

fn main() {
    let plain = user();
    let how =
        Restriction { restricting: &[CAPABILITY, LOGON, Sid::EVERYONE], write_restricted: true, ..Restriction::NONE };
    let bound = plain.restricted(&how).unwrap();
    let package = plain.in_container(Sid::package([1, 2, 3, 4, 5, 6, 7]), &[CAPABILITY], false);
    for (name, token) in [("plain", plain), ("write-restricted", bound), ("AppContainer", package)] {
        println!("{name:17} {:6.2} million checks a second", rate(&token) / 1e6);
    }
}

/// Checks a second, the best of five runs of a fifth of a second each.
fn rate(token: &Token) -> f64 {
    let descriptors = descriptors();
    let requests = [
        Request::file(AccessMask::GENERIC_READ),
        Request::file(AccessMask::GENERIC_WRITE),
        Request::file(AccessMask::DELETE),
        Request::file(AccessMask::FILE_DELETE_CHILD),
        Request::file(AccessMask::MAXIMUM_ALLOWED),
    ];
    let mut best = 0.0f64;
    for _ in 0..5 {
        let start = Instant::now();
        let mut checks = 0u32;
        while start.elapsed() < Duration::from_millis(200) {
            for _ in 0..100 {
                for descriptor in &descriptors {
                    for request in requests {
                        black_box(check(black_box(token), black_box(descriptor), black_box(request)));
                        checks += 1;
                    }
                }
            }
        }
        best = best.max(f64::from(checks) / start.elapsed().as_secs_f64());
    }
    best
}
