//! Why namespaces cannot be made on this host, and what would change that.

mod apparmor;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use rustix::io::Errno;
use serde::Serialize;

use crate::facts::{Container, Facts, KernelVersion};
pub use crate::sys::throwaway::{Failure, Step};
pub use apparmor::{PROFILE_PLACE, profile};

/// The oldest kernel of the `namespaces` tier: `mount_setattr` came with 5.12.
pub const OLDEST_FOR_NAMESPACES: KernelVersion = KernelVersion(5, 12);

/// What kind of obstacle it is, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// WSL 1 has no namespaces.
    Wsl1,
    /// The kernel is older than the tier needs.
    OldKernel,
    /// The kernel is built without user namespaces.
    NotBuilt,
    /// `kernel.unprivileged_userns_clone = 0` (Debian's and Arch's switch).
    Switch,
    /// One of `user.max_*_namespaces` is 0.
    LimitZero,
    /// One of them is used up, or namespaces are nested too deep.
    LimitReached,
    /// Ubuntu's AppArmor restriction.
    AppArmor,
    /// SELinux.
    SeLinux,
    /// A system-call filter, as container engines set.
    SystemCallFilter,
    /// Parts of `/proc` are covered, so the kernel lets no new one be mounted.
    CoveredProc,
    /// Mounting is refused by something else, as by a container's AppArmor profile.
    MountRefused,
    /// None of the known ones.
    Unknown,
}

/// Why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// For programs.
    pub cause: Cause,
    /// For people: what was found.
    pub explanation: String,
    /// For people: what to do. It may have several lines.
    pub remedy: String,
}

/// What was read from the host after a failure. Plain data: tests make their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    /// What failed, and the kernel's answer.
    pub failure: Failure,
    /// The kernel.
    pub kernel: KernelVersion,
    /// The user.
    pub uid: u32,
    /// The version of WSL, if it is that.
    pub wsl_version: Option<u8>,
    /// What surrounds the process.
    pub container: Option<Container>,
    /// `/proc/self/ns/user` exists: the kernel is built with user namespaces.
    pub built: bool,
    /// `kernel.unprivileged_userns_clone`, where the kernel has it.
    pub switch: Option<u64>,
    /// `user.max_*_namespaces` by name.
    pub limits: Vec<(&'static str, u64)>,
    /// `kernel.apparmor_restrict_unprivileged_userns`, where the kernel has it.
    pub apparmor_restricts: Option<u64>,
    /// SELinux enforces.
    pub selinux: bool,
    /// `Seccomp:` of `/proc/self/status`: 2 is a filter.
    pub seccomp_mode: Option<u64>,
    /// Something is mounted below `/proc`, other than the usual `binfmt_misc`.
    pub proc_is_covered: bool,
    /// The path of bailiwick itself.
    pub program: PathBuf,
}

/// The limits that matter, as files of `/proc/sys/user`.
const LIMITS: [&str; 6] = [
    "max_user_namespaces",
    "max_mnt_namespaces",
    "max_pid_namespaces",
    "max_net_namespaces",
    "max_ipc_namespaces",
    "max_uts_namespaces",
];

impl Readings {
    /// Reads the host. What cannot be read counts as absent.
    pub fn collect(failure: Failure, facts: &Facts, program: &Path) -> Readings {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        let number = |path: &str| read(path).and_then(|text| text.trim().parse().ok());
        Readings {
            failure,
            kernel: facts.kernel,
            uid: facts.uid,
            wsl_version: facts.wsl.map(|wsl| wsl.version),
            container: facts.container.clone(),
            built: Path::new("/proc/self/ns/user").exists(),
            switch: number("/proc/sys/kernel/unprivileged_userns_clone"),
            limits: LIMITS
                .into_iter()
                .filter_map(|name| Some((name, number(&format!("/proc/sys/user/{name}"))?)))
                .collect(),
            apparmor_restricts: number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
            selinux: number("/sys/fs/selinux/enforce") == Some(1),
            seccomp_mode: read("/proc/self/status").as_deref().and_then(seccomp_mode),
            proc_is_covered: read("/proc/self/mountinfo").is_some_and(|text| covers_proc(&text)),
            program: program.to_owned(),
        }
    }
}

fn seccomp_mode(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("Seccomp:"))?.trim().parse().ok()
}

/// The fifth field of a line is the mount point.
fn covers_proc(mountinfo: &str) -> bool {
    mountinfo
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .any(|point| point.starts_with("/proc/") && point != "/proc/sys/fs/binfmt_misc")
}

/// What the readings say. Pure.
///
/// The order is from the certain to the likely: what a reading proves comes before what an errno suggests.
pub fn diagnose(readings: &Readings) -> Diagnosis {
    let cause = cause(readings);
    Diagnosis { cause, explanation: explain(cause, readings), remedy: remedy(cause, readings) }
}

fn cause(readings: &Readings) -> Cause {
    let Failure { step, errno } = readings.failure;
    let refused = matches!(errno, Errno::PERM | Errno::ACCESS);
    let filtered = readings.seccomp_mode == Some(2) && (errno == Errno::PERM || errno == Errno::NOSYS);
    if readings.wsl_version == Some(1) {
        Cause::Wsl1
    } else if !readings.built {
        Cause::NotBuilt
    } else if readings.kernel < OLDEST_FOR_NAMESPACES {
        Cause::OldKernel
    } else if matches!(errno, Errno::NOSPC | Errno::USERS) {
        if readings.limits.iter().any(|&(_, limit)| limit == 0) { Cause::LimitZero } else { Cause::LimitReached }
    } else if step == Step::Clone && refused && readings.uid != 0 && readings.switch == Some(0) {
        Cause::Switch
    } else if refused && readings.uid != 0 && readings.apparmor_restricts == Some(1) && readings.container.is_none() {
        Cause::AppArmor
    } else if step == Step::Clone && filtered {
        Cause::SystemCallFilter
    } else if step == Step::MountProc && errno == Errno::PERM && readings.proc_is_covered {
        Cause::CoveredProc
    } else if refused && readings.selinux {
        Cause::SeLinux
    } else if filtered {
        Cause::SystemCallFilter
    } else if refused && matches!(step, Step::PrivateMounts | Step::MountProc | Step::MountTmpfs) {
        Cause::MountRefused
    } else {
        Cause::Unknown
    }
}

fn explain(cause: Cause, readings: &Readings) -> String {
    let Failure { step, errno } = readings.failure;
    let answered = format!("while {} the kernel answered: {errno}", step.doing());
    let place = readings.container.as_ref().map_or("this host", Container::name);
    match cause {
        Cause::Wsl1 => "WSL 1 translates Linux system calls and has no namespaces.".to_owned(),
        Cause::NotBuilt => "this kernel is built without user namespaces (CONFIG_USER_NS).".to_owned(),
        Cause::OldKernel => {
            format!(
                "Linux {} is older than {OLDEST_FOR_NAMESPACES}, which the tier needs (mount_setattr).",
                readings.kernel
            )
        }
        Cause::Switch => format!("{answered}. kernel.unprivileged_userns_clone is 0."),
        Cause::LimitZero => format!("{answered}. user.{} is 0.", first_zero(readings)),
        Cause::LimitReached => {
            format!("{answered}. Too many namespaces exist, or they are nested more than 32 deep.")
        }
        Cause::AppArmor => {
            format!(
                "{answered}. AppArmor restricts user namespaces here (kernel.apparmor_restrict_unprivileged_userns is 1, as on Ubuntu since 23.10)."
            )
        }
        Cause::SeLinux => format!("{answered}. SELinux is enforcing and the likely cause."),
        Cause::SystemCallFilter => format!("{answered}. A system-call filter is on {place} already and refuses it."),
        Cause::CoveredProc => {
            format!(
                "{answered}. Parts of /proc are covered in {place}, and the kernel then allows no new, uncovered one."
            )
        }
        Cause::MountRefused => {
            format!("{answered}. Something in {place} refuses mounting, most likely a security profile.")
        }
        Cause::Unknown => format!("{answered}."),
    }
}

fn first_zero(readings: &Readings) -> &'static str {
    readings.limits.iter().find(|&&(_, limit)| limit == 0).map_or("max_user_namespaces", |&(name, _)| name)
}

const LANDLOCK_TIER: &str = "Until then the `landlock` tier can be used; `bailiwick doctor` says what it lacks.";

fn remedy(cause: Cause, readings: &Readings) -> String {
    let advice = match cause {
        Cause::Wsl1 => "From Windows: wsl --set-version <distribution> 2".to_owned(),
        Cause::NotBuilt => "Use a kernel with CONFIG_USER_NS=y.".to_owned(),
        Cause::OldKernel => format!("Upgrade the kernel to {OLDEST_FOR_NAMESPACES} or newer."),
        Cause::Switch => set_kernel_option("kernel.unprivileged_userns_clone=1"),
        Cause::LimitZero => set_kernel_option(&format!("user.{}=15000", first_zero(readings))),
        Cause::LimitReached => {
            "End programs that hold namespaces (lsns shows them), or raise user.max_*_namespaces.".to_owned()
        }
        Cause::AppArmor => apparmor::remedy(&readings.program),
        Cause::SeLinux => {
            "Ask the administrator for a policy module; `ausearch -m avc -ts recent` shows what was refused.".to_owned()
        }
        Cause::SystemCallFilter => in_container(
            readings,
            "Start the container with a seccomp profile that allows clone and unshare with namespace flags, mount, pivot_root and the new mount calls (--security-opt seccomp=FILE).",
        ),
        Cause::CoveredProc => in_container(readings, "Start the container with --security-opt systempaths=unconfined."),
        Cause::MountRefused => in_container(
            readings,
            "Start the container with a security profile that allows mounting in a user namespace (--security-opt apparmor=PROFILE).",
        ),
        Cause::Unknown => "Please report this with the output of `bailiwick doctor --json`.".to_owned(),
    };
    format!("{advice}\n{LANDLOCK_TIER}")
}

fn set_kernel_option(option: &str) -> String {
    format!("As administrator: echo '{option}' > /etc/sysctl.d/60-bailiwick.conf && sysctl --system")
}

fn in_container(readings: &Readings, advice: &str) -> String {
    match readings.container {
        Some(_) => advice.to_owned(),
        None => format!("Something has narrowed this session. If it is a container: {advice}"),
    }
}
