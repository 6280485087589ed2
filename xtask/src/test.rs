//! Everything that must pass, on this machine, and the sum of it.

mod lints;
mod pass;
mod place;
mod sum;
mod wine;

use std::process::ExitCode;

use crate::shell::{self, Failure};
use crate::{dependencies, dist, docs, fuzz, system, toolchain};
use pass::Person;
use place::Place;
use sum::Sum;

/// Installs what is missing, runs everything, prints the sum as the last line: `N passed, N failed, N skipped`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    let quick = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--quick"] => true,
        other => return Err(Failure::new(format!("`test` knows only `--quick`, and got `{}`", other.join(" ")))),
    };
    let missing = system::packages()?;
    if !missing.is_empty() {
        eprintln!("not installed, and what needs it is skipped: {}", missing.join(" "));
    }
    let mut sum = Sum::default();
    if !quick {
        standing_still(&mut sum);
        fuzzing(&mut sum);
    }
    running(&mut sum, quick);
    Ok(sum.print())
}

/// What can be said without running anything.
fn standing_still(sum: &mut Sum) {
    sum.check("formatter and linter", system::components);
    sum.check("format", lints::format);
    sum.check("lints", lints::host);
    sum.check("documentation", lints::documentation);
    sum.check("generated pages", docs::check);
    sum.check("dependencies", dependencies::check);
    match system::windows_target() {
        Ok(()) => {
            sum.check("lints of the Windows code", lints::windows);
            sum.check("build of the Windows code", lints::windows_build);
            match wine::missing() {
                None => sum.check("recording under Wine", wine::check),
                Some(why) => sum.skip("recording under Wine", why),
            }
        }
        // The continuous integration has to have all that a build needs; a person's machine may lack it.
        Err(why) if std::env::var_os("CI").is_some_and(|value| !value.is_empty()) => {
            sum.check("build of the Windows code", || Err(Failure::new(why)));
        }
        Err(why) => sum.skip("build of the Windows code", &why),
    }
}

/// Every parser of hostile bytes, for a moment.
fn fuzzing(sum: &mut Sum) {
    match fuzz::missing() {
        None => sum.check("fuzz targets", fuzz::check),
        // As for the Windows target: the continuous integration has to have it.
        Some(why) if std::env::var_os("CI").is_some_and(|value| !value.is_empty()) => {
            sum.check("fuzz targets", || Err(Failure::new(why)));
        }
        Some(why) => sum.skip("fuzz targets", why),
    }
}

/// The tests themselves: as whoever runs this, and as an ordinary user too if that is root.
fn running(sum: &mut Sum, quick: bool) {
    let Some(place) = sum.need("a place for the tests", Place::find) else { return };
    let Some(built) = sum.need("static release build", || dist::build_in(&place.source, &place.target)) else { return };
    let Some(programs) = sum.need("build of the tests", || place.build_tests()) else { return };
    if !quick {
        sum.check("doc tests", || place.doc_tests());
    }
    let person = Person::myself();
    pass::run(sum, &place, &person, &built, &programs);
    if quick || !shell::is_root() {
        return;
    }
    let user = sum.need("an ordinary user", || {
        let user = system::ordinary_user()?;
        toolchain::furnish(&user)?;
        Ok(user)
    });
    if let Some(user) = user {
        pass::run(sum, &place, &Person::user(user), &built, &programs);
    }
}
