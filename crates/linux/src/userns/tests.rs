use super::*;

/// A host on which the namespaces should work.
fn healthy(step: Step, errno: Errno) -> Readings {
    Readings {
        failure: Failure { step, errno },
        kernel: KernelVersion(6, 8),
        uid: 1000,
        wsl_version: None,
        container: None,
        built: true,
        switch: None,
        limits: LIMITS.into_iter().map(|name| (name, 60_000)).collect(),
        apparmor_restricts: None,
        selinux: false,
        seccomp_mode: Some(0),
        proc_is_covered: false,
        program: PathBuf::from("/usr/local/bin/bailiwick"),
    }
}

fn cause_of(readings: Readings) -> Cause {
    diagnose(&readings).cause
}

#[test]
fn each_obstacle_is_recognised() {
    let clone = |errno| healthy(Step::Clone, errno);
    let perm = || clone(Errno::PERM);
    let zero_limit = vec![("max_user_namespaces", 0)];
    let docker = || Some(Container::Docker);
    assert_eq!(cause_of(Readings { wsl_version: Some(1), ..clone(Errno::INVAL) }), Cause::Wsl1);
    assert_eq!(cause_of(Readings { built: false, ..clone(Errno::INVAL) }), Cause::NotBuilt);
    assert_eq!(cause_of(Readings { kernel: KernelVersion(5, 10), ..perm() }), Cause::OldKernel);
    assert_eq!(cause_of(Readings { switch: Some(0), ..perm() }), Cause::Switch);
    assert_eq!(cause_of(Readings { limits: zero_limit, ..clone(Errno::NOSPC) }), Cause::LimitZero);
    assert_eq!(cause_of(clone(Errno::NOSPC)), Cause::LimitReached);
    assert_eq!(cause_of(clone(Errno::USERS)), Cause::LimitReached);
    assert_eq!(cause_of(Readings { apparmor_restricts: Some(1), ..perm() }), Cause::AppArmor);
    assert_eq!(cause_of(Readings { selinux: true, ..clone(Errno::ACCESS) }), Cause::SeLinux);
    assert_eq!(cause_of(Readings { seccomp_mode: Some(2), container: docker(), ..perm() }), Cause::SystemCallFilter);
    assert_eq!(
        cause_of(Readings { proc_is_covered: true, container: docker(), ..healthy(Step::MountProc, Errno::PERM) }),
        Cause::CoveredProc
    );
    assert_eq!(
        cause_of(Readings { container: docker(), ..healthy(Step::PrivateMounts, Errno::ACCESS) }),
        Cause::MountRefused
    );
    assert_eq!(cause_of(clone(Errno::NOMEM)), Cause::Unknown);
}

#[test]
fn ubuntu_lets_the_clone_through_and_refuses_the_map() {
    let readings = Readings { apparmor_restricts: Some(1), ..healthy(Step::MapUser, Errno::PERM) };
    assert_eq!(cause_of(readings), Cause::AppArmor);
}

#[test]
fn switches_for_ordinary_users_do_not_explain_a_failure_of_root() {
    let readings =
        Readings { uid: 0, switch: Some(0), apparmor_restricts: Some(1), ..healthy(Step::Clone, Errno::PERM) };
    assert_eq!(cause_of(readings), Cause::Unknown);
}

#[test]
fn a_switch_that_is_on_explains_nothing() {
    let readings = Readings { switch: Some(1), apparmor_restricts: Some(0), ..healthy(Step::Clone, Errno::PERM) };
    assert_eq!(cause_of(readings), Cause::Unknown);
}

#[test]
fn the_apparmor_remedy_is_complete() {
    let diagnosis = diagnose(&Readings { apparmor_restricts: Some(1), ..healthy(Step::MapUser, Errno::PERM) });
    insta::assert_snapshot!(diagnosis.explanation, @"while mapping the user into the new user namespace the kernel answered: Operation not permitted (os error 1). AppArmor restricts user namespaces here (kernel.apparmor_restrict_unprivileged_userns is 1, as on Ubuntu since 23.10).");
    insta::assert_snapshot!(diagnosis.remedy, @r"
    As administrator, write this to /etc/apparmor.d/bailiwick:

    abi <abi/4.0>,
    include <tunables/global>

    profile bailiwick /usr/local/bin/bailiwick flags=(unconfined) {
      userns,

      include if exists <local/bailiwick>
    }

    and load it: apparmor_parser -r /etc/apparmor.d/bailiwick
    Until then the `landlock` tier can be used; `bailiwick doctor` says what it lacks.
    ");
}

#[test]
fn a_program_in_the_home_is_warned_about_and_an_odd_path_gets_no_profile() {
    let with = |program: &str| {
        let program = PathBuf::from(program);
        diagnose(&Readings { apparmor_restricts: Some(1), program, ..healthy(Step::MapUser, Errno::PERM) }).remedy
    };
    assert!(with("/home/u/.cargo/bin/bailiwick").contains("Whoever can replace that file"));
    for odd in ["/home/u/my files/bailiwick", "/home/{a,b}/bailiwick", "/x/*", "/x\n  capability,\n/y", "relative"] {
        let remedy = with(odd);
        assert!(remedy.contains("Install bailiwick at a path"), "{odd}");
        assert!(!remedy.contains("profile bailiwick"), "{odd}");
        assert!(!remedy.contains("\n  capability"), "{odd}");
    }
}

#[test]
fn no_remedy_suggests_doing_without() {
    for cause in [
        Cause::Wsl1,
        Cause::OldKernel,
        Cause::NotBuilt,
        Cause::Switch,
        Cause::LimitZero,
        Cause::LimitReached,
        Cause::AppArmor,
        Cause::SeLinux,
        Cause::SystemCallFilter,
        Cause::CoveredProc,
        Cause::MountRefused,
        Cause::Unknown,
    ] {
        let text = remedy(cause, &healthy(Step::Clone, Errno::PERM));
        assert!(text.contains(LANDLOCK_TIER), "{cause:?}");
        assert!(!text.contains("restrict_unprivileged_userns=0"), "{cause:?}: weakens every other program too");
    }
}

#[test]
fn the_files_of_proc_are_read_as_the_kernel_writes_them() {
    assert_eq!(seccomp_mode("Name:\tcat\nSeccomp:\t2\nSeccomp_filters:\t1\n"), Some(2));
    assert_eq!(seccomp_mode("Name:\tcat\n"), None);
    let plain = "22 1 0:20 / /proc rw - proc proc rw\n35 22 0:31 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n";
    let docker = "500 499 0:60 / /proc rw - proc proc rw\n501 500 0:60 /bus /proc/bus ro - proc proc rw\n";
    assert!(!covers_proc(plain));
    assert!(covers_proc(docker));
}
