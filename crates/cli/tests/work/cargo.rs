//! Cargo builds, tests and runs a real crate offline.

use super::support::world::World;
use super::support::{need, rust, skip};

/// A crate with a library, a program, a build script, a procedural macro beside it, unit, integration and doc tests.
fn crate_in(world: &World) {
    world.write(
        "Cargo.toml",
        "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nanswer = { path = \"answer\" }\n[workspace]\n",
    );
    world.write(
        "answer/Cargo.toml",
        "[package]\nname = \"answer\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n",
    );
    world.write(
        "answer/src/lib.rs",
        "use proc_macro::TokenStream;\n#[proc_macro]\npub fn answer(_: TokenStream) -> TokenStream { \"42\".parse().unwrap() }\n",
    );
    world.write(
        "build.rs",
        "fn main() { let d = std::env::var(\"OUT_DIR\").unwrap(); std::fs::write(format!(\"{d}/made.rs\"), \"pub const MADE: i32 = 7;\").unwrap(); }",
    );
    world.write(
        "src/lib.rs",
        "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n/// ```\n/// assert_eq!(demo::sum(), 49);\n/// ```\npub fn sum() -> i32 { answer::answer!() + MADE }\n#[test] fn unit() { assert_eq!(sum(), 49) }\n",
    );
    world.write("src/main.rs", "fn main() { println!(\"sum {}\", demo::sum()) }\n");
    world.write(
        "tests/whole.rs",
        "#[test] fn temp_and_threads() { let p = std::env::temp_dir().join(\"x\"); std::fs::write(&p, \"y\").unwrap();\n std::thread::spawn(|| assert_eq!(demo::sum(), 49)).join().unwrap(); std::fs::remove_file(p).unwrap(); }\n",
    );
}

const SCRIPT: &str = "cargo build --offline 2>&1; cargo test --offline 2>&1; cargo run -q --offline";

#[track_caller]
fn built_and_tested(out: &str) {
    assert!(out.ends_with("sum 49"), "{out}");
    assert_eq!(out.matches("test result: ok. 1 passed").count(), 3, "unit, integration and doc test: {out}");
}

#[test]
fn builds_and_tests_a_crate_with_a_granted_toolchain() {
    need!("gcc");
    let Some(sysroot) = rust::sysroot() else { skip!("no Rust toolchain") };
    let world = World::new().path_first(&sysroot.join("bin"));
    crate_in(&world);
    let grant = sysroot.to_str().expect("a plain path");
    built_and_tested(&world.inside_with(&["--read", grant], SCRIPT).ok().out());
    // Outside, with the same cache, nothing is rebuilt: times and fingerprints came through unchanged.
    let again = world.outside("cargo build --offline 2>&1").ok().out();
    assert!(!again.contains("Compiling"), "{again}");
}

#[test]
fn builds_and_tests_a_crate_with_the_users_own_rustup_and_no_grant() {
    need!("gcc");
    let Some(home) = rust::home_with_rustup() else { skip!("no rustup in the home of the user who runs the tests") };
    let world = World::new().path_first(&home.join(".cargo/bin"));
    crate_in(&world);
    // The real home is where the profile looks for toolchains; what bailiwick keeps for itself stays in the world.
    let mut command = world.bailiwick(["run", "-q", "--", "bash", "-euc", SCRIPT]);
    command.env("HOME", &home);
    for (variable, place) in [("XDG_STATE_HOME", "state"), ("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache")] {
        command.env(variable, world.home.join(place));
    }
    built_and_tested(&super::support::Done::of(command).ok().out());
}
