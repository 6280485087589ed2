//! What the gate costs, against a direct loopback connection measured in the same run, interleaved: `cargo bench -p bailiwick-gate`.
//!
//! The gate is a process of its own, as in a real run, so that its memory can be read. Ratios hold on any machine; milliseconds do not.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("measured on Linux only");
}
