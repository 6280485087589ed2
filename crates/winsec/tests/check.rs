//! The access check against a second implementation, and its explanation against the check.

// clippy.toml allows this in tests, but clippy knows only functions marked as such, not what they call.
#![allow(clippy::unwrap_used)]

mod support;

use bailiwick_winsec::ace::OpaqueAce;
use bailiwick_winsec::explain::{Decision, explain};
use bailiwick_winsec::{AccessMask, Ace, AceKind, Request, Token, Verdict, check};
use proptest::prelude::*;
use support::reference::{self, Answer};
use support::shapes;

fn answer(verdict: Verdict) -> Answer {
    match verdict {
        Verdict::Granted(rights) => Answer::Granted(rights),
        Verdict::Denied => Answer::Denied,
        Verdict::Unknown(_) => Answer::Unknown,
    }
}

/// So many cases. What fails is printed in full, so nothing is written into the source tree.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn the_check_and_the_reference_agree(
        token in shapes::token(),
        descriptor in shapes::descriptor(),
        request in shapes::request(),
    ) {
        let verdict = check(&token, &descriptor, request);
        let expected = reference::check(&token, &descriptor, request);
        prop_assert_eq!(answer(verdict), expected, "{}", explain(&token, &descriptor, request));
    }

}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn an_explanation_has_the_verdict_of_the_check_and_a_decision_that_fits(
        token in shapes::token(),
        descriptor in shapes::descriptor(),
        request in shapes::request(),
    ) {
        let explanation = explain(&token, &descriptor, request);
        prop_assert_eq!(explanation.verdict, check(&token, &descriptor, request));
        match explanation.verdict {
            Verdict::Granted(_) => prop_assert_eq!(explanation.decision, Decision::Granted),
            Verdict::Unknown(why) => prop_assert_eq!(explanation.decision, Decision::Unknown(why)),
            Verdict::Denied => prop_assert!(!matches!(explanation.decision, Decision::Granted | Decision::Unknown(_))),
        }
    }

    /// Once the entry that refused no longer speaks of those rights, something else decides: the explanation named the right one.
    #[test]
    fn the_entry_that_refused_is_the_one_that_matters(
        token in shapes::ordinary(),
        descriptor in shapes::discretionary(),
        rights in shapes::rights(),
    ) {
        let request = Request::file(rights);
        let before = explain(&token, &descriptor, request);
        if let Decision::Refused { pass, index, rights, .. } = before.decision {
            let mut without = descriptor.clone();
            let ace = &mut without.dacl.acl_mut().unwrap().aces[index];
            let Ace::Known(known) = ace else { panic!("an opaque entry decided: {before}") };
            known.mask = request.object.mapping().map(known.mask).without(rights);
            let after = explain(&token, &without, request);
            let same = matches!(after.decision, Decision::Refused { pass: p, index: i, .. } if p == pass && i == index);
            prop_assert!(!same, "{before}\n{after}");
        }
    }

    #[test]
    fn restricting_never_adds(
        token in shapes::ordinary(),
        descriptor in shapes::descriptor(),
        request in shapes::request(),
    ) {
        let free = Token { restricting: None, ..token.clone() };
        let bound = check(&token, &descriptor, request).granted();
        match check(&free, &descriptor, request) {
            Verdict::Granted(free) => prop_assert!(free.contains(bound), "{bound} of {free}"),
            Verdict::Denied => prop_assert_eq!(bound, AccessMask::NONE),
            // Of everything that can be had, restricting may leave only what is known.
            Verdict::Unknown(_) => {}
        }
    }

    #[test]
    fn a_part_of_a_granted_request_is_granted(
        token in shapes::token(),
        descriptor in shapes::descriptor(),
        rights in shapes::rights(),
        bit in 0u32..21,
    ) {
        let request = |rights| Request::file(rights);
        let part = AccessMask(1 << bit);
        if check(&token, &descriptor, request(rights)).granted().contains(part) {
            prop_assert!(check(&token, &descriptor, request(part)).is_granted());
        }
    }

    #[test]
    fn what_maximum_allowed_gives_can_be_had_right_by_right(
        token in shapes::token(),
        descriptor in shapes::descriptor(),
    ) {
        let ask = |rights| check(&token, &descriptor, Request::file(rights));
        let all = ask(AccessMask::MAXIMUM_ALLOWED);
        for bit in 0..21 {
            let right = AccessMask(1 << bit);
            // WRITE_OWNER by privilege is given only to who asks for it by name.
            if all.granted().contains(right) {
                prop_assert!(ask(right).is_granted(), "{right} of {}", all.granted());
            }
        }
    }

    /// Soundness of *unknown*: whatever is said for certain in spite of a conditional entry holds whether its condition is met or not.
    #[test]
    fn what_is_certain_holds_however_a_condition_turns_out(
        token in shapes::token(),
        descriptor in shapes::descriptor(),
        conditional in shapes::ace(),
        place in 0usize..8,
        request in shapes::request(),
    ) {
        let Ace::Known(known) = conditional.clone() else { panic!("shapes have known entries only") };
        let type_byte = if known.kind == AceKind::Allow { 0x09 } else { 0x0A };
        let body = [known.mask.bits().to_le_bytes().to_vec(), known.sid.to_bytes(), b"artx".to_vec()].concat();
        let opaque = Ace::Opaque(OpaqueAce { type_byte, flags: known.flags, body: body.into() });
        let with = |ace: Option<Ace>| {
            let mut with = descriptor.clone();
            if let (Some(acl), Some(ace)) = (with.dacl.acl_mut(), ace) {
                acl.aces.insert(place.min(acl.aces.len()), ace);
            }
            check(&token, &with, request)
        };
        let verdict = with(Some(opaque));
        if !matches!(verdict, Verdict::Unknown(_)) {
            prop_assert_eq!(verdict, with(Some(conditional)), "met");
            prop_assert_eq!(verdict, with(None), "not met");
        }
    }
}
