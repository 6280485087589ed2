//! Runs the transcripts in `tests/transcripts`: what a person types and what bailiwick answers.
//!
//! A transcript is a markdown file. In its `console` blocks, a line `$ COMMAND` is run by `sh` in the transcript's own
//! workspace, with its own home and nothing else in the environment; the lines below it are what appears on the
//! terminal (both streams), and `? N` at the end is the exit status, 0 if it is left out. In expected lines `[..]`
//! stands for any text; a line `...` for any lines. `[HOME]` and `[WORKSPACE]` are the directories; `$MACHINES` holds
//! descriptions of made-up Windows machines.
//!
//! `TRANSCRIPTS=overwrite cargo test --test transcripts` writes what really happened into the files.

// The lines are played by `/bin/sh`.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "what cannot be set up fails the test, in its helpers too")]

mod transcripts {
    pub(super) mod matching;
    pub(super) mod stage;
    pub(super) mod text;
}

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use transcripts::stage::Stage;
use transcripts::text::{Part, parts};

/// What a transcript holds that can only be played where `bailiwick run` works.
const NEEDS_RUN: &str = "<!-- needs a run -->";

/// Counted as skipped by `cargo xtask test`, and named.
fn skip(name: &str, why: &str) {
    eprintln!("skipped transcripts::{name}: {why}");
    let Some(file) = std::env::var_os("BAILIWICK_SKIPS") else { return };
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).expect("the list can be opened");
    writeln!(file, "transcripts::{name}: {why}").expect("the list can be written");
}

/// Plays one transcript and compares.
fn play(name: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(format!("{name}.md"));
    let text = std::fs::read_to_string(&file).expect("the transcript is there");
    let stage = Stage::new(name);
    if text.contains(NEEDS_RUN)
        && let Some(why) = stage.obstacle()
    {
        return skip(name, &why);
    }
    let mut played = String::new();
    let mut wrong = String::new();
    for part in parts(&text) {
        let step = match part {
            Part::Prose(line) => {
                let _ = writeln!(played, "{line}");
                continue;
            }
            Part::Step(step) => step,
        };
        let seen = stage.run(&step.command);
        let agrees = seen.status == step.status && transcripts::matching::agrees(&step.output, &seen.output);
        if agrees {
            played.push_str(&step.as_written());
        } else {
            played.push_str(&step.with(&seen.output, seen.status).as_written());
            let _ = write!(
                wrong,
                "{}\n--- expected (status {})\n{}\n--- seen (status {})\n{}\n\n",
                step.command, step.status, step.output, seen.status, seen.output
            );
        }
    }
    if wrong.is_empty() {
        return;
    }
    if std::env::var_os("TRANSCRIPTS").is_some_and(|wish| wish == "overwrite") {
        std::fs::write(&file, played).expect("the transcript can be written");
        return;
    }
    panic!("{name} does not happen as written:\n\n{wrong}");
}

macro_rules! transcripts {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                play(stringify!($name));
            }
        )*

        #[test]
        fn every_transcript_is_played() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
            let mut there: Vec<String> = std::fs::read_dir(folder)
                .expect("the folder is there")
                .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".md").map(str::to_owned))
                .collect();
            there.sort();
            let mut played = vec![$(stringify!($name)),*];
            played.sort_unstable();
            assert_eq!(there, played);
        }
    };
}

transcripts!(completions, doctor, errors, explain, explain_windows, help, policy, report, run, trust);
