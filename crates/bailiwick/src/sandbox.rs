//! What is to be run where: the builder.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bailiwick_policy::boundary::Boundary;
use bailiwick_policy::document::{Document, DocumentError};
use bailiwick_policy::guarantee::Guarantee;
use bailiwick_policy::host::Host;
use bailiwick_policy::merge::Request;
use bailiwick_policy::policy::{FileRuleKind, Policy, TierChoice};

use crate::error::SandboxError;
use crate::host::{HostError, collect};
use crate::setting::Setting;

/// A workspace, a profile and what is set on top: everything that a boundary is made of, beside the policy files.
#[derive(Clone, Debug)]
pub struct Sandbox {
    host: Host,
    profile: Option<String>,
    workspace: Option<PathBuf>,
    settings: Vec<Setting>,
    pub(crate) supervisor: Option<PathBuf>,
}

impl Sandbox {
    /// A sandbox for the user of this process, whose workspace is the current directory.
    ///
    /// # Errors
    ///
    /// When there is no home directory or no current directory.
    pub fn here() -> Result<Sandbox, HostError> {
        Ok(Sandbox::on(collect()?))
    }

    /// A sandbox on a host that is already described, whose workspace is that host's current directory.
    pub fn on(host: Host) -> Sandbox {
        Sandbox { host, profile: None, workspace: None, settings: Vec::new(), supervisor: None }
    }

    /// The host that this sandbox is on.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Takes this profile as the base instead of what the policy files extend.
    #[must_use]
    pub fn profile(mut self, name: impl Into<String>) -> Sandbox {
        self.profile = Some(name.into());
        self
    }

    /// Takes this directory as the workspace; a relative one starts from the current directory.
    #[must_use]
    pub fn workspace(mut self, directory: impl AsRef<Path>) -> Sandbox {
        self.workspace = Some(self.host.current_dir.join(directory));
        self
    }

    /// Adds a setting; the methods below say the common ones.
    #[must_use]
    pub fn set(mut self, setting: Setting) -> Sandbox {
        self.settings.push(setting);
        self
    }

    /// Makes a path readable, and what is below it.
    #[must_use]
    pub fn read(self, path: impl Into<PathBuf>) -> Sandbox {
        self.set(Setting::File(FileRuleKind::Read, path.into()))
    }

    /// Makes a path readable and writable, and what is below it.
    #[must_use]
    pub fn write(self, path: impl Into<PathBuf>) -> Sandbox {
        self.set(Setting::File(FileRuleKind::Write, path.into()))
    }

    /// Makes a path neither readable nor writable; `*`, `?` and `[` are pattern characters.
    #[must_use]
    pub fn deny(self, path: impl Into<PathBuf>) -> Sandbox {
        self.set(Setting::File(FileRuleKind::Deny, path.into()))
    }

    /// Keeps a path from being changed, replaced or brought into being; `*`, `?` and `[` are pattern characters.
    #[must_use]
    pub fn protect(self, path: impl Into<PathBuf>) -> Sandbox {
        self.set(Setting::File(FileRuleKind::Protect, path.into()))
    }

    /// Lets a host be reached: `HOST` on ports 80 and 443, or `HOST:PORT`.
    #[must_use]
    pub fn allow_host(self, pattern: impl Into<OsString>) -> Sandbox {
        self.set(Setting::AllowHost(pattern.into()))
    }

    /// No network at all, whatever the policy says.
    #[must_use]
    pub fn offline(self) -> Sandbox {
        self.set(Setting::Offline)
    }

    /// Passes a variable of this process to the command.
    #[must_use]
    pub fn pass_env(self, name: impl Into<OsString>) -> Sandbox {
        self.set(Setting::Env(name.into()))
    }

    /// Sets a variable of the command.
    #[must_use]
    pub fn env(self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Sandbox {
        let mut assignment = name.as_ref().to_owned();
        assignment.push("=");
        assignment.push(value);
        self.set(Setting::Env(assignment))
    }

    /// Enforces with this tier, or refuses.
    #[must_use]
    pub fn tier(self, tier: TierChoice) -> Sandbox {
        let name = match tier {
            TierChoice::Auto => "auto",
            TierChoice::Namespaces => "namespaces",
            TierChoice::Landlock => "landlock",
        };
        self.set(Setting::Tier(name.into()))
    }

    /// Runs although this guarantee cannot be kept on this host.
    #[must_use]
    pub fn accept(self, guarantee: Guarantee) -> Sandbox {
        self.set(Setting::Accept(guarantee.name().into()))
    }

    /// Ends the command and all that it started after this time, in whole seconds, rounded up.
    #[must_use]
    pub fn timeout(self, time: Duration) -> Sandbox {
        let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
        self.set(Setting::Timeout(format!("{seconds}s").into()))
    }

    /// Where the program `bailiwick` is, for [`Sandbox::spawn`]; else it is looked for beside this program and on the
    /// `PATH`.
    #[must_use]
    pub fn supervisor(mut self, program: impl Into<PathBuf>) -> Sandbox {
        self.supervisor = Some(program.into());
        self
    }

    /// The workspace, absolute, as it was named.
    pub fn workspace_directory(&self) -> &Path {
        self.workspace.as_deref().unwrap_or(&self.host.current_dir)
    }

    /// What is asked of the policy.
    ///
    /// # Errors
    ///
    /// When a setting is not one: a host that is no pattern, a name that is no guarantee.
    pub fn request(&self) -> Result<Request, DocumentError> {
        let mut options = Document::options();
        for setting in &self.settings {
            setting.apply(&mut options)?;
        }
        let workspace = self.workspace_directory().to_owned();
        Ok(Request { profile: self.profile.clone(), workspace, options })
    }

    /// The policy: every layer merged, not yet resolved.
    ///
    /// # Errors
    ///
    /// When a setting or a policy file is not understood.
    pub fn policy(&self) -> Result<Policy, SandboxError> {
        Ok(Policy::load(&self.host, &self.request()?)?)
    }

    /// The boundary: the policy resolved on this host for this workspace.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::policy`], and when the policy cannot be resolved.
    pub fn boundary(&self) -> Result<Boundary, SandboxError> {
        Ok(self.policy()?.resolve(&self.host, self.workspace_directory())?)
    }

    #[cfg(target_os = "linux")]
    /// The same sandbox as arguments of the program `bailiwick`, from the command `run` to the `--` before the command.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["run".into(), "--quiet".into()];
        if let Some(profile) = &self.profile {
            words.extend(["--profile".into(), profile.into()]);
        }
        words.extend(["--workspace".into(), self.workspace_directory().as_os_str().to_owned()]);
        words.extend(self.settings.iter().flat_map(Setting::arguments));
        words
    }
}

#[cfg(not(target_os = "linux"))]
impl Sandbox {
    /// Refuses: there is no tier for this operating system yet.
    ///
    /// # Errors
    ///
    /// Always [`SandboxError::NotYet`]; nothing was run then.
    pub fn run(
        &self,
        _command: Vec<OsString>,
        _report: &mut crate::report::Report<'_>,
    ) -> Result<crate::report::Outcome, SandboxError> {
        Err(SandboxError::NotYet)
    }
}
