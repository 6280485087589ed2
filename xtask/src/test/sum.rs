//! What passed, failed and was skipped, by name.

use std::process::ExitCode;

use crate::shell::Failure;

/// The sum of everything that ran.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    passed: usize,
    failed: Vec<String>,
    skipped: Vec<String>,
}

impl Sum {
    /// Runs one check and counts it.
    pub(crate) fn check(&mut self, name: &str, check: impl FnOnce() -> Result<(), Failure>) {
        self.need(name, check);
    }

    /// Runs one step and counts it; what follows may need what it gives.
    pub(crate) fn need<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T, Failure>) -> Option<T> {
        eprintln!("== {name}");
        match step() {
            Ok(value) => {
                self.passed += 1;
                Some(value)
            }
            Err(failure) => {
                eprintln!("{name}: {failure}");
                self.failed.push(name.to_owned());
                None
            }
        }
    }

    /// Counts something that could not run here.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        self.skipped.push(format!("{name}: {why}"));
    }

    /// Counts a test that failed.
    pub(crate) fn fail(&mut self, name: String) {
        self.failed.push(name);
    }

    /// Counts tests that passed.
    pub(crate) fn pass(&mut self, count: usize) {
        self.passed += count;
    }

    /// Prints what was skipped and what failed, by name, and the sum alone on the last line.
    pub(crate) fn print(&self) -> ExitCode {
        for line in &self.skipped {
            println!("skipped: {line}");
        }
        for line in &self.failed {
            println!("FAILED: {line}");
        }
        println!("{} passed, {} failed, {} skipped", self.passed, self.failed.len(), self.skipped.len());
        if self.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
