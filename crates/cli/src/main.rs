//! The program `bailiwick`: arguments in, library calls, rendering out.

// On Linux the C library calls `main` directly: see `start`.
#![cfg_attr(all(target_os = "linux", not(test)), no_main)]

mod args;
mod commands;
#[cfg(any(target_env = "musl", test))]
mod compare;
#[cfg(all(target_arch = "x86_64", any(target_env = "musl", test)))]
mod copy;
mod failure;
#[cfg(target_os = "linux")]
mod gate;
#[cfg(target_os = "linux")]
mod memory;
mod render;
#[cfg(all(target_os = "linux", not(test)))]
mod start;

#[cfg(target_os = "linux")]
#[global_allocator]
static MEMORY: memory::Quick = memory::Quick;

/// The status of the whole program.
fn run(words: impl Iterator<Item = std::ffi::OsString>) -> u8 {
    let mut words = words.peekable();
    let begun = commands::Begun::by(words.peek());
    let outcome = match args::parse(words) {
        Ok(parsed) => {
            let json = parsed.flag(args::table::Opt::Json);
            commands::dispatch(&parsed, begun).map_err(|failure| (failure, json))
        }
        Err(error) => Err((failure::Failure::from(error), false)),
    };
    match outcome {
        Ok(status) => status,
        Err((failure, json)) => {
            failure.show(json);
            failure::OWN
        }
    }
}

#[cfg(not(all(target_os = "linux", not(test))))]
fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(run(std::env::args_os().skip(1)))
}
