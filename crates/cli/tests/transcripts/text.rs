//! From markdown to steps and back.

/// A line that is only read, or a step that is played.
pub(crate) enum Part {
    Prose(String),
    Step(Step),
}

/// A command, what it shows, and its exit status.
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) output: String,
    pub(crate) status: i32,
}

impl Step {
    pub(crate) fn with(&self, output: &str, status: i32) -> Step {
        Step { command: self.command.clone(), output: output.to_owned(), status }
    }

    /// As it stands in the file.
    pub(crate) fn as_written(&self) -> String {
        let mut text = format!("$ {}\n", self.command);
        for line in self.output.lines() {
            text.push_str(line);
            text.push('\n');
        }
        if self.status != 0 {
            text.push_str(&format!("? {}\n", self.status));
        }
        text
    }
}

/// Takes a transcript apart.
pub(crate) fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
            parts.push(Part::Prose(line.to_owned()));
        } else if !inside {
            parts.push(Part::Prose(line.to_owned()));
        } else if let Some(command) = line.strip_prefix("$ ") {
            parts.push(Part::Step(Step { command: command.to_owned(), output: String::new(), status: 0 }));
        } else if let Some(Part::Step(step)) = parts.last_mut() {
            match line.strip_prefix("? ").and_then(|status| status.parse().ok()) {
                Some(status) => step.status = status,
                None => {
                    step.output.push_str(line);
                    step.output.push('\n');
                }
            }
        } else {
            panic!("a console block starts with `$ `, not with `{line}`");
        }
    }
    parts
}
