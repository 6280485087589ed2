//! Policies on the machines of the tests.

use bailiwick_policy::decide::Verdict;
use bailiwick_policy::document::Document;
use bailiwick_policy::origin::{Layer, Source};

use super::*;
use crate::facts::tests::machine;
use crate::profile;

/// The default profile and a document of the user's on a machine.
pub(crate) fn target(name: &str, tier: Tier, user: &str) -> Result<(Facts, Target), TargetError> {
    let (facts, workspace) = machine(name);
    let source = Source::File("policy.toml".into());
    let user = Document::parse(user, source, Layer::User).unwrap_or_else(|error| panic!("{error}"));
    let policy = profile::policy("workspace", tier, Some(user), None).unwrap().unwrap();
    let asked = Asked { current_dir: workspace.clone(), workspace, tier };
    let target = Target::resolve(&policy, &facts, &asked)?;
    Ok((facts, target))
}

fn path(text: &str) -> WindowsPath {
    WindowsPath::parse(text).unwrap()
}

#[test]
fn the_default_profile_decides_by_names_without_case() {
    let (_, target) = target("home-edition", Tier::Guard, "").unwrap();
    let verdict = |verb, text: &str| target.decide(verb, &path(text)).verdict;
    let table = [
        (Verb::Write, r"C:\Users\Ada\source\project\src\main.rs", Verdict::Allowed),
        (Verb::Write, r"c:\USERS\ada\Source\PROJECT\new", Verdict::Allowed),
        (Verb::Write, r"C:\Users\Ada\source\project\.GIT\Hooks\pre-commit", Verdict::Refused),
        (Verb::Remove, r"C:\Users\Ada\source\project\.git", Verdict::Refused),
        (Verb::Write, r"C:\Users\Ada\source\project\.vs\x", Verdict::Refused),
        (Verb::Read, r"C:\Users\Ada\source\project\.ENV", Verdict::Refused),
        (Verb::Write, r"C:\Users\Ada\source\other", Verdict::Refused),
        (Verb::Read, r"C:\Users\Ada\.ssh\id_ed25519", Verdict::Refused),
        (Verb::Read, r"C:\Users\Ada\.cargo\bin\cargo.exe", Verdict::Allowed),
        (Verb::Read, r"C:\Users\Ada\.cargo\credentials.toml", Verdict::Refused),
        (Verb::Read, r"C:\Program Files\Git\bin\git.exe", Verdict::Allowed),
        (Verb::Write, r"C:\Windows\Temp\x", Verdict::Refused),
        (Verb::Read, r"C:\Windows\System32\config\SAM", Verdict::Refused),
        (Verb::Read, r"C:\Users\Ada\AppData\Local\bailiwick\trust", Verdict::Refused),
        (Verb::Read, r"D:\x", Verdict::Refused),
    ];
    for (verb, text, expected) in table {
        assert_eq!(verdict(verb, text), expected, "{verb:?} {text}");
    }
    assert_eq!(target.decide(Verb::Write, &target.temp.join("x").unwrap()).verdict, Verdict::Allowed);
    assert!(!path(r"C:\Users\Ada\AppData\Local\bailiwick").covers(&target.home));
}

#[test]
fn what_cannot_be_resolved_is_refused() {
    let refusal = |user: &str| target("home-edition", Tier::Guard, user).expect_err(user).to_string();
    insta::assert_snapshot!(refusal("[files]\ndeny = [\"**/.env\"]"), @"the pattern `**/.env` (policy.toml:2) cannot be resolved from a description, which does not list every file: write the paths out");
    insta::assert_snapshot!(refusal("[files]\nread = [\"%TEMP%/x\"]"), @"the rule for `%TEMP%/x` (policy.toml:2) begins with a variable that is no known folder; known are %SystemRoot%, %ProgramFiles%, %ProgramFiles(x86)%, %ProgramData%, %PUBLIC%, %APPDATA%, %LOCALAPPDATA%");
    insta::assert_snapshot!(refusal("[files]\nread = [\"//server/share\"]"), @"the rule for `//server/share` (policy.toml:2) cannot be resolved: `//server/share` is not taken as a path: it is reached through the network, where the server decides with the user's full rights; use a local path");
    insta::assert_snapshot!(refusal("[files]\nread = [\"C:/Users/ADA~1/x\"]"), @"the rule for `C:/Users/ADA~1/x` (policy.toml:2) cannot be resolved: `C:/Users/ADA~1/x` is not taken as a path: `ADA~1` looks like the short name of a file whose long name is not known here; write the long name");
    insta::assert_snapshot!(refusal("[network]\nsockets = [\"~/agent\"]"), @"the policy grants sockets of the host, which the Windows tiers do not offer yet: take `[network] sockets` out");
}

#[test]
fn only_a_project_can_be_a_workspace() {
    let (facts, _) = machine("home-edition");
    for text in [
        r"C:\",
        r"C:\Users\Ada",
        r"C:\Users",
        r"C:\Windows",
        r"C:\ProgramData",
        r"C:\nothing",
        r"C:\Users\Ada\.gitconfig",
    ] {
        assert!(own::workspace(&facts, &path(text)).is_err(), "{text}");
    }
}

#[test]
fn a_decision_speaks_of_windows_paths() {
    let (_, target) = target("home-edition", Tier::Guard, "[files]\nread = [\"~/.ssh\"]").unwrap();
    let spoken = |verb, text: &str| {
        let decision = target.decide(verb, &path(text));
        let remedy =
            decision.remedy.map(|remedy| format!("{:?} {:?} {:?}", remedy.option, remedy.policy_line, remedy.note));
        format!("{}\n{}", decision.reason, remedy.unwrap_or_default())
    };
    insta::assert_snapshot!(spoken(Verb::Write, r"C:\Users\Ada\.SSH\config"), @r#"
`C:\Users\Ada\.SSH\config` may not be written: it is readable only
Some("--write C:/Users/Ada/.SSH/config") Some("[files] write = [\"C:/Users/Ada/.SSH/config\"]") None
"#);
    insta::assert_snapshot!(spoken(Verb::Write, r"C:\Users\Ada\source\project\.git\hooks\pre-commit"), @r#"
`.git\hooks\pre-commit` may not be written: it is a protected name
Some("--write C:/Users/Ada/source/project/.git/hooks/pre-commit") Some("[files] write = [\"C:/Users/Ada/source/project/.git/hooks/pre-commit\"]") None
"#);
    insta::assert_snapshot!(spoken(Verb::Remove, r"C:\Users\Ada\source\project\.git"), @r#"
`.git` cannot be moved, replaced or removed: it contains the protected name `.git\commondir`
None None Some("no option changes this: use a profile without the rule `protect = \".git/commondir\"` (built-in profile `workspace`:28)")
"#);
    insta::assert_snapshot!(spoken(Verb::Read, r"C:\Users\Ada\Documents\Žofie.txt"), @r#"
`C:\Users\Ada\Documents\Žofie.txt` may not be read: it is outside everything that the policy makes readable
Some("--read 'C:/Users/Ada/Documents/Žofie.txt'") Some("[files] read = [\"C:/Users/Ada/Documents/Žofie.txt\"]") None
"#);
    insta::assert_snapshot!(spoken(Verb::Read, r"D:\"), @r#"
`D:\` may not be read: it is outside everything that the policy makes readable
Some("--read D:/") Some("[files] read = [\"D:/\"]") None
"#);
}

/// The home edition with a junction at a place.
fn with_junction(at: &str, to: &str, user: &str) -> Result<Target, TargetError> {
    let (mut facts, workspace) = machine("home-edition");
    let template = facts.object(&workspace).unwrap().clone();
    facts.objects.retain(|object| !path(at).covers(&object.path));
    facts.objects.push(crate::facts::Object { path: path(at), kind: ObjectKind::Link(path(to)), ..template });
    facts.objects.sort_by(|a, b| a.path.cmp(&b.path));
    let user = Document::parse(user, Source::File("policy.toml".into()), Layer::User).unwrap();
    let policy = profile::policy("workspace", Tier::Guard, Some(user), None).unwrap().unwrap();
    Target::resolve(&policy, &facts, &Asked { current_dir: workspace.clone(), workspace, tier: Tier::Guard })
}

#[test]
fn a_rule_through_a_junction_covers_both_ends() {
    let target = with_junction(r"C:\Users\Ada\source\project\.git", r"C:\Users\Ada\elsewhere", "").unwrap();
    let verdict = |verb, text: &str| target.decide(verb, &path(text)).verdict;
    assert_eq!(verdict(Verb::Write, r"C:\Users\Ada\source\project\.git"), Verdict::Refused);
    assert_eq!(verdict(Verb::Write, r"C:\Users\Ada\elsewhere\hooks\x"), Verdict::Refused);
    assert_eq!(verdict(Verb::Write, r"C:\Users\Ada\source\project\src"), Verdict::Allowed);
}

#[test]
fn no_grant_leaves_the_workspace_through_a_junction_in_it() {
    let grant = "[files]\nread = [\"vendor\"]";
    let inside = r"C:\Users\Ada\source\project\vendor";
    insta::assert_snapshot!(with_junction(inside, r"C:\Users\Ada\.ssh", grant).unwrap_err(), @r"the grant of `vendor` (policy.toml:2) is refused: the link `C:\Users\Ada\source\project\vendor` leads to `C:\Users\Ada\.ssh`, out of a directory whose content is not trusted. If that place is meant, grant it by its own path");
    assert!(with_junction(inside, r"C:\Users\Ada\source\project\src", grant).is_ok());
    // A junction that nobody but the user can make is followed, to its end.
    let target = with_junction(r"C:\Users\Ada\.cargo", r"C:\Users\Ada\.ssh", "[files]\nread = [\"~/.cargo\"]").unwrap();
    assert_eq!(target.decide(Verb::Read, &path(r"C:\Users\Ada\.ssh\x")).verdict, Verdict::Allowed);
    assert!(with_junction(inside, inside, grant).is_err());
}
