//! The program that runs inside: one attack, one line of JSON. Also the harness for any launcher.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod program;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!(
        "bailiwick-probe: the attacks are made of Linux system calls, and this is another system: run it on Linux"
    );
    ExitCode::from(2)
}
