use proptest::prelude::*;

use super::*;
use crate::ace::AceKind;
use crate::acl::Acl;
use crate::descriptor::{AclField, Control};
use crate::mask::AccessMask;
use crate::testing::{any_descriptor, any_sid, sayable_descriptor};

const HOME: Domains = Domains::all(Sid::domain([1, 2, 3]));

fn problem(text: &str) -> (usize, Problem) {
    let error = parse(text, &Domains::NONE).expect_err(text);
    (error.position, error.problem)
}

#[test]
fn reads_and_writes_the_root_of_a_drive() {
    let text = "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464\
                G:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464\
                D:PAI(A;;LC;;;AU)(A;OICIIO;SDGXGWGR;;;AU)(A;;FA;;;SY)(A;OICIIO;GA;;;SY)(A;OICI;0x1200a9;;;BU)(A;OICIIO;GA;;;CO)";
    let read = parse(text, &Domains::NONE).unwrap();
    assert_eq!(read.owner, Some(Sid::TRUSTED_INSTALLER));
    assert_eq!(read.control, Control::DACL_PROTECTED | Control::DACL_AUTO_INHERITED);
    let dacl = read.dacl.acl().unwrap();
    assert_eq!(dacl.aces.len(), 6);
    assert_eq!(dacl.aces[0], Ace::allow(Sid::AUTHENTICATED_USERS, AccessMask::FILE_ADD_SUBDIRECTORY));
    assert_eq!(dacl.aces[1].as_known().unwrap().mask, AccessMask(0xE001_0000));
    assert_eq!(to_string(&read, &Domains::NONE).unwrap(), text);
}

#[test]
fn reads_and_writes_a_service_and_a_label() {
    let text =
        "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)S:(AU;SAFA;WDWO;;;WD)(ML;OICI;NWNR;;;LW)";
    let read = parse(text, &Domains::NONE).unwrap();
    assert_eq!(read.label().unwrap().mask, AccessMask(3));
    assert_eq!(to_string(&read, &Domains::NONE).unwrap(), text);
}

#[test]
fn absent_null_and_empty_are_three_things() {
    for (text, dacl) in
        [("", AclField::Absent), ("D:NO_ACCESS_CONTROL", AclField::Null), ("D:", AclField::Present(Acl::default()))]
    {
        let read = parse(text, &Domains::NONE).unwrap();
        assert_eq!(read.dacl, dacl);
        assert_eq!(to_string(&read, &Domains::NONE).unwrap(), text);
    }
    assert!(parse("D:NO_ACCESS_CONTROL(A;;FA;;;WD)", &Domains::NONE).is_err());
}

#[test]
fn masks_in_every_notation() {
    let mask = |rights: &str| {
        parse_ace(&format!("(A;;{rights};;;WD)"), &Domains::NONE).unwrap().as_known().unwrap().mask.bits()
    };
    assert_eq!(mask("0x1301BF"), 0x1301BF);
    assert_eq!(mask("017"), 15);
    assert_eq!(mask("17"), 17);
    assert_eq!(mask("0"), 0);
    assert_eq!(mask(""), 0);
    assert_eq!(mask("FRFW"), 0x12_0089 | 0x12_0116);
    assert_eq!(mask("KX"), 0x2_0019);
    assert_eq!(mask("SDRCWDWO"), 0xF_0000);
}

#[test]
fn a_sid_in_string_form_ends_where_the_next_section_begins() {
    let read = parse("O:S-1-5-18D:", &Domains::NONE).unwrap();
    assert_eq!((read.owner, read.dacl), (Some(Sid::SYSTEM), AclField::Present(Acl::default())));
    assert_eq!(parse("O:BAG:S-1-5-18S:", &Domains::NONE).unwrap().group, Some(Sid::SYSTEM));
}

#[test]
fn domain_aliases_need_their_domain() {
    let (position, problem) = problem("D:(A;;FA;;;DA)");
    assert_eq!((position, problem), (11, Problem::NeedsDomain { alias: "DA", domain: "the domain" }));
    assert_eq!(parse_sid("DA", &HOME), Ok(Sid::account([1, 2, 3], 512)));
    let two = Domains { machine: Some(Sid::domain([7, 8, 9])), ..HOME };
    assert_eq!(parse_sid("LA", &two), Ok(Sid::account([7, 8, 9], 500)));
    assert_eq!(parse_sid("EA", &two), Ok(Sid::account([1, 2, 3], 519)));
    let everyone_as_domain = Domains { domain: Some(Sid::EVERYONE), ..Domains::NONE };
    assert!(parse_sid("DA", &everyone_as_domain).is_err());
}

#[test]
fn what_is_not_modelled_is_refused_by_name() {
    let refused = [
        "D:(XA;;FA;;;WD;(@User.x == 1))",
        "D:(A;;FA;;;WD;(@User.x == 1))",
        "D:(OA;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;WD)",
        "D:(A;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;WD)",
        "S:(RA;;;;;WD;(\"x\",TI,0,1))",
    ];
    let errors: Vec<String> =
        refused.iter().map(|text| parse(text, &Domains::NONE).expect_err(text).to_string()).collect();
    insta::assert_snapshot!(errors.join("\n"));
}

/// Bytes can hold it, the grammar has one production for both lists, and so the text says it and is read again.
#[test]
fn an_entry_in_the_other_list_stays_where_it_is() {
    let text = "O:SYD:(AU;SA;FR;;;WD)(A;;FR;;;BU)S:(A;;FA;;;WD)(ML;;NW;;;LW)";
    let read = parse(text, &Domains::NONE).unwrap();
    assert_eq!(read.dacl.acl().unwrap().aces[0].as_known().unwrap().kind, AceKind::Audit);
    assert_eq!(SecurityDescriptor::parse(&read.to_bytes().unwrap()).as_ref(), Ok(&read));
    assert_eq!(to_string(&read, &Domains::NONE).unwrap(), text);
    // It grants nothing: neither the audit entry what it names, nor the SACL's what would be a lot.
    let token = crate::Token::plain(Sid::account([1, 2, 3], 1001), &[Sid::EVERYONE]);
    assert!(crate::check(&token, &read, crate::Request::file(AccessMask::FILE_GENERIC_READ)).is_denied());
}

#[test]
fn errors_name_the_position() {
    for (text, position) in [
        ("X:BA", 0),
        ("O:XX", 2),
        ("O:", 2),
        ("O:BA ", 4),
        ("O:BAO:BA", 4),
        ("D:D:", 2),
        ("D:(", 3),
        ("D:(A", 3),
        ("D:(Q;;;;;WD)", 3),
        ("D:(A;OIXX;;;;WD)", 7),
        ("D:(A;OIC;;;;WD)", 7),
        ("D:(A;;FAZZ;;;WD)", 8),
        ("D:(A;;0x;;;WD)", 6),
        ("D:(A;;0x1ffffffff;;;WD)", 6),
        ("D:(A;;09;;;WD)", 6),
        ("D:(A;;NW;;;WD)", 6),
        ("S:(ML;;FA;;;LW)", 7),
        ("D:(A;;FA;;;S-1-5-x)", 11),
        ("D:(A;;FA;;;WD", 13),
        ("D:(A;;FA;;;é)", 11),
        ("d:(A;;FA;;;WD)", 0),
    ] {
        assert_eq!(problem(text).0, position, "{text:?}: {:?}", problem(text).1);
    }
}

#[test]
fn hostile_text_is_quoted_escaped_and_short() {
    let error = parse("D:(\u{1b}]0;owned\u{7};;;;;WD)", &Domains::NONE).unwrap_err().to_string();
    assert!(error.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{error:?}");
    let text = format!("D:(A;;FA;;;{})", "W".repeat(3 << 20));
    assert!(matches!(problem(&text).1, Problem::TooLong { .. }));
    let text = format!("D:({};;;;;WD)", "Q".repeat(1 << 20));
    assert!(parse(&text, &Domains::NONE).unwrap_err().to_string().len() < 200);
}

#[test]
fn aliases_are_distinct_and_go_both_ways() {
    let two_letters: Vec<String> =
        (b'A'..=b'Z').flat_map(|a| (b'A'..=b'Z').map(move |b| String::from_utf8(vec![a, b]).unwrap())).collect();
    let mut known = 0;
    for alias in two_letters {
        let Ok(sid) = parse_sid(&alias, &HOME) else { continue };
        known += 1;
        let descriptor = SecurityDescriptor { owner: Some(sid), ..SecurityDescriptor::default() };
        assert_eq!(to_string(&descriptor, &HOME).unwrap(), format!("O:{alias}"));
    }
    assert_eq!(known, 68);
}

#[test]
fn describes_an_entry_that_has_no_text() {
    let opaque = crate::ace::OpaqueAce { type_byte: 9, flags: crate::ace::AceFlags::NONE, body: vec![0; 8].into() };
    let opaque = Ace::Opaque(opaque);
    assert_eq!(describe_ace(&opaque, &Domains::NONE), "(an entry of type 0x09, conditional access allowed, 12 bytes)");
    let error = ace_to_string(&opaque, &Domains::NONE).unwrap_err().to_string();
    assert_eq!(
        error,
        "writing SDDL: an entry of type 0x09 (conditional access allowed) is not modelled; use the bytes"
    );
}

proptest! {
    #[test]
    fn text_comes_back(descriptor in sayable_descriptor(), domains in prop_oneof![Just(Domains::NONE), Just(HOME)]) {
        let text = to_string(&descriptor, &domains).unwrap();
        prop_assert_eq!(parse(&text, &domains), Ok(descriptor), "{}", text);
    }

    #[test]
    fn sids_come_back(sid in any_sid()) {
        let descriptor = SecurityDescriptor { group: Some(sid), ..SecurityDescriptor::default() };
        let text = to_string(&descriptor, &HOME).unwrap();
        prop_assert_eq!(parse(&text, &HOME), Ok(descriptor));
    }

    #[test]
    fn opaque_entries_are_never_left_out(descriptor in any_descriptor()) {
        let opaque = |field: &AclField| field.acl().is_some_and(Acl::has_opaque);
        let unsayable = opaque(&descriptor.dacl) || opaque(&descriptor.sacl);
        prop_assert_eq!(to_string(&descriptor, &Domains::NONE).is_err(), unsayable);
    }

    /// Pieces of the grammar in any order, which gets deeper than letters at random.
    #[test]
    fn any_text_is_read_or_refused(pieces in proptest::collection::vec(
        prop_oneof![
            proptest::sample::select(vec![
                "O:", "G:", "D:", "S:", "BA", "SY", "DA", "P", "AI", "AR", "NO_ACCESS_CONTROL", "(", ")", ";", ";;;",
                "(A;", "(D;OICI;", "(AU;SA;", "(ML;;NW;;;LW)", "(A;;FA;;;WD)", "FA", "GR", "0x1", "07", "S-1-5-32-544", "-", "é",
            ]).prop_map(str::to_owned),
            ".{0,3}",
        ], 0..14)
    ) {
        let text = pieces.concat();
        match parse(&text, &HOME) {
            Ok(read) => prop_assert_eq!(parse(&to_string(&read, &HOME).unwrap(), &HOME), Ok(read)),
            Err(error) => {
                prop_assert!(error.position <= text.len());
                prop_assert!(error.to_string().is_ascii());
            }
        }
    }
}
