//! The way from the inside to a network gate, end to end, with a gate that only says what it sees.
//!
//! A run needs a process of one thread, which libtest has not: this program is its own harness. Each test is a process of its own
//! (`gate supervise NAME`), and the command inside is this program again (`gate inside NAME`).

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(target_os = "linux")]
mod inside;
#[cfg(target_os = "linux")]
mod outside;
#[cfg(target_os = "linux")]
mod stub;

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["supervise", name] => outside::supervise(name),
        ["inside", name] => inside::run(name),
        words => outside::all(words),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
