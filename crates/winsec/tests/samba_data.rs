//! Descriptors and SDDL against Samba, which lays the bytes out in its own way and reads SDDL with its own code.
//!
//! Needs Debian's `python3-samba`; without it the tests say that they were skipped.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/skip.rs"]
mod skip;
// The strategies of the unit tests, which name the modules of the library as their own; not all are used here.
#[allow(dead_code)]
#[path = "../src/testing.rs"]
mod testing;

use bailiwick_winsec::sddl::{self, Domains};
use bailiwick_winsec::{SecurityDescriptor, Sid, ace, acl, descriptor, mask, sid};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::io::Write;
use std::process::{Command, Stdio};

/// The interpreter that Debian's packages are for; another one on the path would not find them.
const PYTHON: &str = "/usr/bin/python3";

const CASES: usize = 20_000;

/// Samba's answers to these lines, or why there are none.
fn samba(lines: &[String]) -> Result<Vec<String>, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samba_data.py");
    let there = Command::new(PYTHON).args(["-c", "import samba.dcerpc.security"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        return Err(format!("{PYTHON} has no module samba; install python3-samba"));
    }
    let mut child =
        Command::new(PYTHON).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starting python");
    let mut stdin = child.stdin.take().expect("a pipe");
    let text = lines.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).expect("writing to python"));
    let output = child.wait_with_output().expect("reading from python");
    writer.join().expect("the writer");
    assert!(output.status.success(), "the script failed");
    let answers: Vec<String> = String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), lines.len(), "one answer for each line");
    Ok(answers)
}

fn random<T>(strategy: impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::default();
    (0..CASES).map(|_| strategy.new_tree(&mut runner).expect("a value").current()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hex"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}

#[test]
fn samba_reads_our_bytes_and_we_read_those_of_samba() {
    let descriptors: Vec<SecurityDescriptor> = random(testing::sayable_descriptor());
    let lines: Vec<String> = descriptors.iter().map(|sd| format!("bytes {}", hex(&sd.to_bytes().unwrap()))).collect();
    let answers = match samba(&lines) {
        Ok(answers) => answers,
        Err(why) => return skip::record("samba_reads_our_bytes_and_we_read_those_of_samba", &why),
    };
    for ((descriptor, line), answer) in descriptors.iter().zip(&lines).zip(&answers) {
        let read = SecurityDescriptor::parse(&unhex(answer)).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(&read, descriptor, "{line}\n{answer}");
    }
}

/// The descriptor without what Samba 4.17 reads in another way than `sddl.h` and MS-DTYP say, or not at all: labels, the flag `CR`, the
/// right `FA` (there 0x1ff without the standard rights) and hexadecimal authorities (there a SID ends at the `x`).
fn in_the_language_of_samba(mut descriptor: SecurityDescriptor) -> SecurityDescriptor {
    let plain = |sid: Sid| if sid.authority() > u64::from(u32::MAX) { Sid::EVERYONE } else { sid };
    descriptor.owner = descriptor.owner.map(plain);
    descriptor.group = descriptor.group.map(plain);
    for acl in [&mut descriptor.dacl, &mut descriptor.sacl].into_iter().filter_map(|field| field.acl_mut()) {
        acl.aces.retain(|ace| ace.as_known().is_some_and(|known| known.kind != ace::AceKind::Label));
        for entry in &mut acl.aces {
            let ace::Ace::Known(known) = entry else { continue };
            known.flags = known.flags.without(ace::AceFlags::CRITICAL);
            known.sid = plain(known.sid);
            if known.mask == mask::AccessMask::FILE_ALL_ACCESS {
                known.mask = mask::AccessMask::FILE_GENERIC_WRITE;
            }
        }
    }
    descriptor
}

#[test]
fn samba_and_we_read_the_same_sddl() {
    let home = Domains::all(Sid::domain([1, 2, 3]));
    let descriptors: Vec<SecurityDescriptor> =
        random(testing::sayable_descriptor()).into_iter().map(in_the_language_of_samba).collect();
    let texts: Vec<String> = descriptors.iter().map(|sd| sddl::to_string(sd, &home).unwrap()).collect();
    let lines: Vec<String> = texts.iter().map(|text| format!("sddl {text}")).collect();
    let answers = match samba(&lines) {
        Ok(answers) => answers,
        Err(why) => return skip::record("samba_and_we_read_the_same_sddl", &why),
    };
    let mut compared = 0;
    for ((descriptor, text), answer) in descriptors.iter().zip(&texts).zip(&answers) {
        // An alias that this version does not know.
        if answer == "refused" {
            continue;
        }
        let mut read = SecurityDescriptor::parse(&unhex(answer)).unwrap_or_else(|error| panic!("{text}: {error}"));
        // Samba gives every list the revision of lists with object entries.
        for acl in [&mut read.dacl, &mut read.sacl].into_iter().filter_map(|field| field.acl_mut()) {
            acl.revision = acl::REVISION;
        }
        assert_eq!(&read, descriptor, "{text}");
        compared += 1;
    }
    println!("{compared} of {CASES} compared");
    assert!(compared > CASES / 4, "only {compared} of {CASES} were comparable");
}
