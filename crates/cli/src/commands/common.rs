//! What several commands share: from options to a sandbox.

use bailiwick::policy::policy::FileRuleKind;
use bailiwick::{Sandbox, Setting};

use crate::args::Parsed;
use crate::args::table::Opt;
use crate::failure::Failure;

/// The sandbox that the options describe.
pub(crate) fn sandbox(parsed: &Parsed) -> Result<Sandbox, Failure> {
    let mut sandbox = Sandbox::here().map_err(Failure::new)?;
    for (opt, value) in &parsed.options {
        let file = |kind| Setting::File(kind, value.into());
        sandbox = match opt {
            Opt::Workspace => sandbox.workspace(value),
            Opt::Profile => sandbox.profile(profile_name(value)?),
            Opt::Read => sandbox.set(file(FileRuleKind::Read)),
            Opt::Write => sandbox.set(file(FileRuleKind::Write)),
            Opt::Deny => sandbox.set(file(FileRuleKind::Deny)),
            Opt::Protect => sandbox.set(file(FileRuleKind::Protect)),
            Opt::AllowHost => sandbox.set(Setting::AllowHost(value.clone())),
            Opt::Offline => sandbox.set(Setting::Offline),
            Opt::Env => sandbox.set(Setting::Env(value.clone())),
            Opt::Tier => sandbox.set(Setting::Tier(value.clone())),
            Opt::Accept => sandbox.set(Setting::Accept(value.clone())),
            Opt::Timeout => sandbox.set(Setting::Timeout(value.clone())),
            Opt::Layer => sandbox.set(Setting::Layer),
            _ => sandbox,
        };
    }
    Ok(sandbox)
}

fn profile_name(value: &std::ffi::OsStr) -> Result<&str, Failure> {
    let escaped = || bailiwick::policy::text::escape(value);
    value.to_str().ok_or_else(|| Failure::Told(format!("--profile: `{}` is not the name of a profile", escaped())))
}
