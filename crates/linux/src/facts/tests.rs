use super::*;

#[test]
fn kernel_versions_are_read_and_compared() {
    assert_eq!(KernelVersion::parse("6.18.44-fc-v669"), KernelVersion(6, 18));
    assert_eq!(KernelVersion::parse("5.15.167.4-microsoft-standard-WSL2"), KernelVersion(5, 15));
    assert_eq!(KernelVersion::parse("6.1-rc3"), KernelVersion(6, 1));
    assert_eq!(KernelVersion::parse(""), KernelVersion(0, 0));
    assert_eq!(KernelVersion::parse("x.y"), KernelVersion(0, 0));
    assert!(KernelVersion(5, 9) < KernelVersion(5, 12) && KernelVersion(5, 12) < KernelVersion(6, 1));
}

#[test]
fn both_kinds_of_linux_on_windows_are_told_apart() {
    assert_eq!(wsl("4.4.0-19041-Microsoft").map(|wsl| wsl.version), Some(1));
    assert_eq!(wsl("5.15.167.4-microsoft-standard-WSL2").map(|wsl| wsl.version), Some(2));
    assert_eq!(wsl("6.8.0-45-generic"), None);
}

#[test]
fn the_probe_agrees_with_the_quick_facts_and_decides() {
    let quick = Facts::quick();
    let probed = Facts::probe(Path::new("/usr/bin/bailiwick"));
    assert_eq!(quick.namespaces, Namespaces::NotTried);
    assert_ne!(probed.namespaces, Namespaces::NotTried);
    assert_eq!(Facts { namespaces: Namespaces::NotTried, ..probed.clone() }, quick);
    if let Namespaces::Fail(diagnosis) = probed.namespaces {
        eprintln!("SKIPPED: namespaces do not work here: {}", diagnosis.explanation);
    }
}
