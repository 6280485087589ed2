//! The machine that the bench measures on: a home with a few projects of different size, made once and kept.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick::Sandbox;
use bailiwick::policy::host::Host;

use crate::shell::{self, Doing, Failure};

/// How many files the large workspace has (design, section 11).
const MANY: usize = 300_000;

/// How many files the repository for `git status` has.
const REPOSITORY: usize = 5_000;

/// Places and programs.
#[derive(Debug)]
pub(crate) struct Fixture {
    /// The program that is measured.
    pub(crate) bailiwick: PathBuf,
    /// The home of the fixture; a scratch directory for everything else is beside it.
    pub(crate) home: PathBuf,
    root: PathBuf,
}

impl Fixture {
    /// Finds or makes the home below `/var/tmp`.
    pub(crate) fn make(program: &Path) -> Result<Fixture, Failure> {
        // SAFETY: geteuid only reads the credentials of this process and cannot fail.
        let me = unsafe { libc::geteuid() };
        let root = PathBuf::from(format!("/var/tmp/bailiwick-bench-{me}"));
        match fs::DirBuilder::new().mode(0o755).create(&root) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => made.doing(format!("cannot make {}", root.display()))?,
        }
        // Everyone may write to /var/tmp: what has our name need not be ours.
        let meta = fs::symlink_metadata(&root).doing(format!("cannot look at {}", root.display()))?;
        if !meta.is_dir() || meta.uid() != me {
            return Err(Failure::new(format!("{} is not a directory of this user", root.display())));
        }
        let fixture = Fixture { bailiwick: program.to_owned(), home: root.join("home"), root };
        fixture.write("home/.gitconfig", "[user]\n\tname = Bench\n\temail = bench@example.org\n")?;
        fixture.script("small", "git init -q -b main . && echo x > README && git add . && git commit -q -m first")?;
        Ok(fixture)
    }

    /// A project of a few files, with a repository.
    pub(crate) fn small(&self) -> PathBuf {
        self.home.join("small")
    }

    /// A project of 300,000 files.
    pub(crate) fn many(&self) -> Result<PathBuf, Failure> {
        let script = format!(
            "git init -q -b main .; for d in $(seq 300); do mkdir -p src/$d; (cd src/$d; seq {} | xargs touch); done",
            MANY / 300
        );
        self.script("many", &script)
    }

    /// A repository with 5,000 committed files.
    pub(crate) fn repository(&self) -> Result<PathBuf, Failure> {
        let script = format!(
            "git init -q -b main .; for d in $(seq 50); do mkdir -p src/$d; (cd src/$d; for f in $(seq {}); do echo $d $f > $f; done); done
             git add .; git commit -q -m all",
            REPOSITORY / 50
        );
        self.script("repository", &script)
    }

    /// A crate without dependencies.
    pub(crate) fn krate(&self) -> Result<PathBuf, Failure> {
        let modules: String = (0..40).map(|n| format!("pub mod m{n};\n")).collect();
        let module = |n: usize| {
            let functions: String =
                (0..20).map(|f| format!("pub fn f{f}(x: &str) -> String {{ format!(\"{{x}} {n} {f}\") }}\n")).collect();
            self.write(&format!("home/crate/src/m{n}.rs"), &functions)
        };
        self.write(
            "home/crate/Cargo.toml",
            "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
        )?;
        self.write("home/crate/src/lib.rs", &modules)?;
        (0..40).try_for_each(module)?;
        Ok(self.home.join("crate"))
    }

    /// A directory beside the home.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.root.join(name);
        fs::create_dir_all(&path).doing(format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    /// The environment of everything that is measured.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("HOME", self.home.display().to_string()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("USER", "bench".to_owned()),
        ]
    }

    /// A bare command in a directory, with the environment of the fixture.
    pub(crate) fn bare(&self, directory: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).env_clear().envs(self.environment());
        command
    }

    /// `bailiwick run` in a directory, as a user would type it.
    pub(crate) fn run(&self, directory: &Path, options: &[&str], command: &[&str]) -> Command {
        let mut run = self.bare(directory, &self.bailiwick);
        run.arg("run").arg("-q").args(options).arg("--").args(command);
        run
    }

    /// The same run, for embedding: the host that the program would see.
    pub(crate) fn sandbox(&self, directory: &Path) -> Result<Sandbox, Failure> {
        let here = bailiwick::host::collect().doing("cannot describe this host")?;
        let environment = self.environment().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let host = Host {
            home: self.home.clone(),
            config_dir: self.home.join(".config/bailiwick"),
            data_dir: self.home.join(".local/share/bailiwick"),
            state_dir: self.home.join(".local/state/bailiwick"),
            current_dir: directory.to_owned(),
            environment,
            ..here
        };
        Ok(Sandbox::on(host).supervisor(&self.bailiwick))
    }

    fn write(&self, file: &str, content: &str) -> Result<(), Failure> {
        let path = self.root.join(file);
        if fs::read_to_string(&path).is_ok_and(|have| have == content) {
            return Ok(());
        }
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, content))
            .doing(format!("cannot write {}", path.display()))
    }

    /// Makes a project of this name by a script, once: a mark beside it says that the script has ended well.
    fn script(&self, name: &str, script: &str) -> Result<PathBuf, Failure> {
        let (project, mark) = (self.home.join(name), self.root.join(format!("{name}-made-by")));
        if fs::read_to_string(&mark).is_ok_and(|have| have == script) {
            return Ok(project);
        }
        eprintln!("+ make {}", project.display());
        if project.exists() {
            fs::remove_dir_all(&project).doing(format!("cannot remove {}", project.display()))?;
        }
        fs::create_dir_all(&project).doing(format!("cannot make {}", project.display()))?;
        shell::output(self.bare(&project, "bash").args(["-euc", script]))?;
        fs::write(&mark, script).doing(format!("cannot write {}", mark.display()))?;
        Ok(project)
    }
}
