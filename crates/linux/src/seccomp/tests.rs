//! The compiled filters against the table, read naively; and the one for this machine in a real kernel.

mod interpreter;
mod kernel;

use proptest::prelude::*;

use super::compile::{
    ADDR_NO_RANDOMIZE, HIGHEST_PROTOCOL, NAMESPACE_FLAGS, PERSONALITY_QUERY, TIOCLINUX, TIOCSETD, TIOCSTI, compile,
};
use super::*;
use interpreter::{Data, run};

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

const fn errno(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno as u32
}

/// What should happen, straight from the table: no ranges, no tree.
fn expected(arch: Arch, openings: Openings, data: &Data) -> u32 {
    if data.arch != arch.audit() {
        return KILL;
    }
    if data.nr > NEWEST {
        return errno(libc::ENOSYS);
    }
    let Some(call) = TABLE.iter().find(|call| call.number(arch) == Some(data.nr)) else { return ALLOW };
    if call.is_open(openings) {
        return ALLOW;
    }
    match call.rule {
        Rule::Refuse => errno(libc::EPERM),
        Rule::Absent => errno(libc::ENOSYS),
        Rule::Look(check) => looked_at(check, openings, data.args.map(|arg| arg as u32)),
    }
}

fn looked_at(check: Check, openings: Openings, args: [u32; 6]) -> u32 {
    let allowed = match check {
        Check::Ioctl => ![TIOCSTI, TIOCLINUX, TIOCSETD].contains(&args[1]),
        Check::NamespaceFlags => args[0] & NAMESPACE_FLAGS == 0,
        Check::Personality => match args[0] {
            0 | PERSONALITY_QUERY => true,
            ADDR_NO_RANDOMIZE => openings.trace,
            _ => false,
        },
        Check::Socket => {
            let (family, protocol) = (args[0] as i32, args[2]);
            let allowed = match openings.tier {
                Tier::Landlock => family == libc::AF_UNIX,
                Tier::Namespaces => match family {
                    libc::AF_UNSPEC | libc::AF_UNIX | libc::AF_INET | libc::AF_INET6 => protocol <= HIGHEST_PROTOCOL,
                    libc::AF_NETLINK => protocol == libc::NETLINK_ROUTE as u32,
                    _ => false,
                },
            };
            let refusal = if openings.tier == Tier::Landlock { libc::EACCES } else { libc::EAFNOSUPPORT };
            return if allowed { ALLOW } else { errno(refusal) };
        }
    };
    if allowed { ALLOW } else { errno(libc::EPERM) }
}

fn every_variant() -> impl Iterator<Item = (Arch, Openings)> {
    Arch::ALL.into_iter().flat_map(|arch| Openings::ALL.into_iter().map(move |openings| (arch, openings)))
}

/// Argument values near every comparison, with and without high bits.
const TELLING: &[u32] = &[
    0,
    1,
    2,
    3,
    10,
    15,
    16,
    17,
    38,
    40,
    58,
    59,
    132,
    262,
    0x80,
    0x1_1200,
    0x2_0000,
    0x200_0000,
    0x400_0000,
    0x800_0000,
    0x1000_0000,
    0x2000_0000,
    0x4000_0000,
    0x7e02_0000,
    0x003d_0f00,
    0x0004_0000,
    0x0040_0000,
    0x5411,
    0x5412,
    0x5413,
    0x541b,
    0x541c,
    0x541d,
    0x5423,
    0x5424,
    0xffff_ffff,
    0xffff_fffe,
];

#[test]
fn every_number_with_every_telling_argument_answers_as_the_table_says() {
    for (arch, openings) in every_variant() {
        let program = compile(arch, openings);
        let code = &program.code[..program.len];
        for nr in 0..=600u32 {
            for &value in TELLING {
                for high in [0u64, 1 << 32, 0xffff_ffff << 32] {
                    for other in [0u64, 6, 262] {
                        let value = u64::from(value) | high;
                        let data = Data { nr, arch: arch.audit(), args: [value, value, other, 0, 0, 0] };
                        assert_eq!(run(code, &data), expected(arch, openings, &data), "{arch:?} {openings:?} {data:?}");
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_call_answers_as_the_table_says(
        variant in 0..Openings::ALL.len(),
        arm in any::<bool>(),
        nr in prop_oneof![4 => 0u32..600, 1 => any::<u32>(), 1 => (0u32..600).prop_map(|nr| nr | 0x4000_0000)],
        foreign in prop_oneof![9 => Just(None), 1 => any::<u32>().prop_map(Some)],
        args in any::<[u64; 6]>(),
    ) {
        let arch = if arm { Arch::Aarch64 } else { Arch::X86_64 };
        let openings = Openings::ALL[variant];
        let program = compile(arch, openings);
        let data = Data { nr, arch: foreign.unwrap_or(arch.audit()), args };
        prop_assert_eq!(run(&program.code[..program.len], &data), expected(arch, openings, &data));
    }
}

#[test]
fn other_architectures_and_x32_never_pass() {
    /// i386, 32-bit ARM, big-endian 64-bit ARM, RISC-V.
    const FOREIGN: [u32; 4] = [0x4000_0003, 0x4000_0028, 0x8000_00b7, 0xc000_00f3];
    for (arch, openings) in every_variant() {
        let program = compile(arch, openings);
        let code = &program.code[..program.len];
        for nr in 0..600 {
            for foreign in FOREIGN {
                assert_eq!(run(code, &Data { nr, arch: foreign, args: [0; 6] }), KILL);
            }
            let x32 = Data { nr: nr | 0x4000_0000, arch: arch.audit(), args: [0; 6] };
            assert_eq!(run(code, &x32), errno(libc::ENOSYS));
        }
    }
}

#[test]
fn the_calls_that_a_landlocked_child_may_need_stay_open() {
    // landlock_*, seccomp, prctl: an inner sandbox may narrow itself further.
    for openings in Openings::ALL {
        for nr in [444, 445, 446, 317, 157] {
            let program = compile(Arch::X86_64, openings);
            let data = Data { nr, arch: Arch::X86_64.audit(), args: [0; 6] };
            assert_eq!(run(&program.code[..program.len], &data), ALLOW, "{nr}");
        }
    }
}

#[test]
fn the_table_has_no_number_and_no_name_twice() {
    for arch in Arch::ALL {
        let mut numbers: Vec<_> = TABLE.iter().filter_map(|call| call.number(arch)).collect();
        numbers.sort_unstable();
        assert!(numbers.iter().all(|&number| number <= NEWEST));
        let all = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "{arch:?}");
    }
    let mut names: Vec<_> = TABLE.iter().map(|call| call.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TABLE.len());
    assert!(TABLE.iter().all(|call| !call.why.is_empty()));
}

/// Compares rows with the C library's numbers for the architecture that the test runs on.
macro_rules! same_numbers {
    ($($constant:ident $name:literal),* $(,)?) => {
        [$(($name, libc::$constant)),*]
    };
}

#[test]
fn the_numbers_are_those_of_the_c_library() {
    let known = same_numbers![
        SYS_ioctl "ioctl", SYS_socket "socket", SYS_socketpair "socketpair", SYS_clone "clone", SYS_unshare "unshare",
        SYS_personality "personality", SYS_clone3 "clone3", SYS_setns "setns", SYS_mount "mount", SYS_umount2 "umount2",
        SYS_pivot_root "pivot_root", SYS_chroot "chroot", SYS_open_tree "open_tree", SYS_move_mount "move_mount",
        SYS_fsopen "fsopen", SYS_fsconfig "fsconfig", SYS_fsmount "fsmount", SYS_fspick "fspick",
        SYS_mount_setattr "mount_setattr",
        SYS_ptrace "ptrace", SYS_process_vm_readv "process_vm_readv", SYS_process_vm_writev "process_vm_writev",
        SYS_pidfd_getfd "pidfd_getfd", SYS_kcmp "kcmp", SYS_add_key "add_key", SYS_request_key "request_key",
        SYS_keyctl "keyctl", SYS_io_uring_setup "io_uring_setup", SYS_io_uring_enter "io_uring_enter",
        SYS_io_uring_register "io_uring_register", SYS_bpf "bpf", SYS_perf_event_open "perf_event_open",
        SYS_userfaultfd "userfaultfd", SYS_name_to_handle_at "name_to_handle_at",
        SYS_open_by_handle_at "open_by_handle_at", SYS_fanotify_init "fanotify_init", SYS_fanotify_mark "fanotify_mark",
        SYS_kexec_load "kexec_load", SYS_init_module "init_module", SYS_finit_module "finit_module",
        SYS_delete_module "delete_module", SYS_reboot "reboot", SYS_swapon "swapon", SYS_swapoff "swapoff",
        SYS_acct "acct", SYS_quotactl "quotactl", SYS_quotactl_fd "quotactl_fd", SYS_nfsservctl "nfsservctl",
        SYS_syslog "syslog", SYS_settimeofday "settimeofday", SYS_clock_settime "clock_settime",
        SYS_shmget "shmget", SYS_shmat "shmat", SYS_shmctl "shmctl",
        SYS_shmdt "shmdt", SYS_semget "semget", SYS_semop "semop", SYS_semctl "semctl", SYS_semtimedop "semtimedop",
        SYS_msgget "msgget", SYS_msgsnd "msgsnd", SYS_msgrcv "msgrcv", SYS_msgctl "msgctl", SYS_mq_open "mq_open",
        SYS_mq_unlink "mq_unlink", SYS_mq_timedsend "mq_timedsend", SYS_mq_timedreceive "mq_timedreceive",
        SYS_mq_notify "mq_notify", SYS_mq_getsetattr "mq_getsetattr",
    ];
    let number_of = |name: &str| TABLE.iter().find(|call| call.name == name).and_then(|call| call.number(Arch::TARGET));
    for (name, number) in known {
        assert_eq!(number_of(name).map(libc::c_long::from), Some(number), "{name}");
    }
    #[cfg(target_arch = "x86_64")]
    for (name, number) in same_numbers![
        SYS_modify_ldt "modify_ldt", SYS_iopl "iopl", SYS_ioperm "ioperm", SYS_uselib "uselib", SYS__sysctl "_sysctl",
        SYS_kexec_file_load "kexec_file_load", SYS_sethostname "sethostname", SYS_setdomainname "setdomainname",
        SYS_vhangup "vhangup", SYS_lookup_dcookie "lookup_dcookie",
    ] {
        assert_eq!(number_of(name).map(libc::c_long::from), Some(number), "{name}");
    }
}

#[test]
fn the_constants_are_those_of_the_c_library() {
    // Signed with one C library and unsigned with another.
    assert_eq!(i128::from(TIOCSTI), i128::from(libc::TIOCSTI));
    assert_eq!(i128::from(TIOCLINUX), i128::from(libc::TIOCLINUX));
    let flags = libc::CLONE_NEWNS
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | 0x80;
    assert_eq!(NAMESPACE_FLAGS, flags as u32);
    assert_eq!(ADDR_NO_RANDOMIZE, libc::ADDR_NO_RANDOMIZE as u32);
}

#[test]
fn every_variant_stays_within_its_budget() {
    let lengths: Vec<String> = every_variant()
        .map(|(arch, openings)| {
            let opened = match (openings.trace, openings.nested_namespaces) {
                (false, false) => "",
                (true, false) => " trace",
                (false, true) => " nested",
                (true, true) => " trace nested",
            };
            format!("{arch:?} {}{opened}: {}", openings.tier.name(), compile(arch, openings).len)
        })
        .collect();
    insta::assert_snapshot!(lengths.join("\n"), @r"
    X86_64 namespaces: 63
    X86_64 namespaces nested: 59
    X86_64 namespaces trace: 63
    X86_64 namespaces trace nested: 59
    X86_64 landlock: 63
    X86_64 landlock nested: 59
    X86_64 landlock trace: 63
    X86_64 landlock trace nested: 59
    Aarch64 namespaces: 64
    Aarch64 namespaces nested: 54
    Aarch64 namespaces trace: 64
    Aarch64 namespaces trace nested: 54
    Aarch64 landlock: 59
    Aarch64 landlock nested: 49
    Aarch64 landlock trace: 59
    Aarch64 landlock trace nested: 49
    ");
}
