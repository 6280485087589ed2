//! The program `bailiwick`: arguments in, library calls, rendering out.

mod args;
mod commands;
mod failure;
mod render;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words = std::env::args_os().skip(1);
    let outcome = match args::parse(words) {
        Ok(parsed) => {
            let json = parsed.flag(args::table::Opt::Json);
            commands::dispatch(&parsed).map_err(|failure| (failure, json))
        }
        Err(error) => Err((failure::Failure::from(error), false)),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err((failure, json)) => {
            failure.show(json);
            ExitCode::from(failure::OWN)
        }
    }
}
